"""Rollouts as spans tell of them: an old version all the time, a new one in the second half."""

import secrets

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from support import otlp

OLD, NEW = "v41", "v42"
NAMESPACE = "shop"
WINDOW = 10 * otlp.SECOND
WINDOWS = 60
LATENCIES = [9, 10, 10, 11]  # milliseconds


def send_old(gateway, service, end, each=20):
    """Ten minutes of the old version, up to `end`."""
    windows = range(WINDOWS)
    send(gateway, service, OLD, [end - (1 + place) * WINDOW for place in windows], each, 0)


def send_new(gateway, service, end, each=20, failing=0.0):
    """The last five minutes of the new version: so many requests in ten seconds."""
    windows = range(WINDOWS // 2)
    send(gateway, service, NEW, [end - (1 + place) * WINDOW for place in windows], each, failing)


def send(gateway, service, version, windows, each, failing):
    """One trace of one span a request; of a hundred in a row so many fail as `failing` says."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in (
        ("service.name", service),
        ("service.namespace", NAMESPACE),
        ("service.version", version),
    ):
        group.resource.attributes.add(key=key).value.string_value = value
    spans = group.scope_spans.add().spans
    for number in range(len(windows) * each):
        start = windows[number // each] + number % each * WINDOW // each
        milliseconds = LATENCIES[number % len(LATENCIES)]
        span = spans.add(
            trace_id=secrets.token_bytes(16),
            span_id=secrets.token_bytes(8),
            name="GET /",
            kind=otlp.SERVER,
            start_time_unix_nano=start,
            end_time_unix_nano=start + milliseconds * otlp.MILLISECOND,
        )
        if number * 37 % 100 < failing * 100:
            span.status.code = otlp.ERROR
    status, _, answer = otlp.post(
        f"{gateway.http}/v1/traces",
        request.SerializeToString(),
        content_type="application/x-protobuf",
    )
    assert (status, answer) == (200, b""), (status, answer)
