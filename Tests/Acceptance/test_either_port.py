"""Each of the two OTLP ports takes both protocols: one exposed port is enough."""

import json
import subprocess

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from support import otlp
from support.gateway import edges

PORTS = ["grpc_port", "http_port"]
SERVING = 1


@pytest.mark.parametrize("port", PORTS)
def test_grpc(gateway, port):
    request = otlp.to_protobuf(otlp.request(otlp.call("frontend", "checkout")))
    with grpc.insecure_channel(f"127.0.0.1:{getattr(gateway, port)}") as channel:
        stub = trace_service_pb2_grpc.TraceServiceStub(channel)
        response = stub.Export(request, timeout=30)
        health = health_pb2_grpc.HealthStub(channel)
        answer = health.Check(health_pb2.HealthCheckRequest(), timeout=30)
    assert response == trace_service_pb2.ExportTraceServiceResponse()
    assert answer.status == SERVING
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
@pytest.mark.parametrize("port", PORTS)
def test_http(gateway, port, version):
    body = json.dumps(otlp.request(otlp.call("frontend", "checkout"))).encode()
    url = f"http://127.0.0.1:{getattr(gateway, port)}/v1/traces"
    command = ["curl", "--silent", "--fail", version, "--data-binary", "@-", url]
    command += ["-H", "content-type: application/json"]
    answer = subprocess.run(command, input=body, capture_output=True, timeout=60)
    assert (answer.returncode, answer.stdout) == (0, b"{}")
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


def test_all_at_once(gateway):
    """Both protocols on both ports, into one graph."""
    for number, port in enumerate(PORTS):
        address = f"127.0.0.1:{getattr(gateway, port)}"
        over_grpc = otlp.to_protobuf(otlp.request(otlp.call("over-grpc", f"port-{number}")))
        over_http = json.dumps(otlp.request(otlp.call("over-http", f"port-{number}"))).encode()
        with grpc.insecure_channel(address) as channel:
            trace_service_pb2_grpc.TraceServiceStub(channel).Export(over_grpc, timeout=30)
        status, _, answer = otlp.post(f"http://{address}/v1/traces", over_http)
        assert (status, answer) == (200, b"{}")
    assert edges(gateway.graph()) == {
        (caller, f"port-{number}"): (1, 0)
        for caller in ("over-grpc", "over-http")
        for number in range(len(PORTS))
    }
