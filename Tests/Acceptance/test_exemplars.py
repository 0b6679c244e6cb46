"""Traces that are kept, and the way to them from a graph, from /metrics, and from Prometheus."""

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from support import otlp
from support.gateway import ROOT, clean_environment, run

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
def sealed(make_gateway):
    """A gateway with a checkpoint of ten traces frontend → checkout, one of them failed; and their ids."""
    gateway = make_gateway(traces__idle="100ms", traces__remember="100ms").start()
    traces = []
    for number in range(10):
        spans = otlp.call("frontend", "checkout", error=number == 7)
        otlp.send(gateway, spans)
        traces.append(spans)
    gateway.wait(lambda: kept(gateway) > 0, "keep traces")
    gateway.wait(lambda: edge_total(gateway) == 10, "seal all traces")
    return gateway, traces


def kept(gateway):
    return int(re.search(r"^spangate_exemplar_traces (\d+)$", gateway.metrics(), re.MULTILINE)[1])


def edge_total(gateway):
    found = re.search(r"^traces_service_graph_request_total\{\S+ (\d+)$", gateway.metrics(), re.M)
    return int(found[1]) if found else 0


def trace_of(gateway, trace_id, expected=200):
    status, text = gateway.get(f"/api/v1/traces/{trace_id}")
    assert status == expected, (status, text)
    return json.loads(text)


def open_metrics(gateway):
    asked = urllib.request.Request(f"{gateway.query}/metrics", headers={"accept": OPEN_METRICS})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        assert answer.headers["content-type"] == f"{OPEN_METRICS}; charset=utf-8"
        return answer.read().decode()


def test_what_the_graph_names_can_be_looked_at(sealed):
    gateway, traces = sealed
    (edge,) = gateway.graph()["edges"]
    assert len(edge["exemplars"]) == 3
    for trace_id in edge["exemplars"]:
        trace = trace_of(gateway, trace_id)
        assert set(trace) == {
            "trace_id",
            "start",
            "duration_ms",
            "state",
            "complete",
            "span_count",
            "truncated",
            "spans",
            "rule",
            "critical_path",
            "error_path",
        }
        assert (trace["state"], trace["complete"], trace["span_count"]) == ("sealed", True, 3)
        root, out, callee = trace["spans"]
        assert [span["service"] for span in (root, out, callee)] == [
            "frontend",
            "frontend",
            "checkout",
        ]
        assert (root["kind"], out["kind"], callee["operation"]) == ("server", "client", "GET /next")
        assert root["parent_span_id"] is None and callee["parent_span_id"] == out["span_id"]
        assert (root["duration_ms"], root["self_ms"], callee["critical_ms"]) == (10, 2, 6)
        sections = trace["critical_path"]
        assert sum(s["end_unix_nano"] - s["start_unix_nano"] for s in sections) == 10_000_000
    failed = traces[7]
    status, _ = gateway.get(f"/api/v1/traces/{failed[0]['trace']}")
    if status == 200:
        path = trace_of(gateway, failed[0]["trace"])["error_path"]
        assert path == [span["id"] for span in failed]


def test_a_growing_trace_can_be_looked_at_and_one_not_kept_says_why(gateway):
    spans = otlp.call("frontend", "checkout", error=True)
    otlp.send(gateway, spans)
    trace = trace_of(gateway, spans[0]["trace"])
    assert (trace["state"], trace["error_path"]) == ("growing", [span["id"] for span in spans])
    problem = trace_of(gateway, "ab" * 16, expected=404)
    assert problem["type"] == "urn:spangate:problem:unknown-trace"
    assert "limits.exemplars_bytes" in problem["detail"]
    problem = trace_of(gateway, "12", expected=400)
    assert problem["errors"] == [
        {"field": "trace_id", "message": "Must be 32 hexadecimal digits."}
    ]


def test_the_command_shows_a_trace_as_a_tree(gateway):
    spans = otlp.call("frontend", "checkout", error=True)
    otlp.send(gateway, spans)
    asked = run("trace", spans[0]["trace"], "--server", gateway.query)
    assert asked.returncode == 0, asked.stderr
    heading, _, columns, *rows = asked.stdout.splitlines()
    assert heading.startswith(spans[0]["trace"]) and heading.endswith("3 spans, still growing")
    assert columns.split() == ["AT", "DURATION", "SELF", "ON", "PATH", "KIND", "FAILED", "SPAN"]
    assert [row.partition("failed, on path  ")[2] for row in rows] == [
        "frontend GET /",
        "  frontend GET /next",
        "    checkout GET /next",
    ]
    printed = run("trace", spans[0]["trace"], "--server", gateway.query, "--format", "json")
    assert json.loads(printed.stdout) == trace_of(gateway, spans[0]["trace"])
    assert run("trace", "nothing", "--server", gateway.query).returncode == 64


def test_none_are_kept_when_there_is_no_room_for_them(make_gateway):
    gateway = make_gateway(
        traces__idle="100ms", traces__remember="100ms", limits__exemplars_bytes="0"
    ).start()
    spans = otlp.call("frontend", "checkout")
    otlp.send(gateway, spans)
    gateway.wait(lambda: edge_total(gateway) == 1, "seal the trace")
    assert kept(gateway) == 0
    assert trace_of(gateway, spans[0]["trace"], expected=404)["status"] == 404
    assert "# {" not in open_metrics(gateway)


def test_open_metrics_by_the_strict_parser(sealed):
    gateway, traces = sealed
    text = open_metrics(gateway)
    families = {family.name: family for family in text_string_to_metric_families(text)}
    graph = "traces_service_graph_request"
    assert families[graph].type == "counter"
    assert families[f"{graph}_server_seconds"].type == "histogram"
    assert families[f"{graph}_server_seconds"].unit == "seconds"
    sent = {spans[0]["trace"] for spans in traces}
    for name in (f"{graph}_server_seconds", f"{graph}_client_seconds"):
        found = [sample for sample in families[name].samples if sample.exemplar]
        assert found and all(sample.name.endswith("_bucket") for sample in found)
        for sample in found:
            assert sample.exemplar.value <= float(sample.labels["le"])
            trace_id = sample.exemplar.labels["trace_id"]
            assert trace_id in sent
            assert trace_of(gateway, trace_id)["state"] == "sealed"
    # The same figures in the plain form, which has no exemplars.
    plain = gateway.metrics()
    assert "# {" not in plain and "# EOF" not in plain
    for sample in families[graph].samples:
        labels = ",".join(f'{key}="{value}"' for key, value in sample.labels.items())
        assert f"{sample.name}{{{labels}}} {int(sample.value)}\n" in plain


def test_prometheus_leads_from_a_figure_to_a_trace(sealed, tmp_path):
    """Prometheus scrapes the gateway as it scrapes anything, and answers with ids that open."""
    gateway, traces = sealed
    binary = shutil.which("prometheus", path=f"{ROOT}/.venv/bin:/usr/bin")
    configuration = {
        "scrape_configs": [
            {
                "job_name": "spangate",
                "scrape_interval": "1s",
                "static_configs": [{"targets": [f"127.0.0.1:{gateway.query_port}"]}],
            }
        ]
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(configuration))
    log = tmp_path / "prometheus.log"
    with log.open("wb") as output:
        prometheus = subprocess.Popen(
            [
                binary,
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'prometheus'}",
                "--web.listen-address=127.0.0.1:0",
                "--enable-feature=exemplar-storage",
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=clean_environment(),
            cwd=tmp_path,
        )
    try:
        found = wait_for(lambda: exemplars(prometheus, log), log)
    finally:
        prometheus.terminate()
        prometheus.wait(30)
    sent = {spans[0]["trace"] for spans in traces}
    assert {each["seriesLabels"]["server"] for each in found} == {"checkout"}
    ids = {one["labels"]["trace_id"] for each in found for one in each["exemplars"]}
    assert ids and ids <= sent
    for trace_id in ids:
        assert trace_of(gateway, trace_id)["span_count"] == 3
    assert "err=" not in log.read_text(), log.read_text()


def exemplars(prometheus, log):
    """What Prometheus has of them; None before it has any. It says in its log where it listens."""
    port = re.search(r'msg="Listening on" address=127\.0\.0\.1:(\d+)', log.read_text())
    if not port:
        return None
    now = time.time()
    query = {
        "query": "traces_service_graph_request_server_seconds_bucket",
        "start": now - 600,
        "end": now + 600,
    }
    url = f"http://127.0.0.1:{port[1]}/api/v1/query_exemplars?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]
    except (urllib.error.URLError, ConnectionError):
        return None


def wait_for(condition, log, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.2)
    raise AssertionError(f"Prometheus has no exemplars:\n{log.read_text()}")
