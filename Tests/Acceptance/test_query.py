"""The query API: forms of the graph, services, answers to wrong questions, and its speed."""

import json
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import otlp
from support.gateway import edges

SERVICES, CALLS_EACH = 100, 10


@pytest.fixture
def fed(gateway):
    for _ in range(3):
        otlp.send(gateway, otlp.call("frontend", "checkout"))
    otlp.send(gateway, otlp.call("checkout", "payment", error=True))
    gateway.flush()
    return gateway


def test_dot(fed):
    status, text = fed.get("/api/v1/graph", format="dot")
    assert status == 200 and text.lstrip().startswith("digraph")
    assert "frontend" in text and "->" in text


def test_mermaid(fed):
    status, text = fed.get("/api/v1/graph", format="mermaid")
    assert status == 200 and text.lstrip().startswith(("graph", "flowchart"))
    assert "frontend" in text and "-->" in text


def test_part_of_the_graph(fed):
    graph = fed.graph(service="payment", depth=1, direction="up")
    assert edges(graph) == {("checkout", "payment"): (1, 1)}


def test_latencies(fed):
    graph = fed.graph()
    edge = next(edge for edge in graph["edges"] if edge["server"] == "checkout")
    for name, expected in (("client_latency_ms", 8), ("server_latency_ms", 6), ("gap_ms", 2)):
        figures = edge[name]
        assert figures["mean"] == pytest.approx(expected, rel=0.05), (name, figures)
        assert figures["p50"] <= figures["p90"] <= figures["p99"] <= figures["max"]
    frontend = next(node for node in graph["nodes"] if node["id"] == "frontend")
    assert frontend["latency_ms"]["mean"] == pytest.approx(10, rel=0.05)
    assert frontend["self_time_ms"]["mean"] == pytest.approx(2, rel=0.05)


def test_services(fed):
    status, text = fed.get("/api/v1/services")
    assert status == 200
    listed = json.loads(text)
    services = listed["services"] if isinstance(listed, dict) else listed
    assert {service["id"] for service in services} == {"frontend", "checkout", "payment"}


def test_one_service(fed):
    status, text = fed.get("/api/v1/services/-/checkout")
    assert status == 200
    assert "frontend" in text and "payment" in text
    assert fed.get("/api/v1/services/-/nobody")[0] == 404


@pytest.mark.parametrize(
    ("path", "parameters", "hint"),
    [
        ("/api/v1/graph", {"strat": "0"}, "start"),
        ("/api/v1/graph", {"start": "yesterday"}, "start"),
        ("/api/v1/graph", {"format": "png"}, "mermaid"),
        ("/api/v1/graph", {"start": "2000000000", "end": "1000000000"}, "end"),
        ("/api/v1/graph", {"direction": "left"}, "both"),
    ],
)
def test_wrong_questions(fed, path, parameters, hint):
    status, text = fed.get(path, **parameters)
    assert status == 400
    problem = json.loads(text)
    assert {"type", "title", "status", "detail"} <= problem.keys()
    assert problem["status"] == 400 and hint in text


def test_unknown_path(fed):
    status, text = fed.get("/api/v1/grahp")
    assert status == 404
    assert json.loads(text)["status"] == 404


def test_liveness_and_readiness(gateway):
    assert gateway.get("/livez")[0] == 200
    assert gateway.get("/readyz")[0] == 200


def test_a_hundred_services_and_a_thousand_edges(gateway):
    spans = []
    for caller in range(SERVICES):
        for step in range(1, CALLS_EACH + 1):
            spans += otlp.call(f"service-{caller:02}", f"service-{(caller + step) % SERVICES:02}")
    otlp.send(gateway, spans, compressed=True)
    gateway.flush()
    begun = time.monotonic()
    status, text = gateway.get("/api/v1/graph")
    seconds = time.monotonic() - begun
    graph = json.loads(text)
    assert status == 200
    assert len(graph["nodes"]) == SERVICES
    assert len(graph["edges"]) == SERVICES * CALLS_EACH
    assert set(edges(graph).values()) == {(1, 0)}
    assert seconds < 1


def test_metrics_parse_and_never_fall(make_gateway):
    settings = {"traces__idle": "100ms", "traces__max_age": "1s", "traces__remember": "100ms"}
    gateway = make_gateway(**settings).start()
    edge = {"client": "frontend", "server": "checkout", "connection_type": ""}
    before = {}
    for expected in (5, 10):
        for _ in range(5):
            otlp.send(gateway, otlp.call("frontend", "checkout"))
        gateway.wait(
            lambda: request_total(gateway, edge) == expected,  # noqa: B023 - used at once
            f"count {expected} sealed requests",
        )
        after = counters(gateway)
        fallen = {key: (value, after.get(key)) for key, value in before.items()}
        assert not {k: v for k, v in fallen.items() if v[1] is None or v[1] < v[0]}
        before = after
    names = {name for name, _ in after}
    assert any(name.startswith("spangate_") for name in names), names


def request_total(gateway, edge):
    key = ("traces_service_graph_request_total", frozenset(edge.items()))
    return counters(gateway).get(key, 0)


def counters(gateway):
    """Everything that may only rise: counters, and the counts and sums of histograms."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(gateway.metrics())
        if family.type in ("counter", "histogram", "summary")
        for sample in family.samples
    }
