"""The unit for systemd in deploy/: what it forbids is never needed."""

import re
import subprocess

from support import otlp
from support.gateway import BINARY, ROOT, edges

UNIT = ROOT / "deploy" / "spangate.service"
# Asked for by the libraries below, and done without when refused: the priority of a thread, and the
# owner of the store's files, which only root's files need.
REFUSED = {"setpriority", "fchown"}


def test_unit_is_valid_and_closed(tmp_path):
    """systemd takes the unit without a word, and rates what an attacker could do from it as little."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/spangate", str(BINARY)))
    verified = analyze("verify", unit)
    assert (verified.returncode, verified.stderr) == (0, "")
    rated = analyze("security", "--offline=true", "--no-pager", unit)
    exposure = re.search(r"Overall exposure level .*: (\d\.\d)", rated.stdout)
    assert float(exposure[1]) <= 1.2, rated.stdout


def test_forbidden_system_calls_are_not_needed(make_gateway):
    """Traffic, a graph and an orderly end, with every call counted: all are among those the unit
    allows, or are refused here as the unit refuses them."""
    gateway = make_gateway(traces__idle="100ms", traces__remember="0s")
    counts = gateway.folder / "calls"
    gateway.prefix = ["strace", "--follow-forks", "--summary-only", f"--output={counts}"]
    gateway.prefix += [f"--inject={','.join(sorted(REFUSED))}:error=EPERM"]
    gateway.start()
    otlp.send(gateway, otlp.call("a", "b"))
    assert edges(gateway.graph()) == {("a", "b"): (1, 0)}
    gateway.wait(lambda: "\nspangate_traces_sealed_total 1\n" in gateway.metrics(), "seal the trace")
    gateway.wait(lambda: "\nspangate_series_waiting 0\n" in gateway.metrics(), "store its sums")
    subprocess.run(["pkill", "-TERM", "--parent", str(gateway.process.pid)], check=True)
    gateway.ended()
    rows = [line.split() for line in counts.read_text().splitlines()]
    used = {row[-1] for row in rows if len(row) >= 5 and row[0][0].isdigit()} - {"total"}
    assert {"accept4", "fdatasync", "write"} <= used, used
    assert used - allowed() <= REFUSED


def allowed():
    filters = re.findall(r"^SystemCallFilter=(~?)(.*)$", UNIT.read_text(), re.MULTILINE)
    calls = set()
    for is_denied, names in filters:
        listed = set().union(*(members(name) for name in names.split()))
        calls = calls - listed if is_denied else calls | listed
    return calls


def members(name):
    """The system calls of a group such as @system-service."""
    if not name.startswith("@"):
        return {name}
    lines = analyze("syscall-filter", name).stdout.splitlines()[1:]
    names = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    return set().union(*map(members, names))


def analyze(*arguments):
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60
    )
