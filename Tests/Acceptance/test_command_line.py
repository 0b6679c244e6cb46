"""The command line: the same answers as the server, and errors that help."""

import json
import re

import pytest
import yaml
from support import otlp
from support.gateway import ROOT, clean_environment, edges, nodes, run

CHAIN = ROOT / "Tests" / "Fixtures" / "envoy" / "chain-upstream-span.json"
USAGE, UNREACHABLE, FAILED = 64, 69, 70  # exit codes
CHAIN_EDGES = {("a", "b"): (3, 1), ("b", "c"): (3, 2)}


@pytest.fixture
def archive(make_gateway):
    """A gateway that takes spans of any age."""
    return make_gateway(store__retention="3650d").start()


def file_range(path):
    """The time that the spans of an OTLP JSON file cover, as parameters of a query."""
    spans = [
        span
        for group in json.loads(path.read_text())["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope["spans"]
    ]
    return {
        "start": min(int(span["startTimeUnixNano"]) for span in spans),
        "end": max(int(span["endTimeUnixNano"]) for span in spans) + 1,
    }


def test_analyze_says_what_the_server_says(archive):
    analyzed = run("analyze", "--format", "json", CHAIN)
    assert analyzed.returncode == 0, analyzed.stderr
    replayed = run("replay", CHAIN, "--to", archive.http)
    assert replayed.returncode == 0, replayed.stderr
    graph = archive.graph(**file_range(CHAIN))
    assert edges(json.loads(analyzed.stdout)) == edges(graph) == CHAIN_EDGES
    assert nodes(json.loads(analyzed.stdout)) == nodes(graph)


@pytest.mark.parametrize("kind", ["json", "lines", "protobuf"])
def test_analyze_reads(tmp_path, kind):
    document = otlp.request(otlp.call("frontend", "checkout"))
    other = otlp.request(otlp.call("frontend", "checkout", error=True))
    if kind == "json":
        files = [tmp_path / "one.json", tmp_path / "two.json"]
        files[0].write_text(json.dumps(document, indent=2))
        files[1].write_text(json.dumps(other))
    elif kind == "lines":
        files = [tmp_path / "both.jsonl"]
        files[0].write_text(json.dumps(document) + "\n" + json.dumps(other) + "\n")
    else:
        files = [tmp_path / "both.pb"]
        merged = otlp.to_protobuf(document)
        merged.MergeFrom(otlp.to_protobuf(other))
        files[0].write_bytes(merged.SerializeToString())
    result = run("analyze", "--format", "json", *files)
    assert result.returncode == 0, result.stderr
    assert edges(json.loads(result.stdout)) == {("frontend", "checkout"): (2, 1)}


def test_analyze_as_a_table():
    result = run("analyze", CHAIN)
    assert result.returncode == 0, result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    # Three calls in a window of ten seconds, one of them failed; two failed at c, where both began.
    assert ["a", "b", "0.3/s", "33.3%"] in [row[:4] for row in rows], result.stdout
    assert ["b", "c", "0.3/s", "66.7%"] in [row[:4] for row in rows], result.stdout
    assert ["c", "2", "3", "2"] in rows, result.stdout


def test_analyze_of_no_such_file():
    result = run("analyze", "no-such-file.json")
    assert (result.returncode, result.stdout) == (FAILED, "")
    assert "no-such-file.json cannot be read" in result.stderr


def test_analyze_of_something_else(tmp_path):
    path = tmp_path / "letter.json"
    path.write_text("Dear Sir or Madam,")
    result = run("analyze", path)
    assert (result.returncode, result.stdout) == (FAILED, "")
    assert "letter.json is no OTLP trace file" in result.stderr


def test_graph_from_the_server(gateway):
    otlp.send(gateway, otlp.call("frontend", "checkout"))
    gateway.flush()
    result = run("graph", "--server", gateway.query, "--format", "json")
    assert result.returncode == 0, result.stderr
    assert edges(json.loads(result.stdout)) == {("frontend", "checkout"): (1, 0)}
    table = run("graph", "--server", gateway.query)
    assert table.returncode == 0, table.stderr
    rows = [line.split() for line in table.stdout.splitlines()]
    assert ["frontend", "checkout", "1", "0"] in [row[:4] for row in rows], table.stdout


def test_what_changed_and_by_which_ways(gateway):
    otlp.send(gateway, otlp.call("frontend", "checkout"))
    gateway.flush()
    diff = run("graph", "diff", "--server", gateway.query)
    assert diff.returncode == 0, diff.stderr
    assert re.search(r"^frontend → checkout +new$", diff.stdout, re.MULTILINE)
    paths = run("graph", "paths", "--from", "frontend", "--to=checkout", "--server", gateway.query)
    assert paths.returncode == 0, paths.stderr
    assert "frontend → checkout" in paths.stdout
    for question in (["diff", "--service=x"], ["paths", "--from=x", "--to=checkout"]):
        result = run("graph", *question, "--server", gateway.query)
        assert (result.returncode, result.stdout) == (USAGE, ""), result.stderr


def test_graph_of_a_service_nobody_saw(gateway):
    result = run("graph", "--server", gateway.query, "--service", "nobody")
    assert (result.returncode, result.stdout) == (USAGE, "")
    assert 'No service "nobody" was seen in the range.' in result.stderr


def test_server_from_the_environment(gateway):
    otlp.send(gateway, otlp.call("frontend", "checkout"))
    gateway.flush()
    environment = clean_environment() | {"SPANGATE_SERVER": gateway.query}
    result = run("graph", "--format", "json", environment=environment)
    assert edges(json.loads(result.stdout)) == {("frontend", "checkout"): (1, 0)}


def test_server_out_of_reach():
    result = run("graph", "--server", "http://127.0.0.1:9")
    assert (result.returncode, result.stdout) == (UNREACHABLE, "")
    assert "http://127.0.0.1:9 is out of reach" in result.stderr


def test_replay_to_nobody():
    result = run("replay", CHAIN, "--to", "http://127.0.0.1:9")
    assert result.returncode == UNREACHABLE
    assert "http://127.0.0.1:9" in result.stderr and "is out of reach" in result.stderr


def test_journal_dump(gateway):
    root, out, callee = otlp.call("frontend", "checkout")
    otlp.send(gateway, [root, out, callee])
    result = run("journal", "dump", "--path", gateway.store)
    assert result.returncode == 0, result.stderr
    header, *rows = [line.split() for line in result.stdout.splitlines()]
    assert header[:5] == ["SEQUENCE", "TRACE", "SPAN", "PARENT", "KIND"]
    assert [row[1:5] for row in rows] == [
        [root["trace"], root["id"], "-", "server"],
        [root["trace"], out["id"], root["id"], "client"],
        [root["trace"], callee["id"], out["id"], "server"],
    ]
    assert [row[-3:] for row in rows] == [
        ["frontend", "GET", "/"],
        ["frontend", "GET", "/next"],
        ["checkout", "GET", "/next"],
    ]


def test_config_validate(tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("store:\n  path: data\ntraces:\n  idle: 20s\n")
    bad.write_text("store:\n  path: data\ntraces:\n  idel: 20s\n")
    assert run("config", "validate", "--config", good).returncode == 0
    result = run("config", "validate", "--config", bad)
    assert (result.returncode, result.stdout) == (USAGE, "")
    expected = "bad.yaml:4: traces.idel: is no known key; did you mean traces.idle?"
    assert expected in result.stderr, result.stderr


def test_config_print(tmp_path):
    environment = clean_environment() | {"SPANGATE_TRACES__IDLE": "17s"}
    result = run("config", "print", environment=environment)
    assert result.returncode == 0, result.stderr
    settings = yaml.safe_load(result.stdout)
    assert settings["traces"] == {
        "idle": "17s",
        "max_age": "1m",
        "remember": "1m",
        "clock_skew": "1s",
        "critical_path": "wallclock",
    }
    assert settings["identity"] == {"dimensions": []}
    assert settings["redaction"] == {"query_keys": []}
    assert settings["store"]["retention"] == "14d"
    (line,) = [line for line in result.stdout.splitlines() if "17s" in line]
    assert "SPANGATE_TRACES__IDLE" in line
    # What it prints is a configuration that can be used again.
    path = tmp_path / "printed.yaml"
    path.write_text(result.stdout)
    assert run("config", "validate", "--config", path).returncode == 0


def test_version():
    result = run("version")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(r"spangate \d+\.\d+\.\d+\n", result.stdout)


def test_unknown_command():
    result = run("grpah")
    assert (result.returncode, result.stdout) == (USAGE, "")
    assert "grpah" in result.stderr and "spangate --help" in result.stderr
