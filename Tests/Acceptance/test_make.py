"""The targets of the Makefile that CONTRIBUTING.md tells of, and the measurements it builds."""

import json
import re
import subprocess
from pathlib import Path

import cyclonedx.schema
import jsonschema_rs
import pytest
from support.gateway import BINARY, ROOT

BENCH = BINARY.parent / "spangate-bench"
GATE_TABLE = BINARY.parent / "spangate-gate-table"
ACCURACY = BINARY.parent / "spangate-accuracy"
TARGETS = re.findall(r"^\| `make ([\w-]+)`", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
STAGE = re.compile(r"^(?P<name>[^\t]+)\t\d+ ns/span\t(?P<spans>\d+) spans\tchecksum (?P<sum>\d+)$")

# What a target has to do, whatever else it does.
STEPS = {
    "run": ["swift build -c release --product spangate", "spangate serve"],
    "demo": ["swift build -c release --product spangate-demo", "scripts/demo .build/release"],
    "test": ["swift test", "scripts/coverage", "scripts/run-acceptance"],
    "unit": ["proto/generate.sh check", "swift test --enable-code-coverage"],
    "acceptance": ["scripts/run-acceptance"],
    "lint": ["swift format lint --strict -r Sources Tests loadtest Package.swift"],
    "coverage": ["scripts/coverage"],
    "sanitize": ["--sanitize=thread", "--sanitize=address"],
    "bench": ["swift build -c release --product spangate-bench", "release/spangate-bench"],
    "gate-table": [
        "swift build -c release --product spangate-gate-table",
        "release/spangate-gate-table",
    ],
    "accuracy": [
        "swift build -c release --product spangate-accuracy",
        "release/spangate-accuracy",
    ],
    "crash": ["SPANGATE_CRASH_ROUNDS=500", "Tests/Acceptance/test_crash_rounds.py"],
    "sbom": ["swift build -c release --product spangate", "scripts/sbom .build/release/spangate"],
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
        assert step in plan.stdout + plan.stderr, plan.stdout


def test_bench_measures_each_stage_and_does_the_same_work_every_time():
    runs = [bench("--tiny"), bench("--tiny")]
    names = [name for name, _, _ in runs[0]]
    assert names[:3] == ["decode OTLP/JSON", "assemble, analyse, window", "histogram"]
    assert all(spans > 0 and checksum > 0 for _, spans, checksum in runs[0])
    assert runs[0] == runs[1]
    # The first stage's checksum is what came out of it: all spans that went in.
    assert runs[0][0] == ("decode OTLP/JSON", 1000, 1000)


def test_gate_reaches_its_floors():
    table = gate_table()
    assert (table.returncode, table.stderr) == (0, ""), table.stdout


def test_gate_table_has_a_line_a_scenario_and_fails_below_a_floor(tmp_path):
    floors = json.loads((ROOT / "Tests" / "ImpactTests" / "gate-floors.json").read_text())
    names = [scenario["name"] for scenario in floors["scenarios"]]
    floors["scenarios"] = [{"name": name, "runs": 1} for name in names]
    floors["falseRollbackMax"] = 1
    reached, missed = tmp_path / "reached.json", tmp_path / "missed.json"
    reached.write_text(json.dumps(floors))
    # No version is promoted on one request a minute, whatever the chance.
    floors["scenarios"][names.index("one request a minute")]["promoteMin"] = 1
    missed.write_text(json.dumps(floors))

    table = gate_table("--runs", "2", "--floors", reached)
    assert (table.returncode, table.stderr) == (0, "")
    header, *lines = table.stdout.splitlines()
    assert re.split("  +", header)[:3] == ["scenario", "runs", "false rollback"]
    assert [re.split("  +", line)[:2] for line in lines] == [[name, "2"] for name in names]

    other = gate_table("--runs", "2", "--floors", missed)
    assert (other.returncode, other.stdout) == (1, table.stdout)
    assert other.stderr == (
        "one request a minute: promoted in 0 % of runs, not at least 100 %\n"
    )
    assert gate_table("--floors", tmp_path / "none.json").returncode == 64


def gate_table(*arguments):
    return subprocess.run(
        [GATE_TABLE, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
    )


def bench(*arguments):
    """[(stage, spans, checksum)]: all that it prints, but for the times."""
    result = subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stderr) == (0, "")
    stages = [STAGE.match(line) for line in result.stdout.splitlines()]
    assert all(stages), result.stdout
    return [(stage["name"], int(stage["spans"]), int(stage["sum"])) for stage in stages]


def accuracy(*arguments, floors="loadtest/accuracy/accuracy-floors.json"):
    return subprocess.run(
        [ACCURACY, "--floors", floors, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1100,
    )


@pytest.mark.timeout(1200)
def test_root_causes_are_found_as_often_as_the_floors_ask():
    """The cases nobody held back: each kind of fault, in both sorts of systems, and healthy ones."""
    measured = accuracy("--tuned", "--misses")
    assert measured.returncode == 0, measured.stdout + measured.stderr
    assert re.search(r"^all +\d+", measured.stdout, re.MULTILINE), measured.stdout
    assert re.search(r"^expected calibration error +0\.\d+", measured.stdout, re.MULTILINE)


@pytest.mark.timeout(1200)
def test_accuracy_below_a_floor_fails_and_says_which(tmp_path):
    floors = json.loads((ROOT / "loadtest/accuracy/accuracy-floors.json").read_text())
    floors["root_causes"]["first_min"] = 1.01
    floors["attribution"]["told_apart_min"] = 1.01
    floors["attribution"]["calibration_error_max"] = 0
    file = tmp_path / "floors.json"
    file.write_text(json.dumps(floors))
    measured = accuracy("--tuned", "--each", "1", floors=str(file))
    assert measured.returncode == 1
    assert "among the first 1, the floor is 101.0 %" in measured.stderr
    assert "are told apart in" in measured.stderr
    assert "the expected calibration error is" in measured.stderr


def test_a_case_is_written_as_otlp():
    written = accuracy("--write", "shop/errors/1")
    assert written.returncode == 0, written.stderr
    first = json.loads(written.stdout.splitlines()[0])
    span = first["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert len(span["traceId"]) == 32 and int(span["endTimeUnixNano"]) > 0
    unknown = accuracy("--write", "shop/nothing/1")
    assert unknown.returncode == 64 and "there is no case shop/nothing/1" in unknown.stderr


def test_the_bill_of_materials():
    """`make sbom` follows the published schema and names, each with a version, what the binary is
    compiled from and what it loads; made twice it is the same."""
    command = [ROOT / "scripts" / "sbom", BINARY, ROOT / "Package.resolved"]
    texts = [
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
        for _ in range(2)
    ]
    assert texts[0] == texts[1]
    document = json.loads(texts[0])
    schema_validator().validate(document)
    named = {each["name"]: each for each in document["components"]}
    for library in ("swift-nio", "grdb.swift", "libnghttp2-14", "libprotobuf-c1", "swift-runtime"):
        assert re.match(r"\d+\.\d+", named[library]["version"]), named[library]
    assert document["metadata"]["component"]["version"] in subprocess.check_output(
        [BINARY, "version"], text=True
    )


def schema_validator():
    """The schema of CycloneDX 1.6 and those it refers to, as its own library ships them."""
    folder = Path(cyclonedx.schema.__file__).parent / "_res"

    def shipped(address):
        return json.loads((folder / address.rsplit("/", 1)[-1]).read_text())

    return jsonschema_rs.validator_for(shipped("bom-1.6.SNAPSHOT.schema.json"), retriever=shipped)
