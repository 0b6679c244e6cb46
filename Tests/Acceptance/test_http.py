"""OTLP over HTTP as curl sees it: what is taken, what is refused, and in which words."""

import gzip
import json
import subprocess

import pytest
from google.rpc import status_pb2
from support import otlp
from support.gateway import edges

INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED = 3, 8, 12
MEBIBYTE = 1 << 20


def curl(url, *options, body=None):
    """Returns (status, headers in lower case, body) of one request."""
    command = ["curl", "--silent", "--show-error", "--max-time", "60", "--dump-header", "-"]
    if body is not None:
        command += ["--data-binary", "@-"]
    answer = subprocess.run([*command, *options, url], input=body, capture_output=True, check=True)
    *_, head, rest = split_heads(answer.stdout)
    status, *lines = head.split("\r\n")
    headers = {key.lower(): value for key, _, value in (line.partition(": ") for line in lines)}
    return int(status.split()[1]), headers, rest


def split_heads(output):
    """The response heads (100 Continue may come first) and the body."""
    parts = []
    while output.startswith(b"HTTP/"):
        head, _, output = output.partition(b"\r\n\r\n")
        parts.append(head.decode())
    return [*parts, output]


def post_json(gateway, document, *options):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return curl(
        f"{gateway.http}/v1/traces", "-H", "content-type: application/json", *options, body=body
    )


@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_json_is_taken(gateway, version):
    document = otlp.request(otlp.call("frontend", "checkout"))
    status, headers, body = post_json(gateway, document, version)
    assert (status, body) == (200, b"{}")
    assert headers["content-type"] == "application/json"
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


def test_content_type_may_have_parameters(gateway):
    status, _, body = curl(
        f"{gateway.http}/v1/traces",
        "-H",
        "content-type: application/json; charset=utf-8",
        body=b"{}",
    )
    assert (status, body) == (200, b"{}")


def test_protobuf_success_has_no_body(gateway):
    body = otlp.to_protobuf(otlp.request(otlp.call("frontend", "checkout"))).SerializeToString()
    status, headers, answer = curl(
        f"{gateway.http}/v1/traces", "-H", "content-type: application/x-protobuf", body=body
    )
    assert (status, answer) == (200, b"")
    assert headers["content-type"] == "application/x-protobuf"


def test_chunked_body(gateway):
    document = otlp.request(otlp.call("frontend", "checkout"))
    status, _, body = post_json(gateway, document, "-H", "transfer-encoding: chunked")
    assert (status, body) == (200, b"{}")
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


def test_partial_success_names_reason_and_count(gateway):
    good = otlp.call("frontend", "checkout")
    bad = otlp.span("frontend", "bad", otlp.SERVER)
    bad["trace"] = "00" * 16
    status, _, body = post_json(gateway, otlp.request([*good, bad]))
    assert status == 200
    partial = json.loads(body)["partialSuccess"]
    assert partial["rejectedSpans"] == "1"
    assert partial["errorMessage"].startswith("1 span rejected: 1 has a trace id that is not 16")
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


def test_unknown_top_level_key_is_a_warning(gateway):
    status, _, body = post_json(gateway, {"resource_spans": []})
    assert status == 200
    partial = json.loads(body)["partialSuccess"]
    assert int(partial["rejectedSpans"]) == 0
    assert partial["errorMessage"].startswith("unknown top-level key resource_spans: ")


@pytest.mark.parametrize(
    "body",
    [
        b'{"resourceSpans": [',
        b"[]",
        b"not json",
        b'{"resourceSpans": 7}',
        b'{"resourceSpans": [{}]} x',
    ],
    ids=["cut", "array", "text", "number", "trailing"],
)
def test_bad_json_is_400_with_a_status_body(unharmed, body):
    status, headers, answer = post_json(unharmed, body)
    assert status == 400, answer
    assert headers["content-type"] == "application/json"
    problem = json.loads(answer)
    assert problem["code"] == INVALID_ARGUMENT
    assert problem["message"].startswith("the body is not a JSON ExportTraceServiceRequest: ")
    assert "at byte " in problem["message"]
    (detail,) = problem["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/jsonx"])
def test_other_content_types_are_415(unharmed, content_type):
    status, _, answer = curl(
        f"{unharmed.http}/v1/traces", "-H", f"content-type:{content_type}", body=b"{}"
    )
    assert status == 415
    problem = json.loads(answer)
    assert problem["code"] == INVALID_ARGUMENT
    assert problem["message"].endswith("send application/x-protobuf or application/json")


def test_unknown_content_encoding_is_415(unharmed):
    status, headers, _ = post_json(unharmed, {}, "-H", "content-encoding: br")
    assert status == 415
    assert headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_405(unharmed, method):
    status, headers, answer = curl(f"{unharmed.http}/v1/traces", "-X", method)
    assert status == 405
    assert headers["allow"] == "POST"
    expected = {"code": UNIMPLEMENTED, "message": f"/v1/traces takes POST, not {method}"}
    assert json.loads(answer) == expected


@pytest.mark.parametrize("form", ["json", "protobuf"])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/v1/metrics", "/v1/metrics is not served: this gateway takes traces and access logs"),
        ("/nowhere", "nothing is served at /nowhere; post traces to /v1/traces, logs to /v1/logs"),
    ],
    ids=["metrics", "nowhere"],
)
def test_other_paths_are_404(unharmed, path, said, form):
    content_type = "application/json" if form == "json" else "application/x-protobuf"
    status, headers, answer = curl(
        unharmed.http + path, "-H", f"content-type: {content_type}", body=b"{}"
    )
    assert status == 404
    assert headers["content-type"] == content_type
    if form == "json":
        problem = json.loads(answer)
        code, message = problem["code"], problem["message"]
    else:
        problem = status_pb2.Status.FromString(answer)
        code, message = problem.code, problem.message
    assert code == UNIMPLEMENTED and message.startswith(said)


def test_too_large_a_body_is_413(unharmed):
    document = b" " * (64 * MEBIBYTE)
    status, _, answer = post_json(unharmed, document)
    assert status == 400, answer  # just small enough, and no JSON
    status, _, answer = post_json(unharmed, document + b" ")
    assert status == 413, answer
    problem = json.loads(answer)
    assert problem["code"] == RESOURCE_EXHAUSTED
    assert problem["message"].startswith("the body is larger than 67108864 bytes")


def test_too_large_after_gzip_is_413(unharmed):
    document = b" " * (64 * MEBIBYTE)
    compressed = ["-H", "content-encoding: gzip"]
    status, _, answer = post_json(unharmed, gzip.compress(document, 1), *compressed)
    assert status == 400, answer  # just small enough, and no JSON
    status, _, answer = post_json(unharmed, gzip.compress(document + b" ", 1), *compressed)
    assert status == 413, answer
    problem = json.loads(answer)
    assert problem["code"] == RESOURCE_EXHAUSTED
    assert problem["message"].startswith("the body is larger than 67108864 bytes after")


def test_protobuf_errors_are_protobuf(unharmed):
    status, headers, answer = curl(
        f"{unharmed.http}/v1/traces", "-H", "content-type: application/x-protobuf", body=b"\x0a\xff"
    )
    assert status == 400
    assert headers["content-type"] == "application/x-protobuf"
    problem = status_pb2.Status.FromString(answer)
    assert problem.code == INVALID_ARGUMENT
    assert problem.message.startswith("the body is not a protobuf ExportTraceServiceRequest: ")
