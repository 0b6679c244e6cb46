"""What the gateway needs, and what it keeps to: memory, and the age of spans."""

import re
import secrets

import pytest
from support import otlp
from support.gateway import edges, nodes

MEBIBYTE = 1 << 20
IDLE_MEBIBYTES = 80
REQUESTS, SPANS = 40, 10_000


def test_memory_of_an_idle_gateway(gateway):
    """The most it ever held, after it answered one question of each kind."""
    gateway.graph()
    gateway.metrics()
    assert gateway.resident_mebibytes() <= IDLE_MEBIBYTES


def test_memory_limit_seals_early_and_loses_nothing(make_gateway):
    """400 000 traces of one span each: more than the limit holds open."""
    limit = 256
    gateway = make_gateway(limits__memory=f"{limit}MiB").start()
    for _ in range(REQUESTS):
        status, _, answer = otlp.post(
            f"{gateway.http}/v1/traces", flood(SPANS), content_type="application/x-protobuf"
        )
        assert (status, answer) == (200, b"")
    graph = gateway.graph()
    assert nodes(graph) == {"flood": (REQUESTS * SPANS, 0)}
    assert graph["coverage"]["traces"] == graph["coverage"]["spans"] == REQUESTS * SPANS
    assert gateway.resident_mebibytes() <= limit
    metrics = gateway.metrics()
    sealed = gauge(metrics, "spangate_traces_sealed_for_memory_total")
    assert sealed > 0 and sealed + gauge(metrics, "spangate_traces_held") == REQUESTS * SPANS
    assert 0 < gauge(metrics, "spangate_trace_bytes_held") <= limit / 4 * MEBIBYTE


@pytest.mark.parametrize(
    ("retention", "words"), [("1h", "1 hour"), ("2d", "2 days"), ("90m", "90 minutes")]
)
def test_retention_is_the_age_a_span_may_have(make_gateway, retention, words):
    seconds = {"1h": 3600, "2d": 2 * 86_400, "90m": 5400}[retention]
    gateway = make_gateway(store__retention=retention).start()
    too_old = otlp.call("too", "old", start=otlp.now() - (seconds + 60) * otlp.SECOND)
    young = otlp.call("just", "right", start=otlp.now() - (seconds - 60) * otlp.SECOND)
    assert otlp.send_json(gateway, otlp.request(young)) == (200, {})
    status, answer = otlp.send_json(gateway, otlp.request(too_old))
    assert status == 200
    assert answer["partialSuccess"] == {
        "rejectedSpans": "3",
        "errorMessage": f"3 spans rejected: 3 ended more than {words} ago "
        "(raise store.retention to replay history)",
    }
    graph = gateway.graph(start=otlp.now() - (seconds + 600) * otlp.SECOND, end=otlp.now())
    assert edges(graph) == {("just", "right"): (1, 0)}


def test_history_is_in_the_range_it_ended_in(gateway):
    """Three hours ago windows of ten seconds are kept no more: the range is widened to minutes."""
    three_hours_ago = otlp.now() - 3 * 3600 * otlp.SECOND
    otlp.send(gateway, otlp.call("frontend", "checkout", start=three_hours_ago))
    assert gateway.graph()["nodes"] == []
    graph = gateway.graph(start=three_hours_ago, end=three_hours_ago + otlp.SECOND)
    assert edges(graph) == {("frontend", "checkout"): (1, 0)}
    assert graph["start"].endswith(":00Z") and graph["end"].endswith(":00Z")
    assert graph["start"] < graph["end"]


def gauge(metrics, name):
    return float(re.search(rf"^{name} (\S+)$", metrics, re.MULTILINE)[1])


def flood(spans):
    """A request of root spans of one service, each in a trace of its own."""
    start = otlp.now()
    request = otlp.ExportTraceServiceRequest()
    group = request.resource_spans.add()
    name = group.resource.attributes.add(key="service.name")
    name.value.string_value = "flood"
    scope = group.scope_spans.add()
    for _ in range(spans):
        scope.spans.add(
            trace_id=secrets.token_bytes(16),
            span_id=secrets.token_bytes(8),
            name="GET /",
            kind=otlp.SERVER,
            start_time_unix_nano=start,
            end_time_unix_nano=start + otlp.MILLISECOND,
        )
    return request.SerializeToString()
