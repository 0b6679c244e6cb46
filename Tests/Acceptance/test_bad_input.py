"""What should never have been sent: a clear answer, no crash, and good traffic goes on."""

import gzip
import json
import os
import random
import socket
import subprocess
from contextlib import contextmanager

import pytest
from support import otlp
from support.gateway import edges

MEBIBYTE = 1 << 20
HEAD_BYTES = 16 << 10
INVALID_ARGUMENT, RESOURCE_EXHAUSTED = 3, 8
FAILED = 70  # exit code
TOO_LARGE = "the body is larger than 67108864 bytes after decompression; send smaller batches"
PORTS = ["grpc_port", "http_port", "query_port"]


@pytest.mark.parametrize("port", PORTS)
def test_garbage_on_a_port(unharmed, port):
    for garbage in (bytes(1000), b"\x16\x03\x01" * 500):
        answer = raw_exchange(getattr(unharmed, port), garbage)
        assert answer.startswith(b"HTTP/1.1 400 "), answer
        if port != "query_port":
            assert b"this port speaks HTTP/1.1 and HTTP/2, and what arrived is neither" in answer
    # So much at once that the answer may be lost when the connection is closed.
    for garbage in (noise(100_000), b"\r\n" * 5000):
        answer = raw_exchange(getattr(unharmed, port), garbage)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 "), answer


@pytest.mark.parametrize("port", PORTS)
def test_http2_preface_and_then_garbage(unharmed, port):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    answer = raw_exchange(getattr(unharmed, port), preface + noise(500))
    if port == "query_port":
        assert answer.startswith(b"HTTP/1.1 400 ")
    else:
        assert answer.endswith(b"\x00\x00\x00\x01SETTINGS expected")  # GOAWAY, PROTOCOL_ERROR
    raw_exchange(getattr(unharmed, port), preface + noise(10_000))


def test_cut_body(unharmed):
    body = json.dumps(otlp.request(otlp.call("cut", "short"))).encode()
    head = (
        f"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    raw_exchange(unharmed.http_port, head.encode() + body[: len(body) // 2])
    assert ("cut", "short") not in edges(unharmed.graph())


def test_oversized_body_is_refused_by_its_announced_length(unharmed):
    head = (
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {1 << 40}\r\n\r\n"
    )
    answer = raw_exchange(unharmed.http_port, head.encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"the body is larger than 67108864 bytes" in answer


def test_oversized_head(unharmed):
    head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\nx-large: "
    answer = raw_exchange(unharmed.http_port, head + b"x" * HEAD_BYTES)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"the header fields take more than 16384 bytes" in answer
    # So much at once that the answer may be lost when the connection is closed.
    answer = raw_exchange(unharmed.http_port, head + b"x" * MEBIBYTE + b"\r\n\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        pytest.param(b"not gzip at all", "it is no deflate stream", id="garbage"),
        pytest.param(
            gzip.compress(b'{"resourceSpans":[]}' * 100)[:-6], "it ends in the middle", id="cut"
        ),
        pytest.param(gzip.compress(b"{}") + b"tail", "bytes follow the end", id="trailing"),
        pytest.param(gzip.compress(b"{}")[:-8] + bytes(8), "the checksum does not", id="checksum"),
    ],
)
def test_bad_gzip(unharmed, body, fault):
    status, problem = refuse(unharmed, body, encoding="gzip")
    assert (status, problem["code"]) == (400, INVALID_ARGUMENT)
    assert f"the body is not gzip as its encoding says: {fault}" in problem["message"]


def test_gzip_bomb(unharmed):
    bomb = gzip.compress(bytes(1024 * MEBIBYTE), 1)
    for _ in range(5):
        status, problem = refuse(unharmed, bomb, encoding="gzip")
        assert status == 413
        assert problem == {"code": RESOURCE_EXHAUSTED, "message": TOO_LARGE}
    assert unharmed.resident_mebibytes() < 384


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["arrays", "objects"])
def test_json_nested_without_end(unharmed, opening):
    status, problem = refuse(unharmed, b'{"resourceSpans":[{"x":' + opening * 200_000)
    assert (status, problem["code"]) == (400, INVALID_ARGUMENT)
    assert problem["message"].startswith("the body nests messages deeper than 64 levels")


def test_protobuf_nested_without_end(unharmed):
    """12 KB of arrays in arrays: enough to exhaust a stack that recurses."""
    value = b""
    for _ in range(3000):
        value = field(1, field(5, value))  # AnyValue in ArrayValue in AnyValue
    attribute = field(1, b"k") + field(2, value)
    body = field(1, field(1, field(1, attribute)))  # ResourceSpans, Resource, KeyValue
    status, _, answer = otlp.post(
        f"{unharmed.http}/v1/traces", body, content_type="application/x-protobuf"
    )
    # An attribute that nobody reads is passed over, whatever is in it.
    assert (status, answer) == (200, b"")
    assert unharmed.resident_mebibytes() < 128


def test_protobuf_of_very_many_empty_messages(unharmed):
    """2 MB that a plain decoder turns into 240 MB."""
    body = field(1, b"\x12\x00" * MEBIBYTE)
    status, _, answer = otlp.post(
        f"{unharmed.http}/v1/traces", body, content_type="application/x-protobuf"
    )
    assert (status, answer) == (200, b"")
    assert unharmed.resident_mebibytes() < 384


@pytest.mark.parametrize(
    ("id_field", "value", "reason"),
    [
        ("traceId", "abcd", "a trace id that is not 16 non-zero bytes"),
        ("traceId", "0" * 32, "a trace id that is not 16 non-zero bytes"),
        ("traceId", "12" * 17, "a trace id that is not 16 non-zero bytes"),
        ("spanId", "abcd", "a span id that is not 8 non-zero bytes"),
        ("spanId", "0" * 16, "a span id that is not 8 non-zero bytes"),
        ("parentSpanId", "abcd", "a parent span id that is neither empty nor 8 bytes"),
        ("traceId", "W47/95gDgQPSabYzgT/GDA==", "an id that is not hexadecimal"),
    ],
)
def test_bad_ids_reject_their_span(unharmed, id_field, value, reason):
    """The rest of the request is taken: a call whose first span is missing."""
    document = otlp.request(otlp.call("bad-id", "callee"))
    first_span(document)[id_field] = value
    partial = partial_success(unharmed, document)
    assert partial["rejectedSpans"] == "1"
    assert partial["errorMessage"].startswith(f"1 span rejected: 1 has {reason}")
    assert edges(unharmed.graph())[("bad-id", "callee")] == (1, 0)


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        pytest.param(0, "has neither a start nor an end time", id="epoch"),
        pytest.param(86_400 * 200, "ended more than 14 days ago", id="1970"),
        pytest.param(7_258_118_400, "ends more than 10 minutes in the future", id="2200"),
    ],
)
def test_times_out_of_reach_reject_their_span(unharmed, seconds, reason):
    document = otlp.request(otlp.call("out-of-time", "callee"))
    span = first_span(document)
    span["startTimeUnixNano"] = span["endTimeUnixNano"] = str(seconds * otlp.SECOND)
    partial = partial_success(unharmed, document)
    assert partial["rejectedSpans"] == "1"
    assert partial["errorMessage"].startswith(f"1 span rejected: 1 {reason} (")


def test_end_before_start_counts_with_no_duration(gateway):
    spans = otlp.call("frontend", "checkout")
    document = otlp.request(spans)
    span = first_span(document)
    span["endTimeUnixNano"] = str(int(span["startTimeUnixNano"]) - otlp.SECOND)
    assert otlp.send_json(gateway, document) == (200, {})
    assert edges(gateway.graph()) == {("frontend", "checkout"): (1, 0)}


def test_largest_numbers_there_are(unharmed):
    """Senders' numbers must never overflow ours."""
    document = otlp.request(otlp.call("numbers", "callee"))
    span = first_span(document)
    span["startTimeUnixNano"] = "0"
    span["endTimeUnixNano"] = str((1 << 64) - 1)
    span["kind"] = 2_147_483_647
    span["flags"] = 4_294_967_295
    partial = partial_success(unharmed, document)
    assert partial["rejectedSpans"] == "1"
    assert "ends more than 10 minutes in the future" in partial["errorMessage"]


def test_ten_thousand_operation_names(unharmed):
    for first in range(0, 10_000, 2_000):
        spans = [
            otlp.span("many", f"GET /user/{number}", otlp.SERVER)
            for number in range(first, first + 2_000)
        ]
        otlp.send(unharmed, spans)
    graph = unharmed.graph()
    many = [node for node in graph["nodes"] if node["id"] == "many"]
    assert [node["requests"] for node in many] == [10_000]
    # limits.operations_per_service is 1 000.
    assert graph["coverage"]["overflow"] == {"operations_per_service": 9_000}
    assert len(json.dumps(graph)) < MEBIBYTE // 16


def test_port_in_use(make_gateway):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        gateway = make_gateway(receiver__http__address=f"127.0.0.1:{port}")
        gateway.launch()
        gateway.ended()
    assert gateway.process.returncode == FAILED
    said = gateway.said()
    assert f"another process listens on 127.0.0.1:{port}" in said
    assert "receiver.http.address" in said


def test_file_in_place_of_the_store(make_gateway):
    gateway = make_gateway()
    gateway.store.write_text("I was here first.")
    gateway.launch()
    gateway.ended()
    assert gateway.process.returncode == FAILED
    assert str(gateway.store) in gateway.said() and "store.path" in gateway.said()
    assert gateway.store.read_text() == "I was here first."


def test_full_disk_at_start(make_gateway):
    gateway = make_gateway()
    gateway.store.mkdir(parents=True)
    with full_disk(gateway.store):
        gateway.launch()
        gateway.ended()
        assert gateway.process.returncode == FAILED
        assert str(gateway.store) in gateway.said() and "store.path" in gateway.said()
        assert "cannot start: " in gateway.said()


def test_configuration_typo(make_gateway, tmp_path):
    configuration = tmp_path / "spangate.yaml"
    configuration.write_text("store:\n  pth: data\ntraces:\n  idle: -3s\nreciever: {}\n")
    gateway = make_gateway()
    gateway.launch("--config", str(configuration))
    gateway.ended()
    assert gateway.process.returncode == 64
    said = gateway.said()
    assert "spangate.yaml:2: store.pth: is no known key; did you mean store.path?" in said, said
    assert "spangate.yaml:4: traces.idle: '-3s' is not a duration" in said, said
    assert "spangate.yaml:5: reciever" in said and "did you mean receiver" in said, said
    assert gateway.addresses() is None


def noise(count):
    """Bytes without a meaning, the same in every run."""
    return random.Random(count).randbytes(count)


def raw_exchange(port, data):
    """Sends bytes, ends the sending side and reads what comes back until the other side closes."""
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                received += chunk
        except OSError:
            pass  # closed or reset by the other side: what came before it counts
    return received


def refuse(gateway, body, encoding=None):
    status, _, answer = otlp.post(f"{gateway.http}/v1/traces", body, encoding=encoding)
    return status, json.loads(answer)


def partial_success(gateway, document):
    status, answer = otlp.send_json(gateway, document)
    assert status == 200, answer
    return answer["partialSuccess"]


def first_span(document):
    return document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]


def field(number, payload):
    """A length-delimited protobuf field."""
    length, encoded = len(payload), b""
    while length > 0x7F:
        encoded += bytes([length & 0x7F | 0x80])
        length >>= 7
    return bytes([number << 3 | 2]) + encoded + bytes([length]) + payload


@contextmanager
def full_disk(folder):
    """A folder that cannot be written: a full disk for root, a folder without permission else."""
    if os.geteuid() == 0 and mounts(folder):
        try:
            with (folder / "ballast").open("wb", buffering=0) as ballast:
                try:
                    while ballast.write(bytes(4096)):
                        pass
                except OSError:
                    pass
            yield
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
    else:
        folder.chmod(0o500)
        # Root without the right to mount is not held up by permissions: a file is, for anyone.
        (folder / "journal").write_text("")
        (folder / "spangate.sqlite").mkdir()
        yield
        folder.chmod(0o700)


def mounts(folder):
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]
    return subprocess.run(command, capture_output=True).returncode == 0
