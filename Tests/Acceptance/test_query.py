"""The query API: forms of the graph, services, answers to wrong questions, and its speed."""

import json
import re
import time
from xml.etree import ElementTree

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import otlp
from support.gateway import ROOT, edges

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
    assert status == 200 and text.startswith("digraph spangate {") and text.rstrip().endswith("}")
    arrows = re.findall(r'^  "(\S+)" -> "(\S+)" \[', text, re.MULTILINE)
    assert sorted(arrows) == [("checkout", "payment"), ("frontend", "checkout")]


def test_mermaid(fed):
    status, text = fed.get("/api/v1/graph", format="mermaid")
    assert status == 200 and text.startswith("flowchart LR\n")
    labels = dict(re.findall(r'^  (n\d+)\["(\w+)<br/>', text, re.MULTILINE))
    arrows = re.findall(r"^  (n\d+) -->\|.*\| (n\d+)$", text, re.MULTILINE)
    assert sorted((labels[client], labels[server]) for client, server in arrows) == [
        ("checkout", "payment"),
        ("frontend", "checkout"),
    ]


def test_graphml(fed):
    status, text = fed.get("/api/v1/graph", format="graphml")
    assert status == 200
    space = {"g": "http://graphml.graphdrawing.org/xmlns"}
    graph = ElementTree.fromstring(text).find("g:graph", space)
    assert len(graph.findall("g:node", space)) == 3
    assert len(graph.findall("g:edge", space)) == 2


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
    services = json.loads(text)["services"]
    assert {each["id"]: (each["requests"], each["errors"]) for each in services} == {
        "frontend": (3, 0),
        "checkout": (4, 1),
        "payment": (1, 1),
    }


def test_one_service(fed):
    status, text = fed.get("/api/v1/services/-/checkout")
    assert status == 200
    service = json.loads(text)
    assert service["node"]["id"] == "checkout" and service["node"]["requests"] == 4
    assert [(edge["client"], edge["requests"]) for edge in service["upstream"]] == [("frontend", 3)]
    assert [(edge["server"], edge["failed"]) for edge in service["downstream"]] == [("payment", 1)]
    operations = {each["operation"]: each["requests"] for each in service["operations"]}
    assert operations == {"GET /": 1, "GET /next": 3}
    status, text = fed.get("/api/v1/services/-/nobody")
    assert status == 404 and json.loads(text)["type"] == "urn:spangate:problem:unknown-service"


@pytest.mark.parametrize(
    ("parameters", "field", "message"),
    [
        ({"strat": "0"}, "strat", 'Unknown parameter "strat". Did you mean "start"?'),
        ({"start": "yesterday"}, "start", "Must be a time from 1970 to 2261: RFC 3339"),
        ({"format": "png"}, "format", "Must be one of json, dot, mermaid, graphml."),
        ({"start": "2000000000", "end": "1000000000"}, "start", "Must be before the end: "),
        ({"service": "a", "direction": "left"}, "direction", "Must be one of up, down, both."),
        ({"depth": "2"}, "depth", "Means something together with `service` only."),
        ({"service": "a", "depth": "99"}, "depth", "Must be a whole number from 0 to 64."),
    ],
)
def test_wrong_questions(gateway, parameters, field, message):
    status, text = gateway.get("/api/v1/graph", **parameters)
    problem = json.loads(text)
    assert (status, problem["status"]) == (400, 400)
    assert problem["type"] == "urn:spangate:problem:invalid-request"
    assert problem["title"] == "The request cannot be understood"
    (error,) = problem["errors"]
    assert error["field"] == field and error["message"].startswith(message)
    assert problem["detail"] == f"{field}: {error['message']}"


def test_unknown_path(gateway):
    status, text = gateway.get("/api/v1/grahp")
    problem = json.loads(text)
    assert (status, problem["status"]) == (404, 404)
    assert problem["detail"].startswith("There is nothing at /api/v1/grahp. Nearby: /api/v1/graph")


def test_liveness_and_readiness(gateway):
    assert gateway.get("/livez") == (200, "ok\n")
    assert gateway.get("/readyz") == (200, "ready\n")


def test_a_late_span_corrects_the_graph_until_its_trace_is_sealed(make_gateway):
    """A call to a host nobody reports for, until the callee's span comes and says who it was."""
    settings = {"traces__idle": "100ms", "traces__remember": "100ms", "traces__max_age": "1s"}
    patient, hasty = make_gateway().start(), make_gateway(**settings).start()
    unknown, known = ("frontend", "external:checkout-host"), ("frontend", "checkout")
    for gateway, expected, late in ((patient, {known: (1, 0)}, 0), (hasty, {unknown: (1, 0)}, 1)):
        root = otlp.span("frontend", "GET /", otlp.SERVER)
        out = otlp.span("frontend", "GET", otlp.CLIENT, root, server__address="checkout-host")
        otlp.send(gateway, [root, out])
        assert edges(gateway.graph()) == {unknown: (1, 0)}
        if gateway is hasty:
            gateway.wait(lambda: total(hasty, "spangate_traces_sealed_total") == 1, "seal a trace")
        otlp.send(gateway, [otlp.span("checkout", "GET", otlp.SERVER, out)])
        graph = gateway.graph()
        assert edges(graph) == expected
        assert graph["coverage"]["late_spans"] == late
        assert graph["coverage"]["spans"] == 3 - late


def test_calls_without_a_partner_are_counted_by_reason(gateway):
    """Each reason that docs/graph.md names, once."""
    proxy = {"component": "proxy", "response_flags": "-"}
    root = otlp.span("frontend", "GET /", otlp.SERVER)
    otlp.send(gateway, [root, otlp.span("frontend", "GET", otlp.CLIENT, root)])
    root = otlp.span("wrapping", "GET /", otlp.SERVER)
    outer = otlp.span("wrapping", "retry", otlp.CLIENT, root)
    inner = otlp.span("wrapping", "GET", otlp.CLIENT, outer, server__address="host")
    otlp.send(gateway, [root, outer, inner])
    root = otlp.span("sidecar", "ingress", otlp.SERVER, **proxy)
    inwards = {"upstream_cluster": "inbound|8080||"}
    otlp.send(gateway, [root, otlp.span("sidecar", "in", otlp.CLIENT, root, **proxy, **inwards)])
    otlp.send(gateway, [otlp.span("orphan", "GET /", otlp.SERVER, root | {"trace": "ab" * 16})])
    queue = {"messaging__destination__name": "orders", "messaging__operation__type": "settle"}
    root = otlp.span("taker", "process", otlp.CONSUMER, messaging__system="kafka")
    otlp.send(gateway, [root, otlp.span("taker", "commit", otlp.CLIENT, root, **queue)])
    first = otlp.span("round", "GET /", otlp.INTERNAL)
    second = otlp.span("round", "GET /", otlp.INTERNAL, first)
    otlp.send(gateway, [first | {"parent": second["id"]}, second])
    # Links: one more than are read, to spans nobody sent, and one to the span it lies below.
    linking = otlp.span("linking", "build", otlp.INTERNAL)
    linking["links"] = [otlp.span("linked", "never sent", otlp.SERVER) for _ in range(129)]
    inner = otlp.span("linking", "step", otlp.INTERNAL, linking) | {"links": [linking]}
    otlp.send(gateway, [linking, inner])
    entry = otlp.span("mirror", "GET /", otlp.SERVER)
    out = otlp.span("mirror", "GET /again", otlp.CLIENT, entry)
    otlp.send(gateway, [entry, out, otlp.span("mirror", "GET /again", otlp.SERVER, out)])
    log = {
        "timeUnixNano": str(otlp.now()),
        "attributes": [{"key": "response_code", "value": {"intValue": "200"}}],
    }
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]}
    assert otlp.send_json(gateway, logs, path="/v1/logs") == (200, {})
    graph = gateway.graph()
    assert graph["coverage"]["unpaired"] == {
        "client_without_peer": 1,
        "link_adds_nothing": 1,
        "link_not_read": 1,
        "link_target_missing": 128,
        "own_application": 1,
        "parent_cycle": 1,
        "parent_missing": 1,
        "queue_not_named": 1,
        "same_service": 1,
        "settles_messages": 1,
        "traffic_without_peer": 1,
        "wraps_another_client": 1,
    }
    coverage = graph["coverage"]
    expected = {"entry_point", "background_work", "inner_work", "inner_request"}
    assert set(coverage["standalone"]) == expected
    of_spans = sum(
        count
        for reason, count in coverage["unpaired"].items()
        if not reason.startswith("link_") and reason != "traffic_without_peer"
    )
    assert coverage["spans"] == (
        coverage["paired"] + of_spans + sum(coverage["standalone"].values())
    )
    page = (ROOT / "docs" / "graph.md").read_text()
    reasons = page.partition("in `coverage.unpaired`:")[2].partition("\n## ")[0]
    unpaired, _, standalone = reasons.partition("in `coverage.standalone`:")
    named = re.findall(r"^\| `([a-z_]+)` \|", unpaired, re.MULTILINE)
    assert sorted(named) == sorted(coverage["unpaired"])
    needless = re.findall(r"^\| `([a-z_]+)` \|", standalone, re.MULTILINE)
    elsewhere = {"message_counted", "told_by_links", "transport"}
    assert set(needless) == set(coverage["standalone"]) | elsewhere


def test_sampling_scales_requests_and_not_traces(gateway):
    """th:8 keeps one trace in two."""
    document = otlp.request(otlp.call("frontend", "checkout", error=True))
    for group in document["resourceSpans"]:
        for span in group["scopeSpans"][0]["spans"]:
            span["traceState"] = "ot=th:8"
    assert otlp.send_json(gateway, document) == (200, {})
    graph = gateway.graph()
    assert edges(graph) == {("frontend", "checkout"): (2, 2)}
    for node in graph["nodes"]:
        assert (node["requests"], node["errors"]) == (2, 2)
        assert (node["traces"], node["error_traces"]) == (1, 1)
    assert graph["coverage"]["spans"] == 3


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
    assert request_total(gateway, edge) == 10


def test_metrics_are_those_that_are_documented(fed):
    families = {family.name for family in text_string_to_metric_families(fed.metrics())}
    page = (ROOT / "docs" / "operations.md").read_text()
    named = re.findall(r"`((?:spangate|traces_service_graph)_[a-z0-9_]+)`", page)
    assert sorted(named) == sorted(set(named))
    # Those of reviews are shown where a GitHub App is set up: test_github_reviews.py.
    always = {name for name in named if not name.startswith("spangate_github_")}
    assert {name.removesuffix("_total") for name in always} == families


def total(gateway, name):
    return counters(gateway)[(name, frozenset())]


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
