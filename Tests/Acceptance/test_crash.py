"""What survives: `kill -9` in the middle of traffic, and an orderly end."""

import json
import signal
import socket
import urllib.error
from threading import Event, Thread

import pytest
from support import otlp
from support.gateway import edges, nodes

EDGE = ("frontend", "checkout")
SENDERS = 4


class Sender(Thread):
    """Sends traces one by one until the gateway is gone."""

    def __init__(self, gateway, enough, wanted):
        super().__init__()
        self.gateway = gateway
        self.enough = enough
        self.wanted = wanted
        self.sent = 0
        self.acknowledged = 0

    def run(self):
        while True:
            self.sent += 1
            try:
                otlp.send(self.gateway, otlp.call(*EDGE))
            except (urllib.error.URLError, ConnectionError, OSError):
                return
            except Exception:  # an answer cut in the middle is no acknowledgement either
                return
            self.acknowledged += 1
            if self.acknowledged >= self.wanted:
                self.enough.set()


def test_kill_while_sending(make_gateway):
    gateway = make_gateway().start()
    for _ in range(3):
        before = edges(gateway.graph()).get(EDGE, (0, 0))[0]
        enough = Event()
        senders = [Sender(gateway, enough, wanted=50) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        assert enough.wait(60)
        gateway.kill()
        for sender in senders:
            sender.join()

        gateway.start()

        graph = gateway.graph()
        counted = edges(graph)[EDGE][0] - before
        acknowledged = sum(sender.acknowledged for sender in senders)
        sent = sum(sender.sent for sender in senders)
        assert acknowledged <= counted <= sent
        assert nodes(graph)[EDGE[0]][0] == nodes(graph)[EDGE[1]][0] == before + counted


def test_spans_of_one_trace_before_and_after_a_kill(make_gateway):
    gateway = make_gateway().start()
    root, out, callee = otlp.call(*EDGE)
    otlp.send(gateway, [root, out])
    gateway.kill()
    gateway.start()
    otlp.send(gateway, [callee])
    assert edges(gateway.graph()) == {EDGE: (1, 0)}


def test_the_same_spans_again_after_a_kill(make_gateway):
    gateway = make_gateway().start()
    spans = otlp.call(*EDGE)
    otlp.send(gateway, spans)
    gateway.kill()
    gateway.start()
    otlp.send(gateway, spans)
    graph = gateway.graph()
    assert edges(graph) == {EDGE: (1, 0)}
    assert graph["coverage"]["spans"] == graph["coverage"]["duplicates"] == len(spans)


@pytest.mark.parametrize(
    ("durability", "survivors"), [("fsync", {EDGE: (1, 0)}), ("os", {EDGE: (1, 0)}), ("none", {})]
)
def test_what_a_kill_leaves(make_gateway, durability, survivors):
    gateway = make_gateway(journal__durability=durability).start()
    otlp.send(gateway, otlp.call(*EDGE))
    assert edges(gateway.graph()) == {EDGE: (1, 0)}
    gateway.kill()
    gateway.start()
    assert edges(gateway.graph()) == survivors


@pytest.mark.parametrize("durability", ["fsync", "os", "none"])
def test_orderly_end_keeps_everything(make_gateway, durability):
    gateway = make_gateway(journal__durability=durability).start()
    otlp.send(gateway, otlp.call(*EDGE))
    gateway.stop()
    gateway.start()
    assert edges(gateway.graph()) == {EDGE: (1, 0)}


def test_orderly_end_answers_what_is_under_way(make_gateway):
    gateway = make_gateway().start()
    for _ in range(10):
        otlp.send(gateway, otlp.call(*EDGE))
    body = json.dumps(otlp.request(otlp.call(*EDGE))).encode()
    with socket.create_connection(("127.0.0.1", gateway.http_port), timeout=30) as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body)
        )
        assert b" 100 " in connection.recv(1000)  # so the request is under way
        connection.sendall(body[:10])
        gateway.process.send_signal(signal.SIGTERM)
        gateway.wait(
            lambda: not accepts(gateway.http_port) or not ready(gateway), "stop being ready"
        )
        connection.sendall(body[10:])
        answer = connection.recv(10_000)
    assert b" 200 " in answer.split(b"\r\n")[0]
    gateway.ended()
    assert gateway.process.returncode == 0, gateway.said()

    gateway.start()

    assert edges(gateway.graph()) == {EDGE: (11, 0)}


def test_the_graph_is_the_same_after_a_restart(make_gateway):
    gateway = make_gateway().start()
    otlp.send(gateway, otlp.call("a", "b"))
    otlp.send(gateway, otlp.call("b", "c", error=True))
    before = gateway.graph()
    gateway.stop()
    gateway.start()
    after = gateway.graph()
    assert nodes(after) == nodes(before) and len(nodes(after)) == 3
    assert edges(after) == edges(before) == {("a", "b"): (1, 0), ("b", "c"): (1, 1)}


def ready(gateway):
    try:
        return gateway.get("/readyz")[0] == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False
