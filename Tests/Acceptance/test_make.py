"""The targets of the Makefile that CONTRIBUTING.md tells of, and the benchmarks it builds."""

import re
import subprocess

import pytest
from support.gateway import BINARY, ROOT

BENCH = BINARY.parent / "spangate-bench"
TARGETS = re.findall(r"^\| `make (\w+)`", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
STAGE = re.compile(r"^(?P<name>[^\t]+)\t\d+ ns/span\t(?P<spans>\d+) spans\tchecksum (?P<sum>\d+)$")

# What a target has to do, whatever else it does.
STEPS = {
    "run": ["swift build -c release --product spangate", "spangate serve"],
    "test": ["swift test", "scripts/coverage", "scripts/run-acceptance"],
    "unit": ["proto/generate.sh check", "swift test --enable-code-coverage"],
    "acceptance": ["scripts/run-acceptance"],
    "lint": ["swift format lint --strict -r Sources Tests loadtest Package.swift"],
    "coverage": ["scripts/coverage"],
    "sanitize": ["--sanitize=thread", "--sanitize=address"],
    "bench": ["swift build -c release --product spangate-bench", "release/spangate-bench"],
    "results": ["scripts/check-results --renew .build/pytest_report.json pytest_results.json"],
    "clean": ["rm -rf .build"],
}


def test_every_target_is_told_of():
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    helpers = {"build", "packages", "test-packages"}
    assert set(TARGETS) == set(phony) - helpers == set(STEPS)


@pytest.mark.parametrize("target", STEPS)
def test_target(target):
    plan = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert plan.returncode == 0, plan.stderr
    for step in STEPS[target]:
        assert step in plan.stdout, plan.stdout


def test_bench_measures_each_stage_and_does_the_same_work_every_time():
    runs = [bench("--tiny"), bench("--tiny")]
    names = [name for name, _, _ in runs[0]]
    assert names[:3] == ["decode OTLP/JSON", "assemble, analyse, window", "histogram"]
    assert all(spans > 0 and checksum > 0 for _, spans, checksum in runs[0])
    assert runs[0] == runs[1]
    # The first stage's checksum is what came out of it: all spans that went in.
    assert runs[0][0] == ("decode OTLP/JSON", 1000, 1000)


def bench(*arguments):
    """[(stage, spans, checksum)]: all that it prints, but for the times."""
    result = subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stderr) == (0, "")
    stages = [STAGE.match(line) for line in result.stdout.splitlines()]
    assert all(stages), result.stdout
    return [(stage["name"], int(stage["spans"]), int(stage["sum"])) for stage in stages]
