"""OTLP over HTTP as curl sees it: what is taken, what is refused, and in which words."""

import gzip
import json
import subprocess

import pytest
from support import otlp
from support.gateway import edges

INVALID_ARGUMENT, RESOURCE_EXHAUSTED = 3, 8
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
    assert int(partial["rejectedSpans"]) == 1
    assert "trace" in partial["errorMessage"].lower()
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


def test_unknown_top_level_key_is_a_warning(gateway):
    status, _, body = post_json(gateway, {"resource_spans": []})
    assert status == 200
    partial = json.loads(body)["partialSuccess"]
    assert int(partial.get("rejectedSpans", 0)) == 0
    assert "resource_spans" in partial["errorMessage"]


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
    assert problem["message"]


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/jsonx"])
def test_other_content_types_are_415(unharmed, content_type):
    status, _, answer = curl(
        f"{unharmed.http}/v1/traces", "-H", f"content-type:{content_type}", body=b"{}"
    )
    assert status == 415
    assert b"application/json" in answer and b"application/x-protobuf" in answer


def test_unknown_content_encoding_is_415(unharmed):
    status, headers, _ = post_json(unharmed, {}, "-H", "content-encoding: br")
    assert status == 415
    assert "gzip" in headers["accept-encoding"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_405(unharmed, method):
    status, headers, _ = curl(f"{unharmed.http}/v1/traces", "-X", method)
    assert status == 405
    assert "POST" in headers["allow"]


@pytest.mark.parametrize("path", ["/v1/metrics", "/v1/logs", "/nowhere"])
def test_other_paths_are_404(unharmed, path):
    status, _, answer = curl(
        unharmed.http + path, "-H", "content-type: application/json", body=b"{}"
    )
    assert status == 404
    assert json.loads(answer)["message"]


def test_too_large_a_body_is_413(unharmed):
    document = b" " * (64 * MEBIBYTE + 1)
    status, _, answer = post_json(unharmed, document)
    assert status == 413, answer
    assert json.loads(answer)["code"] == RESOURCE_EXHAUSTED


def test_too_large_after_gzip_is_413(unharmed):
    document = gzip.compress(b" " * (64 * MEBIBYTE + 1), 1)
    status, _, answer = post_json(unharmed, document, "-H", "content-encoding: gzip")
    assert status == 413, answer
    assert json.loads(answer)["code"] == RESOURCE_EXHAUSTED


def test_protobuf_errors_are_protobuf(unharmed):
    status, headers, answer = curl(
        f"{unharmed.http}/v1/traces", "-H", "content-type: application/x-protobuf", body=b"\x0a\xff"
    )
    assert status == 400
    assert headers["content-type"] == "application/x-protobuf"
    assert answer[:2] == b"\x08\x03"  # google.rpc.Status, code: INVALID_ARGUMENT
