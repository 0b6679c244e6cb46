"""Clients that mean harm over HTTP/2, each beside one that sends spans and loses none."""

import itertools
import re
import socket
import threading

import pytest
from support import frames, otlp
from support.gateway import edges

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = bytes([0x83, 0x86, 0x84, 0x41, 1, 0x61])  # POST / of the authority "a"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = (
    0, 1, 2, 3, 4, 6, 7, 8, 9,
)  # fmt: skip
END_HEADERS = 4
PROTECTION = re.compile(r"spangate_http2_protections_total\{.*\} [1-9]")
RESET_HEAD = b"\0\0\4\3\0"  # length, type and flags of a RST_STREAM


def frame(kind, flags=0, stream=0, payload=b""):
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload


def opened(stream):
    return frame(HEADERS, END_HEADERS, stream, HEAD)


def rapid_reset():
    for stream in itertools.count(1, 2):
        yield opened(stream) + frame(RESET, 0, stream, (8).to_bytes(4, "big"))


def made_you_reset():
    for stream in itertools.count(1, 2):
        yield opened(stream) + frame(WINDOW, 0, stream, (0x7FFFFFFF).to_bytes(4, "big"))


def continuations():
    yield frame(HEADERS, 0, 1, HEAD)
    while True:
        yield frame(CONTINUATION, 0, 1, b"")


def header_bomb():
    """A field of 4 000 bytes put into the table once, and named very often."""
    field = bytes([0x40, 1]) + b"x" + bytes([0x7F, 0xA1, 0x1E]) + b"v" * 4000
    yield frame(HEADERS, END_HEADERS, 1, HEAD + field)
    for stream in itertools.count(3, 2):
        yield frame(HEADERS, END_HEADERS, stream, HEAD + bytes([0xBE]) * 16000)


def endless(piece, first=b""):
    def pieces():
        yield first
        while True:
            yield piece

    return pieces


ATTACKS = {
    "rapid reset (CVE-2023-44487)": rapid_reset,
    "MadeYouReset (CVE-2025-8671)": made_you_reset,
    "CONTINUATION (CVE-2024-28182)": continuations,
    "header list bomb": header_bomb,
    "SETTINGS": endless(frame(SETTINGS)),
    "PING": endless(frame(PING, 0, 0, bytes(8))),
    "PRIORITY": endless(frame(PRIORITY, 0, 1, bytes([0, 0, 0, 0, 16])), opened(1)),
    "WINDOW_UPDATE": endless(frame(WINDOW, 0, 0, bytes([0, 0, 0, 1]))),
    "DATA without data": endless(frame(DATA, 0, 1), opened(1)),
    "padding alone": endless(frame(DATA, 8, 1, bytes([3, 0, 0, 0])), opened(1)),
    "unknown frames": endless(frame(0xBB, 0, 0, b"x")),
    "a huge frame": endless(b"\xff\xff\xff\x00\x00\x00\x00\x00\x01"),
    "frames on even streams": endless(opened(2)),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_ends_the_attacker_alone(unharmed, attack):
    """The attacker is cut off; a client beside it has every span accepted, and memory stays."""
    service = "beside-" + "".join(letter for letter in attack.lower() if letter.isalnum())
    with ThreadedAttack(unharmed.grpc_port, ATTACKS[attack]) as attacker:
        with frames.Connection(unharmed.grpc_port) as good:
            for index in range(20):
                document = otlp.request(otlp.call(service, f"callee-{index}"))
                body = otlp.to_protobuf(document).SerializeToString()
                answer = good.call(frames.message(body))
                assert answer.grpc_status == 0, answer.grpc_message
        attacker.thread.join(20)
        assert attacker.was_ended, attack
    assert unharmed.resident_mebibytes() < 384
    found = edges(unharmed.graph())
    for index in range(20):
        assert found.get((service, f"callee-{index}")) == (1, 0), (index, found)


class ThreadedAttack:
    """Sends pieces as fast as they are taken, reading answers, until the gateway ends it."""

    def __init__(self, port, pieces, frames_max=2_000_000):
        self.pieces, self.frames_max = pieces, frames_max
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.was_ended = False
        self.stop = False

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop = True
        self.socket.close()
        self.thread.join(20)

    def run(self):
        reader = threading.Thread(target=self.read, daemon=True)
        reader.start()
        try:
            self.socket.sendall(PREFACE + frame(SETTINGS))
            pieces = itertools.islice(self.pieces(), self.frames_max)
            while not self.stop and not self.was_ended:
                batch = b"".join(itertools.islice(pieces, 50))
                if not batch:
                    break
                self.socket.sendall(batch)
        except OSError:
            self.was_ended = not self.stop
        reader.join(10)

    def read(self):
        try:
            while self.socket.recv(65536):
                pass
            self.was_ended = not self.stop
        except OSError:
            self.was_ended = not self.stop


def test_protections_are_counted(gateway):
    """As many faults as one burst allows, all answered, then more: why the connection was ended
    stands in the metrics. (An attack at full speed breaks several limits at once.)
    """
    with socket.create_connection(("127.0.0.1", gateway.grpc_port), timeout=20) as attacker:
        pieces, read, more = made_you_reset(), b"", b"begin"
        attacker.sendall(PREFACE + frame(SETTINGS))
        for count, answered in (200, 200), (50, 250), (1, 251):
            attacker.sendall(b"".join(itertools.islice(pieces, count)))
            while more and read.count(RESET_HEAD) < answered:
                more = attacker.recv(65536)
                read += more
            assert read.count(RESET_HEAD) >= 200, "ended before the burst was used up"
        assert not more
    counted = [line for line in gateway.metrics().splitlines() if PROTECTION.match(line)]
    assert counted == ['spangate_http2_protections_total{reason="faults"} 1']
