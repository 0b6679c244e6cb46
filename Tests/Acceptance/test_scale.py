"""A large system: the graph of an hour, memory, limits that are reached, and traces of any shape."""

import json
import statistics
import time

import pytest
from support import hour, otlp
from support.gateway import edges

MEBIBYTE = 1 << 20
LIMIT_MEBIBYTES = 1024
# The limit is on what is counted; the allocator holds some back on top of it.
RESIDENT_MEBIBYTES = LIMIT_MEBIBYTES * 5 // 4
SECONDS_OF_A_GRAPH = 0.3


@pytest.fixture
def past(make_gateway):
    """A gateway that takes history, and seals soon."""
    return make_gateway(
        store__retention="1d",
        limits__memory=f"{LIMIT_MEBIBYTES}MiB",
        traces__idle="100ms",
        traces__remember="100ms",
    ).start()


def send(gateway, bodies):
    for body in bodies:
        for _ in range(600):
            status, _, answer = otlp.post(
                f"{gateway.http}/v1/traces", body, content_type="application/x-protobuf"
            )
            if status != 503:
                break
            # Sealed sums wait for the store: as an exporter does, send it again.
            time.sleep(0.1)
        assert (status, answer) == (200, b""), (status, answer)


@pytest.mark.timeout(900)
def test_graph_of_an_hour_of_a_thousand_services(past):
    """1 000 services, 10 000 edges, 20 000 operations over an hour.

    The answer is merged from tiles: of minutes at both ends, of ten minutes between. A tile has the
    same series however many of its minutes had calls, so of those between only every fifth is sent.
    """
    templates = hour.minute()
    now = otlp.now()
    # The worst that an hour can be cut: nine minutes and some before the first whole ten.
    end = now // (600 * otlp.SECOND) * 600 * otlp.SECOND + 595 * otlp.SECOND
    if end > now:
        end -= 600 * otlp.SECOND
    start = end - 3600 * otlp.SECOND
    minutes = [m for m in range(60) if m < 10 or m >= 50 or m % 5 == 0]
    for number in minutes:
        begin = start + number * 60 * otlp.SECOND + 5 * otlp.SECOND
        bodies = templates[number % 2]
        send(past, (hour.filled(each, number, begin, 5 + number) for each in bodies))
    # Sealing waits for the store, as far as there is no room for more sums.
    past.wait(lambda: metric(past, "spangate_traces_held") == 0, "seal all traces", 300)
    past.wait(lambda: metric(past, "spangate_series_waiting") == 0, "store all sums", 300)

    times = []
    for _ in range(10):
        began = time.monotonic()
        status, text = past.get("/api/v1/graph", start=start, end=end)
        times.append(time.monotonic() - began)
        assert status == 200, text
    graph = json.loads(text)
    median = statistics.median(times)
    print(f"graph of an hour: {min(times):.3f} s at best, {median:.3f} s half of the times")
    print(f"memory at most: {past.resident_mebibytes()} MiB of {LIMIT_MEBIBYTES}")
    assert len(graph["nodes"]) == hour.SERVICES and len(graph["edges"]) == hour.EDGES
    assert {edge["requests"] for edge in graph["edges"]} == {len(minutes)}
    # Each entry point has more ways than are told apart, which is said; nothing else overflows.
    assert set(graph["coverage"]["overflow"]) <= {"paths_per_entry_point"}
    assert graph["coverage"]["unpaired"] == {}
    status, text = past.get("/api/v1/services/-/service-0007", start=start, end=end)
    assert status == 200 and len(json.loads(text)["operations"]) == hour.OPERATIONS_OF_EACH
    assert median <= SECONDS_OF_A_GRAPH, times
    assert past.resident_mebibytes() <= RESIDENT_MEBIBYTES


def test_limits_that_are_reached_are_named(make_gateway):
    """The same system, where fewer services and operations are told apart."""
    gateway = make_gateway(limits__services="400", limits__operations_per_service="6").start()
    begin = otlp.now() - 60 * otlp.SECOND
    send(gateway, (hour.filled(each, 1, begin, 5) for each in hour.minute()[0]))
    orphan = otlp.span("service-0001", "GET /00", otlp.SERVER)
    otlp.send(gateway, [otlp.span("service-0002", "GET /00", otlp.SERVER, orphan)])
    graph = gateway.graph()
    services = {node["id"] for node in graph["nodes"]}
    assert len(services) == 401 and "__overflow__" in services
    spans = graph["coverage"]["spans"]
    assert spans == 2 * hour.EDGES + 1
    assert sum(node["requests"] for node in graph["nodes"]) <= spans
    overflow = graph["coverage"]["overflow"]
    assert set(overflow) == {"services", "operations_per_service"}, overflow
    # A span of a service that is not told apart has no operation of its own to be counted.
    assert overflow["services"] == spans * 600 // 1000
    assert graph["coverage"]["unpaired"] == {"parent_missing": 1}


@pytest.mark.parametrize("shape", ["chain", "fan"])
def test_large_traces(make_gateway, shape):
    """A chain 10 000 deep and a fan-out of 20 000: the graph, what the time went into, the trace."""
    gateway = make_gateway(traces__idle="100ms", traces__remember="100ms").start()
    count = 10_000 if shape == "chain" else 20_000
    start = otlp.now() - 20 * otlp.SECOND
    root = otlp.span("s0", "GET /", otlp.SERVER, start=start, milliseconds=10_000)
    spans = [root]
    for number in range(1, count):
        above = spans[-1] if shape == "chain" else root
        span = otlp.span(f"s{number % 100}", "GET /", otlp.SERVER, above, start=start + number)
        if shape == "fan" and number % 100 == 0:
            span["service"] = "s1"
        spans.append(span | {"milliseconds": 9_000})
    otlp.send(gateway, spans, compressed=True)
    graph = gateway.graph()
    assert graph["coverage"]["spans"] == count
    assert sum(requests for requests, _ in edges(graph).values()) == count - 1
    status, text = gateway.get("/api/v1/critical-path", service="s0")
    assert status == 200
    assert sum(path["share"] for path in json.loads(text)["paths"]) == pytest.approx(1)
    gateway.wait(lambda: metric(gateway, "spangate_traces_sealed_total") == 1, "seal the trace")
    for _ in range(2):
        status, text = gateway.get(f"/api/v1/traces/{root['trace']}", limit=100)
        trace = json.loads(text)
        assert status == 200 and (trace["span_count"], trace["truncated"]) == (count, True)
        assert len(trace["spans"]) == 100 and trace["complete"]
        gateway.wait(lambda: metric(gateway, "spangate_exemplar_traces") == 1, "keep the trace")


def test_a_way_through_gateway_queue_and_sidecar_is_one_path(gateway):
    """a → gateway → queue → sidecar of b → b."""
    start = otlp.now() - 5 * otlp.SECOND
    root = otlp.span("a", "GET /", otlp.SERVER, start=start, milliseconds=50)
    out = otlp.span("a", "POST /orders", otlp.CLIENT, root)
    entered = otlp.span("gateway", "POST /orders", otlp.SERVER, out)
    queue = {"messaging__system": "kafka", "messaging__destination__name": "orders"}
    sent = otlp.span("gateway", "orders publish", otlp.PRODUCER, entered, **queue)
    taken = otlp.span("b", "orders process", otlp.CONSUMER, sent, start=sent["start"], **queue)
    proxy = {"component": "proxy", "response_flags": "-"}
    inwards = {"upstream_cluster": "inbound|8080||"}
    sidecar = otlp.span("b", "ingress", otlp.CLIENT, taken, **proxy, **inwards)
    otlp.send(
        gateway,
        [root, out, entered, sent, taken, sidecar, otlp.span("b", "work", otlp.SERVER, sidecar)],
    )
    gateway.flush()
    status, text = gateway.get("/api/v1/graph/paths", **{"from": "a", "to": "b"})
    assert status == 200, text
    answer = json.loads(text)
    (path,) = answer["paths"]
    assert [node["id"] for node in path["nodes"]] == ["a", "gateway", "messaging:orders", "b"]
    assert all(edge["requests"] == 1 for edge in path["edges"])
    assert answer["distance"] == 3 and not answer["truncated"]


def metric(gateway, name):
    for line in gateway.metrics().splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[-1])
    return None
