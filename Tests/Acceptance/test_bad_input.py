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
PORTS = ["grpc_port", "http_port", "query_port"]


@pytest.mark.parametrize("port", PORTS)
def test_garbage_on_a_port(unharmed, port):
    for garbage in (
        bytes(1000),
        noise(100_000),
        b"\x16\x03\x01" * 500,
        b"\r\n" * 5000,
    ):
        raw_exchange(getattr(unharmed, port), garbage)


@pytest.mark.parametrize("port", PORTS)
def test_http2_preface_and_then_garbage(unharmed, port):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
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
    assert b" 413 " in answer.split(b"\r\n")[0]


def test_oversized_head(unharmed):
    head = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\nx-large: " + b"x" * MEBIBYTE + b"\r\n\r\n"
    answer = raw_exchange(unharmed.http_port, head)
    assert answer == b"" or answer.split(b"\r\n")[0].split()[1] in (b"400", b"431")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"not gzip at all", id="garbage"),
        pytest.param(gzip.compress(b'{"resourceSpans":[]}' * 100)[:-6], id="cut"),
        pytest.param(gzip.compress(b"{}") + b"tail", id="trailing"),
        pytest.param(gzip.compress(b"{}")[:-8] + bytes(8), id="checksum"),
    ],
)
def test_bad_gzip(unharmed, body):
    status, problem = refuse(unharmed, body, encoding="gzip")
    assert status == 400
    assert "gzip" in problem["message"].lower()


def test_gzip_bomb(unharmed):
    bomb = gzip.compress(bytes(1024 * MEBIBYTE), 1)
    for _ in range(5):
        status, problem = refuse(unharmed, bomb, encoding="gzip")
        assert status == 413
        assert problem["message"]
    assert unharmed.resident_mebibytes() < 512


@pytest.mark.parametrize("opening", [b"[", b'{"a":'], ids=["arrays", "objects"])
def test_json_nested_without_end(unharmed, opening):
    status, problem = refuse(unharmed, b'{"resourceSpans":' + opening * 200_000)
    assert status == 400
    assert problem["message"]


def test_protobuf_nested_without_end(unharmed):
    """12 KB of arrays in arrays: enough to exhaust a stack that recurses."""
    value = b""
    for _ in range(3000):
        value = field(1, field(5, value))  # AnyValue in ArrayValue in AnyValue
    attribute = field(1, b"k") + field(2, value)
    body = field(1, field(1, field(1, attribute)))  # ResourceSpans, Resource, KeyValue
    status, headers, answer = otlp.post(
        f"{unharmed.http}/v1/traces", body, content_type="application/x-protobuf"
    )
    assert status in (200, 400), answer
    assert unharmed.resident_mebibytes() < 256


def test_protobuf_of_very_many_empty_messages(unharmed):
    """2 MB that a plain decoder turns into 240 MB."""
    body = field(1, b"\x12\x00" * MEBIBYTE)
    status, _, answer = otlp.post(
        f"{unharmed.http}/v1/traces", body, content_type="application/x-protobuf"
    )
    assert status in (200, 400, 413), answer
    assert unharmed.resident_mebibytes() < 384


@pytest.mark.parametrize(
    ("id_field", "value"),
    [
        ("traceId", "abcd"),
        ("traceId", "0" * 32),
        ("traceId", "12" * 17),
        ("spanId", "abcd"),
        ("spanId", "0" * 16),
        ("parentSpanId", "abcd"),
    ],
)
def test_ids_of_wrong_length_reject_their_span(unharmed, id_field, value):
    document = otlp.request(otlp.call("bad-id", "callee"))
    first_span(document)[id_field] = value
    partial = partial_success(unharmed, document)
    assert int(partial["rejectedSpans"]) == 1
    assert "id" in partial["errorMessage"].lower()


def test_base64_ids_are_explained(unharmed):
    document = otlp.request(otlp.call("bad-id", "callee"))
    first_span(document)["traceId"] = "W47/95gDgQPSabYzgT/GDA=="
    status, answer = otlp.send_json(unharmed, document)
    said = answer["message"] if status == 400 else answer["partialSuccess"]["errorMessage"]
    assert "hex" in said


@pytest.mark.parametrize("seconds", [0, 86_400 * 200, 7_258_118_400], ids=["epoch", "1970", "2200"])
def test_times_out_of_reach_reject_their_span(unharmed, seconds):
    document = otlp.request(otlp.call("out-of-time", "callee"))
    span = first_span(document)
    span["startTimeUnixNano"] = span["endTimeUnixNano"] = str(seconds * otlp.SECOND)
    partial = partial_success(unharmed, document)
    assert int(partial["rejectedSpans"]) == 1
    assert partial["errorMessage"]


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
    assert int(partial["rejectedSpans"]) == 1


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
    assert len(json.dumps(graph)) < MEBIBYTE


def test_port_in_use(make_gateway):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        gateway = make_gateway(receiver__http__address=f"127.0.0.1:{port}")
        gateway.launch()
        gateway.ended()
    assert gateway.process.returncode != 0
    said = gateway.said()
    assert f"another process listens on 127.0.0.1:{port}" in said
    assert "receiver.http.address" in said


def test_file_in_place_of_the_store(make_gateway):
    gateway = make_gateway()
    gateway.store.write_text("I was here first.")
    gateway.launch()
    gateway.ended()
    assert gateway.process.returncode != 0
    assert str(gateway.store) in gateway.said() and "store.path" in gateway.said()
    assert gateway.store.read_text() == "I was here first."


def test_full_disk_at_start(make_gateway):
    gateway = make_gateway()
    gateway.store.mkdir(parents=True)
    with full_disk(gateway.store):
        gateway.launch()
        gateway.ended()
        assert gateway.process.returncode != 0
        assert str(gateway.store) in gateway.said()
        assert any(word in gateway.said().lower() for word in ("full", "no space", "write"))


def test_configuration_typo(make_gateway, tmp_path):
    configuration = tmp_path / "spangate.yaml"
    configuration.write_text("store:\n  pth: data\ntraces:\n  idle: -3s\nreciever: {}\n")
    gateway = make_gateway()
    gateway.launch("--config", str(configuration))
    gateway.ended()
    assert gateway.process.returncode == 64
    said = gateway.said()
    assert "store.pth" in said and "store.path" in said, said
    assert "traces.idle" in said, said
    assert "reciever" in said and "receiver" in said, said


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
