"""The README: every command in it is run, and every sample in it is part of a file that is tested.

Commands run in the checkout, with the ports replaced by those of a gateway of this test.
"""

import os
import re
import signal
import subprocess
import sysconfig
import textwrap

import pytest
from support import otlp
from support.gateway import ADDRESS_LINE, BINARY, ROOT, clean_environment, edges

README = (ROOT / "README.md").read_text()
MAKE_TARGETS = ["make run\n", "make test\n", "make demo\n"]


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def name(block):
    return re.sub(r"[^a-z0-9]+", "-", block.splitlines()[0].lower()).strip("-")[:40]


COMMANDS = [block for block in blocks("sh") if block not in MAKE_TARGETS]


@pytest.fixture
def shell(gateway):
    """Runs a block of commands the way a reader would."""
    scripts = sysconfig.get_path("scripts")
    environment = clean_environment() | {
        "PATH": f"{BINARY.parent}:{scripts}:{os.environ['PATH']}",
        "SPANGATE_SERVER": gateway.query,
        "OTEL_EXPORTER_OTLP_ENDPOINT": gateway.http,
    }
    ports = {"4317": gateway.grpc_port, "4318": gateway.http_port, "4320": gateway.query_port}

    def run(block):
        for documented, actual in ports.items():
            block = block.replace(f"localhost:{documented}", f"127.0.0.1:{actual}")
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


@pytest.mark.parametrize("block", COMMANDS, ids=name)
def test_command(gateway, shell, block):
    otlp.send(gateway, otlp.call("frontend", "checkout"))
    gateway.flush()
    result = shell(block)
    assert result.returncode == 0, result.stdout + result.stderr


def test_commands_in_a_row_show_the_example(gateway, shell):
    """What a reader sees who follows the page: the example's services in the graph."""
    for block in COMMANDS:
        result = shell(block)
        assert result.returncode == 0, block + result.stdout + result.stderr
    # Twenty requests of the SDK's example, and the one that curl sent.
    assert edges(gateway.graph()) == {
        ("frontend", "checkout"): (21, 0),
        ("checkout", "payment"): (20, 0),
        ("checkout", "database:orders"): (20, 0),
    }


@pytest.mark.timeout(1200)
def test_make_run():
    environment = clean_environment() | {
        "SPANGATE_RECEIVER__GRPC__ADDRESS": "127.0.0.1:0",
        "SPANGATE_RECEIVER__HTTP__ADDRESS": "127.0.0.1:0",
        "SPANGATE_QUERY__ADDRESS": "127.0.0.1:0",
        "SPANGATE_STORE__PATH": str(ROOT / ".build" / "readme-store"),
    }
    assert MAKE_TARGETS[0] in blocks("sh")
    process = subprocess.Popen(
        ["make", "run"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    seen = ""
    try:
        for line in process.stdout:
            seen += line
            if len(ADDRESS_LINE.findall(seen)) == 3 and "_ENDPOINT=" in seen:
                break
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)
    addresses = ADDRESS_LINE.findall(seen)
    assert [found[0] for found in addresses] == ["otlp/grpc", "otlp/http", "query"], seen
    otlp_addresses = [f"http://{host}:{port}" for _, host, port in addresses[:2]]
    pasted = re.search(r"OTEL_EXPORTER_OTLP_ENDPOINT=(\S+)", seen)
    assert pasted and pasted[1] in otlp_addresses, seen


def test_make_test_is_there():
    """The whole of it cannot run inside itself: that it is defined, and what it would do."""
    assert MAKE_TARGETS[1] in blocks("sh")
    plan = subprocess.run(
        ["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert plan.returncode == 0, plan.stderr
    for step in ("swift test --enable-code-coverage", "scripts/coverage", "scripts/run-acceptance"):
        assert step in plan.stdout


@pytest.mark.parametrize("block", blocks("yaml"), ids=name)
def test_sample_is_part_of_a_file_in_deploy(block):
    files = [textwrap.dedent(path.read_text()) for path in (ROOT / "deploy").glob("*.yaml")]
    wanted = [line.strip() for line in block.splitlines()]
    for text in files:
        lines = [line.strip().replace("&tracing", "").strip() for line in text.splitlines()]
        if any(lines[at : at + len(wanted)] == wanted for at in range(len(lines))):
            return
    raise AssertionError(f"no file in deploy holds these lines:\n{block}")


def test_links_lead_somewhere():
    folders = [ROOT, ROOT / "docs", ROOT / "deploy", ROOT / "loadtest"]
    for page in [page for folder in folders for page in sorted(folder.glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not target.startswith("https://"):
                assert (page.parent / target).exists(), f"{page}: {target}"


def test_every_page_of_docs_can_be_reached():
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages <= set(re.findall(r"\]\(([^)#]+)\)", README))
