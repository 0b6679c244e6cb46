"""OTLP over gRPC as grpcio sees it, and frame by frame where grpcio would not go wrong."""

import gzip

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1 import (
    metrics_service_pb2,
    metrics_service_pb2_grpc,
)
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from support import otlp
from support.frames import Connection, message
from support.gateway import edges

SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3
TRACE_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
MEBIBYTE = 1 << 20
CANCEL = 8  # HTTP/2 error code


@pytest.fixture
def channel(gateway):
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(f"127.0.0.1:{gateway.grpc_port}", options) as channel:
        yield channel


def export(channel):
    return trace_service_pb2_grpc.TraceServiceStub(channel).Export


def good_request():
    return otlp.to_protobuf(otlp.request(otlp.call("frontend", "checkout")))


def refused(call):
    with pytest.raises(grpc.RpcError) as refusal:
        call()
    return refusal.value


@pytest.mark.parametrize(
    "compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip], ids=["plain", "gzip"]
)
def test_export(gateway, channel, compression):
    response = export(channel)(good_request(), timeout=30, compression=compression)
    assert response == trace_service_pb2.ExportTraceServiceResponse()
    assert not response.HasField("partial_success")
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


def test_partial_success(gateway, channel):
    request = good_request()
    request.resource_spans[0].scope_spans[0].spans.add(
        trace_id=b"short", span_id=bytes(8), start_time_unix_nano=1, end_time_unix_nano=2
    )
    response = export(channel)(request, timeout=30)
    assert response.partial_success.rejected_spans == 1
    assert response.partial_success.error_message.startswith(
        "1 span rejected: 1 has a trace id that is not 16 non-zero bytes"
    )
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


@pytest.mark.parametrize("service", ["", TRACE_SERVICE])
def test_health_check(channel, service):
    health = health_pb2_grpc.HealthStub(channel)
    answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=30)
    assert answer.status == SERVING


def test_health_check_of_an_unknown_service(channel):
    health = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service="nobody")
    refusal = refused(lambda: health.Check(request, timeout=30))
    assert refusal.code() == grpc.StatusCode.NOT_FOUND
    assert refusal.details() == "unknown service nobody"


def test_health_watch_tells_of_the_end(gateway, channel):
    health = health_pb2_grpc.HealthStub(channel)
    watched = health.Watch(health_pb2.HealthCheckRequest(service=TRACE_SERVICE), timeout=60)
    unknown = health.Watch(health_pb2.HealthCheckRequest(service="nobody"), timeout=60)
    assert next(watched).status == SERVING
    assert next(unknown).status == SERVICE_UNKNOWN
    unknown.cancel()
    gateway.process.terminate()
    assert next(watched).status == NOT_SERVING
    watched.cancel()
    gateway.ended()
    assert gateway.process.returncode == 0, gateway.said()


def test_logs_that_are_no_access_logs_are_taken(gateway, channel):
    """A Collector that sends all the logs it has does nothing wrong."""
    request = logs_service_pb2.ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = "started"
    answer = logs_service_pb2_grpc.LogsServiceStub(channel).Export(request, timeout=30)
    assert answer == logs_service_pb2.ExportLogsServiceResponse()
    ignored = 'spangate_log_records_ignored_total{reason="text_body",transport="grpc"} 1'
    assert ignored in gateway.metrics()


def test_another_method_is_unimplemented(channel):
    refusal = refused(lambda: channel.unary_unary(f"/{TRACE_SERVICE}/Import")(b"", timeout=30))
    assert refusal.code() == grpc.StatusCode.UNIMPLEMENTED
    assert refusal.details() == f"unknown method Import for service {TRACE_SERVICE}"


def test_other_signals_are_unimplemented(gateway, channel):
    stub = metrics_service_pb2_grpc.MetricsServiceStub(channel)
    request = metrics_service_pb2.ExportMetricsServiceRequest()
    refusal = refused(lambda: stub.Export(request, timeout=30))
    service = "opentelemetry.proto.collector.metrics.v1.MetricsService"
    assert refusal.code() == grpc.StatusCode.UNIMPLEMENTED
    assert refusal.details() == f"unknown service {service}; this gateway takes traces and logs"
    # The same connection goes on taking traces.
    export(channel)(good_request(), timeout=30)
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


def test_malformed_protobuf_is_invalid_argument_with_details(gateway, channel):
    call = channel.unary_unary(f"/{TRACE_SERVICE}/Export")
    refusal = refused(lambda: call(b"\x0a\xff", timeout=30))
    assert refusal.code() == grpc.StatusCode.INVALID_ARGUMENT
    status = rpc_status.from_call(refusal)
    assert status is not None and status.message == refusal.details()
    details = [
        detail for detail in status.details if detail.Is(error_details_pb2.BadRequest.DESCRIPTOR)
    ]
    violation = error_details_pb2.BadRequest.FieldViolation(
        field="body", description=status.message
    )
    expected = error_details_pb2.BadRequest(field_violations=[violation])
    (detail,) = details
    assert error_details_pb2.BadRequest.FromString(detail.value) == expected
    export(channel)(good_request(), timeout=30)
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


@pytest.mark.parametrize(
    "compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip], ids=["plain", "gzip"]
)
def test_oversized_message_is_final(gateway, channel, compression):
    call = channel.unary_unary(f"/{TRACE_SERVICE}/Export")
    body = bytes(64 * MEBIBYTE + 1)
    refusal = refused(lambda: call(body, timeout=60, compression=compression))
    assert refusal.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "67108864" in refusal.details() and "send smaller batches" in refusal.details()
    status = rpc_status.from_call(refusal)
    details = status.details if status else []
    assert not [each for each in details if each.Is(error_details_pb2.RetryInfo.DESCRIPTOR)]
    export(channel)(good_request(), timeout=30)
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


def test_announced_length_over_the_limit_is_refused_before_the_body(gateway):
    with Connection(gateway.grpc_port) as connection:
        answer = connection.call(b"\x00\x7f\xff\xff\xff", end=False)
    assert answer.grpc_status == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert answer.grpc_message.startswith("the message of 2147483647 bytes is larger than 67108864")


@pytest.mark.parametrize(
    "body", [b"not gzip", gzip.compress(bytes(1000))[:-10]], ids=["garbage", "cut"]
)
def test_bad_gzip(unharmed, body):
    with Connection(unharmed.grpc_port) as connection:
        answer = connection.call(message(body, flag=1), grpc_encoding="gzip")
        assert answer.http_status == 200
        assert answer.grpc_status == grpc.StatusCode.INVALID_ARGUMENT.value[0]
        assert "gzip" in answer.grpc_message
        again = connection.call(message(b""))
        assert again.grpc_status == 0


def test_compressed_without_saying_how(gateway):
    with Connection(gateway.grpc_port) as connection:
        answer = connection.call(message(gzip.compress(b""), flag=1))
    assert answer.grpc_status == grpc.StatusCode.INTERNAL.value[0]


def test_unknown_compression(gateway):
    with Connection(gateway.grpc_port) as connection:
        answer = connection.call(message(b"", flag=1), grpc_encoding="br")
    assert answer.grpc_status == grpc.StatusCode.UNIMPLEMENTED.value[0]
    offered = (answer.headers | answer.trailers)["grpc-accept-encoding"]
    assert {each.strip() for each in offered.split(",")} == {"identity", "gzip"}


def test_wrong_content_type(gateway):
    with Connection(gateway.grpc_port) as connection:
        answer = connection.call(message(b""), content_type="text/plain")
    assert answer.http_status == 415
    assert answer.grpc_status == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert b"send application/grpc" in answer.body


def test_without_te_trailers(gateway):
    with Connection(gateway.grpc_port) as connection:
        assert connection.call(message(b""), te=None).grpc_status == 0


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param(b"", "received no request message", id="none"),
        pytest.param(message(b"") * 2, "multiple request messages", id="two"),
        pytest.param(message(b"xyz")[:-1], "the request message is truncated", id="cut"),
    ],
)
def test_anything_but_one_whole_message(unharmed, body, fault):
    with Connection(unharmed.grpc_port) as connection:
        answer = connection.call(body)
    assert answer.grpc_status == grpc.StatusCode.INTERNAL.value[0]
    assert answer.grpc_message == fault


def test_deadline(gateway):
    with Connection(gateway.grpc_port) as connection:
        answer = connection.call(message(b"")[:3], end=False, grpc_timeout="200m", seconds=20)
        assert answer.ended and answer.reset == CANCEL
        assert answer.grpc_status == grpc.StatusCode.DEADLINE_EXCEEDED.value[0]
        assert connection.call(message(b"")).grpc_status == 0


def test_malformed_deadline(gateway):
    with Connection(gateway.grpc_port) as connection:
        answer = connection.call(message(b""), grpc_timeout="soon")
    assert answer.grpc_status == grpc.StatusCode.INTERNAL.value[0]
    assert answer.grpc_message == "malformed grpc-timeout: soon"
