"""The command line: the same answers as the server, and errors that help."""

import json

import pytest
from support import otlp
from support.gateway import ROOT, clean_environment, edges, nodes, run

CHAIN = ROOT / "Tests" / "Fixtures" / "envoy" / "chain-upstream-span.json"
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
    assert any({"a", "b"} <= set(row) for row in rows), result.stdout


def test_analyze_of_no_such_file():
    result = run("analyze", "no-such-file.json")
    assert result.returncode not in (0, 1)
    assert "no-such-file.json" in result.stderr


def test_analyze_of_something_else(tmp_path):
    path = tmp_path / "letter.json"
    path.write_text("Dear Sir or Madam,")
    result = run("analyze", path)
    assert result.returncode not in (0, 1)
    assert "letter.json" in result.stderr


def test_graph_from_the_server(gateway):
    otlp.send(gateway, otlp.call("frontend", "checkout"))
    gateway.flush()
    result = run("graph", "--server", gateway.query, "--format", "json")
    assert result.returncode == 0, result.stderr
    assert edges(json.loads(result.stdout)) == {("frontend", "checkout"): (1, 0)}
    table = run("graph", "--server", gateway.query)
    assert table.returncode == 0, table.stderr
    assert "frontend" in table.stdout and "checkout" in table.stdout


def test_server_from_the_environment(gateway):
    otlp.send(gateway, otlp.call("frontend", "checkout"))
    gateway.flush()
    environment = clean_environment() | {"SPANGATE_SERVER": gateway.query}
    result = run("graph", "--format", "json", environment=environment)
    assert edges(json.loads(result.stdout)) == {("frontend", "checkout"): (1, 0)}


def test_server_out_of_reach():
    result = run("graph", "--server", "http://127.0.0.1:9")
    assert result.returncode == 69
    assert "127.0.0.1:9" in result.stderr


def test_replay_to_nobody():
    result = run("replay", CHAIN, "--to", "http://127.0.0.1:9")
    assert result.returncode == 69
    assert "127.0.0.1:9" in result.stderr


def test_journal_dump(gateway):
    root, out, callee = otlp.call("frontend", "checkout")
    otlp.send(gateway, [root, out, callee])
    result = run("journal", "dump", "--path", gateway.store)
    assert result.returncode == 0, result.stderr
    for expected in (root["trace"], root["id"], out["id"], callee["id"], "frontend", "checkout"):
        assert expected in result.stdout, result.stdout


def test_config_validate(tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("store:\n  path: data\ntraces:\n  idle: 20s\n")
    bad.write_text("store:\n  path: data\ntraces:\n  idel: 20s\n")
    assert run("config", "validate", "--config", good).returncode == 0
    result = run("config", "validate", "--config", bad)
    assert result.returncode == 64
    said = result.stdout + result.stderr
    assert "traces.idel" in said and "traces.idle" in said and "4" in said, said


def test_config_print():
    environment = clean_environment() | {"SPANGATE_TRACES__IDLE": "17s"}
    result = run("config", "print", environment=environment)
    assert result.returncode == 0, result.stderr
    assert "17s" in result.stdout and "retention" in result.stdout, result.stdout


def test_version():
    result = run("version")
    assert result.returncode == 0 and result.stdout.strip(), result.stderr


def test_unknown_command():
    result = run("grpah")
    assert result.returncode == 64
    assert result.stderr
