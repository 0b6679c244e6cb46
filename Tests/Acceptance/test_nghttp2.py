"""HTTP/2 as nghttp2's own clients speak it: a sender that is neither grpcio nor curl."""

import json
import re
import subprocess

import pytest
from support import otlp
from support.frames import EXPORT, message
from support.gateway import edges

REQUESTS = 200
SERVICES = "opentelemetry.proto.collector"


def grpc_options(path):
    return ["--data", path, "-H", "content-type: application/grpc", "-H", "te: trailers"]


def run(command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def received(transcript):
    """Header and trailer fields of the answer, in the order they came."""
    return re.findall(r"recv \(stream_id=\d+\) (:?[^:]+): (.*)", transcript)


def sample(metrics, series):
    return next(float(line.split()[-1]) for line in metrics.splitlines() if line.startswith(series))


def test_h2load_over_grpc_is_counted_once(gateway, tmp_path):
    """Every request carries the same three spans: one call, and copies of it."""
    body = otlp.to_protobuf(otlp.request(otlp.call("frontend", "checkout"))).SerializeToString()
    path = tmp_path / "request"
    path.write_bytes(message(body))
    load = ["h2load", "--requests", str(REQUESTS), "--clients", "4", "--max-concurrent-streams=10"]

    said = run([*load, *grpc_options(path), f"http://127.0.0.1:{gateway.grpc_port}{EXPORT}"])

    assert f"{REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout" in said, said
    assert f"status codes: {REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx" in said, said
    graph = gateway.graph()
    assert edges(graph) == {("frontend", "checkout"): (1, 0)}
    assert graph["coverage"]["spans"] == 3
    assert graph["coverage"]["duplicates"] == 3 * (REQUESTS - 1)
    # h2load does not look at grpc-status, but the gateway counts what it took.
    metrics = gateway.metrics()
    assert sample(metrics, 'spangate_spans_accepted_total{transport="grpc"}') == 3 * REQUESTS
    assert sample(metrics, 'spangate_requests_bad_total{transport="grpc"}') == 0


@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_nghttp_over_http(gateway, tmp_path, form):
    document = otlp.request(otlp.call("frontend", "checkout"))
    path = tmp_path / "request"
    if form == "json":
        content_type, expected = "application/json", "{}"
        path.write_text(json.dumps(document))
    else:
        content_type, expected = "application/x-protobuf", ""
        path.write_bytes(otlp.to_protobuf(document).SerializeToString())
    command = ["nghttp", "--data", path, "-H", f"content-type: {content_type}"]

    answer = run([*command, f"{gateway.http}/v1/traces"])
    again = run([*command, "--verbose", "--null-out", f"{gateway.http}/v1/traces"])

    assert answer == expected
    fields = received(again)
    assert fields[0] == (":status", "200") and ("content-type", content_type) in fields, again
    assert "GOAWAY" not in again.replace("send GOAWAY", ""), again
    graph = gateway.graph()
    assert edges(graph) == {("frontend", "checkout"): (1, 0)}
    assert graph["coverage"]["duplicates"] == 3


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (EXPORT, "0", None),
        (f"/{SERVICES}.metrics.v1.MetricsService/Export", "12", "MetricsService"),
        (f"/{SERVICES}.logs.v1.LogsService/Export", "0", None),
    ],
    ids=["traces", "metrics", "logs"],
)
def test_nghttp_over_grpc(gateway, tmp_path, path, status, said):
    request = tmp_path / "request"
    request.write_bytes(message(b""))
    url = f"http://127.0.0.1:{gateway.grpc_port}{path}"
    fields = received(run(["nghttp", "--verbose", "--null-out", *grpc_options(request), url]))
    assert fields[0] == (":status", "200")
    assert ("content-type", "application/grpc") in fields
    assert [value for name, value in fields if name == "grpc-status"] == [status]
    assert (said or "") in dict(fields).get("grpc-message", "")
    assert ("grpc-message" in dict(fields)) == (said is not None)
