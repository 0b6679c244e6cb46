"""What changed, paths, and the questions other tools ask: shapes field by field, and the whole API
against its own description."""

import contextlib
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from datetime import datetime

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
)
from support import otlp
from support.gateway import ROOT

MINUTE = 60 * otlp.SECOND
DURATIONS = {"mean", "p50", "p90", "p95", "p99", "max"}
NODE_FIGURES = {
    "versions",
    "instances",
    "clusters",
    "requests",
    "effective_requests",
    "errors",
    "error_rate",
    "error_origins",
    "errors_passed_through",
    "errors_absorbed",
    "traces",
    "error_traces",
    "latency_ms",
    "self_time_ms",
    "critical_path_share",
    "exemplars",
}
EDGE_FIGURES = {
    "requests",
    "failed",
    "effective_requests",
    "client_latency_ms",
    "server_latency_ms",
    "gap_ms",
    "critical_path_share",
    "error_propagation",
    "exemplars",
}


# What stands for something else in DOT, in its labels and in SVG.
STRANGE = 'strange "name" <b>&amp;\\n'


def ask(gateway, path, expected=200, **parameters):
    status, text = gateway.get(path, **parameters)
    assert status == expected, (status, text)
    return json.loads(text)


def chain(*services, start=None, error=False):
    """A trace of calls through the services, each a CLIENT and a SERVER span."""
    spans = [otlp.span(services[0], "GET /", otlp.SERVER, start=start, milliseconds=50)]
    for service in services[1:]:
        out = otlp.span(spans[-1]["service"], "GET", otlp.CLIENT, spans[-1], error=error)
        spans += [out, otlp.span(service, "GET", otlp.SERVER, out, error=error)]
    return spans


@pytest.fixture
def shop(gateway):
    """frontend → checkout → payment twice, frontend → checkout with an error once."""
    for _ in range(2):
        otlp.send(gateway, chain("frontend", "checkout", "payment"))
    otlp.send(gateway, chain("frontend", "checkout", error=True))
    gateway.flush()
    return gateway


def test_what_changed_between_two_ranges(gateway):
    """Before: a → b and a → old. Then: twice as many a → b, and a → new."""
    end = otlp.now() // MINUTE * MINUTE - 10 * MINUTE
    before, after = end - 10 * MINUTE, end - 5 * MINUTE
    for begin, calls in ((before, ["b", "b", "old"]), (after, ["b", "b", "b", "b", "new"])):
        for callee in calls:
            otlp.send(gateway, chain("a", callee, start=begin + MINUTE))
    gateway.flush()
    diff = ask(
        gateway,
        "/api/v1/graph/diff",
        start=after,
        end=end,
    )
    assert set(diff) == {
        "start",
        "end",
        "base_start",
        "base_end",
        "revision",
        "comparison",
        "min_change",
        "nodes",
        "edges",
        "calls",
        "coverage",
        "base_coverage",
    }
    assert (diff["comparison"], diff["min_change"]) == ("ranges", 0.1)
    assert diff["base_end"] == diff["start"]
    nodes, edges = diff["nodes"], diff["edges"]
    for part in (nodes, edges, diff["calls"]):
        assert set(part) == {"new", "vanished", "changed", "unchanged"}
    assert [each["id"] for each in nodes["new"]] == ["new"]
    assert [each["id"] for each in nodes["vanished"]] == ["old"]
    assert [each["id"] for each in nodes["changed"]] == ["a", "b"]
    assert nodes["unchanged"] == 0
    (new,) = nodes["new"]
    assert set(new) == {
        "id",
        "service",
        "namespace",
        "kind",
        "base",
        "current",
        "changes",
        "new_versions",
        "vanished_versions",
    }
    assert new["base"] is None and set(new["current"]) == NODE_FIGURES | {"request_rate"}
    b = nodes["changed"][1]
    assert (b["base"]["requests"], b["current"]["requests"]) == (2, 4)
    assert b["base"]["request_rate"] == pytest.approx(2 / 300)
    assert b["changes"] == [
        {
            "metric": "request_rate",
            "base": pytest.approx(2 / 300),
            "current": pytest.approx(4 / 300),
            "change": 1,
            "interval": [pytest.approx(0, abs=0.1), pytest.approx(0, abs=0.1)],
            "significant": False,
        }
    ]
    low, high = b["changes"][0]["interval"]
    assert low < 0 < 2 / 300 < high
    assert [each["callee"] for each in diff["calls"]["new"]] == ["new"]
    (call,) = diff["calls"]["vanished"]
    assert (call["service"], call["callee"], call["current"]) == ("a", "old", None)
    assert call["base"]["probability"] == pytest.approx(1 / 3)
    (edge,) = edges["changed"]
    assert set(edge) == {"client", "server", "connection_type", "base", "current", "changes"}
    assert set(edge["current"]) == EDGE_FIGURES | {"request_rate", "error_rate"}
    assert (edge["client"], edge["server"]) == ("a", "b")
    tolerant = ask(gateway, "/api/v1/graph/diff", start=after, end=end, min_change=1.5)
    assert tolerant["edges"]["changed"] == [] and tolerant["edges"]["unchanged"] == 1
    around = ask(gateway, "/api/v1/graph/diff", start=after, end=end, service="old")
    assert [each["server"] for each in around["edges"]["vanished"]] == ["old"]
    # A base twice as long has the same calls at half the rate.
    longer = ask(gateway, "/api/v1/graph/diff", start=after, end=end, base_start=before - 5 * MINUTE)
    assert longer["nodes"]["vanished"][0]["base"]["request_rate"] == pytest.approx(1 / 600)


def test_what_changed_between_two_versions(gateway):
    for version, failures in (("v1", 0), ("v2", 2)):
        for number in range(4):
            document = otlp.request([otlp.span("a", "GET", otlp.SERVER, error=number < failures)])
            resource = document["resourceSpans"][0]["resource"]
            resource["attributes"].append(otlp.attribute("service.version", version))
            assert otlp.send_json(gateway, document)[0] == 200
    gateway.flush()
    parameters = {"service": "a", "version": "v2", "base_version": "v1"}
    diff = ask(gateway, "/api/v1/graph/diff", **parameters)
    assert diff["comparison"] == "versions"
    assert diff["not_compared"] == ["edges", "operations", "errors_absorbed"]
    node = diff["node"]
    assert (node["base"]["version"], node["current"]["version"]) == ("v1", "v2")
    assert (node["base"]["error_rate"], node["current"]["error_rate"]) == (0, 0.5)
    assert [change["metric"] for change in node["changes"]] == ["error_rate"]
    problem = ask(gateway, "/api/v1/graph/diff", 404, **parameters | {"version": "v3"})
    assert problem["type"] == "urn:spangate:problem:unknown-version"
    assert "Seen: v1, v2." in problem["detail"]


def test_where_the_time_goes(gateway):
    """Requests through two versions of checkout; one fails and fails the request before it."""
    for version in ("v1", "v1", "v2"):
        failed = version == "v2"
        spans = chain("frontend", "checkout", "payment")
        spans[0]["error"] = spans[2]["error"] = failed
        document = otlp.request(spans)
        for group in document["resourceSpans"]:
            if group["resource"]["attributes"][0]["value"]["stringValue"] == "checkout":
                group["resource"]["attributes"].append(otlp.attribute("service.version", version))
        assert otlp.send_json(gateway, document)[0] == 200
    gateway.flush()
    answer = ask(gateway, "/api/v1/critical-path", service="frontend")
    assert (answer["entry"], answer["traces"], answer["error_traces"]) == ("frontend GET /", 3, 1)
    assert sum(path["share"] for path in answer["paths"]) == pytest.approx(1)
    assert len(answer["paths"]) == 3, "versions are told apart only when they are asked about"
    assert sum(band["requests"] for band in answer["bands"]) == 3
    for number, band in enumerate(answer["bands"]):
        shares = sum(path["bands"][number]["share"] for path in answer["paths"])
        assert shares == pytest.approx(1 if band["requests"] else 0)
    (way,) = answer["error_paths"]
    assert way["path"] == ["frontend GET /", "checkout GET"]
    assert (way["origin"], way["error_traces"], way["share"]) == ("checkout GET", 1, 1)
    assert len(way["exemplars"]) == 1
    versions = {"versions_of": "checkout", "version": "v2", "base_version": "v1"}
    compared = ask(gateway, "/api/v1/critical-path", service="frontend", **versions)
    assert compared["comparison"] == "versions"
    assert (compared["base"]["traces"], compared["current"]["traces"]) == (2, 1)
    changes = sum(path["change_ms"] for path in compared["paths"])
    assert changes == pytest.approx(compared["change_ms"], abs=1e-6)
    unknown = ask(
        gateway, "/api/v1/critical-path", 404, service="frontend", **versions | {"version": "v3"}
    )
    assert "Seen: v1, v2." in unknown["detail"]
    now = otlp.now() // otlp.SECOND
    base = {"base_start": now - 7200, "base_end": now - 3600}
    before = ask(gateway, "/api/v1/critical-path", service="frontend", **base)
    assert all(path["base"] is None for path in before["paths"])
    view = ask(gateway, "/api/v1/services/-/checkout")
    (edge,) = view["downstream"]
    assert {"drag_ms", "slack_ms", "blocking_share"} <= set(edge)
    effect = ask(gateway, "/api/v1/what-if", service="payment", delta_ms=-5)
    assert [each["client"] for each in effect["calls"]] == ["checkout"]
    assert {each["service"] for each in effect["upstream"]} == {"checkout", "frontend"}
    assert all(each["change_ms"] <= 0 for each in effect["upstream"])
    failing = ask(gateway, "/api/v1/what-if", service="payment", error_rate=1)
    (rise,) = failing["errors"]
    assert set(rise) == {"entry", "requests", "error_rate", "increase", "supposed", "overflow"}
    assert rise["entry"] == "frontend GET /" and not rise["overflow"]


def test_paths(shop):
    otlp.send(shop, chain("frontend", "payment"))
    shop.flush()
    answer = ask(shop, "/api/v1/graph/paths", **{"from": "frontend", "to": "payment"})
    assert set(answer) == {
        "start",
        "end",
        "revision",
        "from",
        "to",
        "distance",
        "paths",
        "truncated",
        "truncated_by",
    }
    assert (answer["from"], answer["to"], answer["distance"]) == ("frontend", "payment", 1)
    assert (answer["truncated"], answer["truncated_by"]) == (False, None)
    short, long = answer["paths"]
    for path in (short, long):
        assert set(path) == {"length", "nodes", "edges", "min_request_rate"}
        assert path["length"] == len(path["edges"]) == len(path["nodes"]) - 1
        assert all(set(n) == {"id", "service", "namespace", "kind"} for n in path["nodes"])
        for edge in path["edges"]:
            assert set(edge) == {
                "client",
                "server",
                "connection_type",
                "requests",
                "failed",
                "request_rate",
            }
    assert [node["id"] for node in long["nodes"]] == ["frontend", "checkout", "payment"]
    rates = [edge["request_rate"] for edge in long["edges"]]
    assert long["min_request_rate"] == min(rates) == rates[1]
    cut = ask(shop, "/api/v1/graph/paths", **{"from": "frontend", "to": "payment", "limit": 1})
    assert (len(cut["paths"]), cut["truncated"], cut["truncated_by"]) == (1, True, "limit")
    unknown = ask(shop, "/api/v1/graph/paths", 404, **{"from": "frontend", "to": "paymint"})
    assert unknown["errors"][0]["field"] == "to" and "payment" in unknown["detail"]


def test_paths_in_a_dense_graph_are_bounded(gateway):
    """Twenty services that all call each other: more paths than anybody could list."""
    spans = []
    names = [f"s{number:02}" for number in range(20)]
    for caller in names:
        spans += [span for callee in names if callee != caller for span in chain(caller, callee)]
    otlp.send(gateway, spans, compressed=True)
    gateway.flush()
    answer = ask(
        gateway,
        "/api/v1/graph/paths",
        **{"from": "s00", "to": "s19", "limit": 1000, "depth": 64},
    )
    assert len(answer["paths"]) == 1000 and answer["truncated_by"] == "limit"
    lengths = [path["length"] for path in answer["paths"]]
    assert lengths == sorted(lengths) and lengths[:2] == [1, 2]


def test_node_graph_api_of_grafana(shop):
    assert ask(shop, "/api/health") == {"status": "ok"}
    fields = ask(shop, "/api/graph/fields")
    assert set(fields) == {"nodes_fields", "edges_fields"}
    names = {}
    for kind, listed in fields.items():
        names[kind] = {field["field_name"] for field in listed}
        for field in listed:
            assert set(field) <= {"field_name", "type", "color", "displayName"}
            assert field["type"] in ("string", "number")
    assert names["nodes_fields"] >= {
        "id",
        "title",
        "subTitle",
        "mainStat",
        "secondaryStat",
        "arc__success",
        "arc__failed",
    }
    assert names["edges_fields"] >= {"id", "source", "target", "mainStat", "secondaryStat"}
    types = {
        field["field_name"]: {"string": str, "number": (int, float)}[field["type"]]
        for listed in fields.values()
        for field in listed
    }
    data = ask(shop, "/api/graph/data", query="text", service="checkout", unknown="1", depth=1)
    assert set(data) == {"nodes", "edges"}
    for each, expected in ((data["nodes"], "nodes_fields"), (data["edges"], "edges_fields")):
        for item in each:
            assert set(item) == names[expected]
            assert all(isinstance(value, types[name]) for name, value in item.items()), item
    nodes = {node["id"]: node for node in data["nodes"]}
    assert set(nodes) == {"frontend", "checkout", "payment"}
    assert nodes["checkout"]["arc__failed"] == pytest.approx(1 / 3)
    assert nodes["checkout"]["arc__success"] == pytest.approx(2 / 3)
    assert {(e["source"], e["target"]) for e in data["edges"]} == {
        ("frontend", "checkout"),
        ("checkout", "payment"),
    }
    milliseconds = otlp.now() // otlp.MILLISECOND
    past = ask(shop, "/api/graph/data", **{"from": milliseconds - 7200000, "to": milliseconds - 3600000})
    assert past == {"nodes": [], "edges": []}


def test_dependencies_of_jaeger(shop):
    otlp.send(shop, [*chain("frontend", "checkout")])
    shop.flush()
    answer = ask(shop, "/api/dependencies", unknown="1")
    assert answer == {
        "data": [
            {"parent": "checkout", "child": "payment", "callCount": 2},
            {"parent": "frontend", "child": "checkout", "callCount": 4},
        ],
        "total": 0,
        "limit": 0,
        "offset": 0,
        "errors": None,
    }
    now = otlp.now() // otlp.MILLISECOND
    assert ask(shop, "/api/dependencies", endTs=now + 60000, lookback=3600000) == answer
    assert ask(shop, "/api/dependencies", endTs=now - 3600000)["data"] == []
    some = ask(shop, "/api/dependencies", service="payment")
    assert [link["parent"] for link in some["data"]] == ["checkout"]
    deep = ask(shop, "/api/deep-dependencies", service="checkout")
    assert set(deep) == {"dependencies"}
    assert [[step["service"] for step in each["path"]] for each in deep["dependencies"]] == [
        ["frontend", "checkout", "payment"],
    ]
    assert all(step["operation"] for each in deep["dependencies"] for step in each["path"])
    for each in deep["dependencies"]:
        assert set(each) == {"path", "attributes"}
        assert all(set(step) == {"service", "operation"} for step in each["path"])
        assert each["attributes"]
        for attribute in each["attributes"]:
            assert set(attribute) == {"key", "value"}
            assert attribute["key"] == "exemplar_trace_id"
            assert re.fullmatch("[0-9a-f]{32}", attribute["value"])


def test_dependencies_of_zipkin(shop):
    assert ask(shop, "/api/v2/dependencies", endTs=otlp.now() // otlp.MILLISECOND + 60000) == [
        {"parent": "checkout", "child": "payment", "callCount": 2},
        {"parent": "frontend", "child": "checkout", "callCount": 3, "errorCount": 1},
    ]
    refused = ask(shop, "/api/v2/dependencies", 400, endTs="now")
    assert refused["errors"][0]["field"] == "endTs"


def test_ledger_of_errors(shop):
    """payment fails twice more: once checkout fails too, once it does not."""
    for absorbed in (False, True):
        root = otlp.span("checkout", "GET /", otlp.SERVER, error=not absorbed)
        out = otlp.span("checkout", "GET", otlp.CLIENT, root, error=True)
        otlp.send(shop, [root, out, otlp.span("payment", "GET", otlp.SERVER, out, error=True)])
    graph = shop.graph()
    nodes = {node["id"]: node for node in graph["nodes"]}
    for node in nodes.values():
        assert node["error_origins"] + node["errors_passed_through"] == node["errors"]
        outgoing = [edge for edge in graph["edges"] if edge["client"] == node["id"]]
        absorbed = sum(edge["error_propagation"]["absorbed"] for edge in outgoing)
        assert node["errors_absorbed"] == absorbed
    checkout = nodes["checkout"]
    # One of its errors began here, in the trace of the fixture; one came from payment.
    assert (checkout["error_origins"], checkout["errors_passed_through"]) == (1, 1)
    assert checkout["errors_absorbed"] == 1
    assert (nodes["payment"]["error_origins"], nodes["payment"]["errors"]) == (2, 2)


def test_blast_radius(shop):
    """frontend was asked three times and called checkout each time; payment was called twice."""
    answer = ask(shop, "/api/v1/services/-/payment")
    radius = answer["blast_radius"]
    assert set(radius) == {"entry_points", "truncated"} and radius["truncated"] is False
    (entry,) = radius["entry_points"]
    assert entry == {
        "id": "frontend",
        "service": "frontend",
        "namespace": "",
        "kind": "service",
        "distance": 2,
        "requests": 3,
        "request_rate": entry["request_rate"],
        "share_at_most": pytest.approx(2 / 3),
    }
    start, end = (datetime.fromisoformat(answer[edge]) for edge in ("start", "end"))
    assert entry["request_rate"] == pytest.approx(3 / (end - start).total_seconds())


def test_graphviz_draws_the_graph(shop):
    otlp.send(shop, chain(STRANGE, "checkout"))
    shop.flush()
    status, text = shop.get("/api/v1/graph", format="dot")
    assert status == 200
    drawn = subprocess.run(
        ["dot", "-Tsvg"], input=text, capture_output=True, text=True, timeout=60, check=True
    )
    assert drawn.stderr == ""
    image = ElementTree.fromstring(drawn.stdout)
    space = "{http://www.w3.org/2000/svg}"
    assert "frontend->checkout" in {title.text for title in image.iter(f"{space}title")}
    labels = {text.text for text in image.iter(f"{space}text")}
    assert {"frontend", "checkout", "payment", STRANGE} <= labels, labels


def test_promtool_finds_nothing_to_complain_about(shop):
    promtool = shutil.which("promtool", path=f"{ROOT}/.venv/bin:/usr/bin")
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=shop.metrics(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_every_answer_is_as_it_is_described(shop):
    """Questions made from the OpenAPI document, sensible and not: no failure inside, and every
    answer in the type and the shape the document promises."""
    document = ask(shop, "/api/v1/openapi.json")
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=shop.query)
    checks = [not_a_server_error, response_schema_conformance, content_type_conformance]
    asked = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.method.upper() != "GET" and operation.path != "/api/v1/markers":
            continue
        asked.add((operation.method.upper(), operation.path))
        examine(operation, checks)
    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert asked == {
        each for each in described if each[0] == "GET" or each == ("POST", "/api/v1/markers")
    }


# What the fixture's graph can answer, so that not every question ends in a refusal.
SENSIBLE = {
    "service": "checkout",
    "query": "checkout",
    "namespace": "-",
    "environment": "-",
    "cluster": None,
    "dimension": None,
    "name": "checkout",
    "from": "frontend",
    "to": "payment",
    "base_version": None,
    "version": None,
    "marker": None,
}
TIMES = {"start", "end", "base_start", "base_end", "from", "to", "endTs", "lookback", "deadline"}


def examine(operation, checks):
    """Twenty questions each: as described, wrong on purpose, and about what there is."""

    def as_it_comes(case):
        case.call_and_validate(checks=checks, timeout=30)

    def about_what_there_is(case):
        case.query = sensible(case.query, without_times=case.path != PATHS)
        case.path_parameters = sensible(case.path_parameters, without_times=False)
        answer = case.call_and_validate(checks=checks, timeout=30)
        if case.path in ANSWERED:
            assert answer.status_code == 200, (case.query, answer.text)

    repeat(operation, GenerationMode.POSITIVE, as_it_comes)
    repeat(operation, GenerationMode.POSITIVE, about_what_there_is)
    # There is no wrong question to an operation that takes nothing.
    with contextlib.nullcontext() if operation.query else contextlib.suppress(Unsatisfiable):
        repeat(operation, GenerationMode.NEGATIVE, as_it_comes)


def repeat(operation, mode, question):
    """The same twenty every time."""

    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=20,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case):
        question(case)

    run()


PATHS = "/api/v1/graph/paths"
ANSWERED = {
    PATHS,
    "/api/dependencies",
    "/api/deep-dependencies",
    "/api/graph/data",
    "/api/graph/fields",
    "/api/health",
    "/api/v1/health",
    "/api/v1/root-causes",
    "/api/v1/shifts",
    "/api/v1/services",
    "/api/v1/services/{namespace}/{name}",
    "/api/v2/dependencies",
}


def sensible(values, without_times):
    """The same parameters with values that mean something; times are left to their defaults."""
    dropped = TIMES if without_times else TIMES - {"from", "to"}
    return {
        name: SENSIBLE.get(name, value)
        for name, value in (values or {}).items()
        if name not in dropped and SENSIBLE.get(name, value) is not None
    }
