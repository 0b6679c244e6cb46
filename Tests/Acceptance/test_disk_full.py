"""A disk that fills up under a gateway, and has room again."""

import json
import os
import resource
import subprocess
import time
from contextlib import contextmanager

from support import otlp
from support.gateway import edges, nodes

EDGE = ("frontend", "checkout")


def test_refuses_answers_and_recovers(make_gateway):
    """While the disk is full: spans are refused with a code that is tried again and a time to do so,
    everything known can be asked for, the refusals are counted. With room again: spans are taken
    without a restart, and a kill then loses nothing that was acknowledged, nor brings anything
    back that was refused."""
    gateway = make_gateway(traces__idle="100ms", traces__remember="0s")
    with small_disk(gateway) as disk:
        gateway.start()
        for _ in range(20):
            otlp.send(gateway, otlp.call(*EDGE))
        assert edges(gateway.graph())[EDGE] == (20, 0)

        disk.fill()
        taken = 20
        while attempt(gateway)[0] == 200:  # what was left of the last page
            taken += 1
        refused = [attempt(gateway) for _ in range(20)]
        assert {status for status, _, _ in refused} == {503}, refused
        _, headers, body = refused[-1]
        assert 1 <= int(headers["Retry-After"]) <= 60
        assert b"cannot make spans durable" in body, body
        assert edges(asked(gateway))[EDGE][0] in range(20, taken + 1)
        assert gateway.get("/readyz")[0] == gateway.get("/livez")[0] == 200
        assert counter(gateway, 'spangate_admission_refused_total{reason="journal"}') == 21
        assert counter(gateway, "spangate_journal_failed_commits_total") > 0
        assert "Free space" in gateway.said() or disk.keeps_log_short, gateway.said()
        time.sleep(5)  # checkpoints fail meanwhile, and are tried again

        disk.make_room()
        accepted = 0
        deadline = time.monotonic() + 30
        while accepted < 20 and time.monotonic() < deadline:
            accepted += attempt(gateway)[0] == 200
        assert accepted == 20
        gateway.kill()
        gateway.start()
        graph = gateway.graph()
        assert edges(graph)[EDGE] == (taken + 20, 0)
        assert nodes(graph)[EDGE[0]][0] == nodes(graph)[EDGE[1]][0] == taken + 20
        gateway.stop()


def asked(gateway):
    status, answer = gateway.get("/api/v1/graph")
    assert status == 200, (status, answer)
    return json.loads(answer)


def attempt(gateway):
    body = otlp.to_protobuf(otlp.request(otlp.call(*EDGE))).SerializeToString()
    return otlp.post(f"{gateway.http}/v1/traces", body, "application/x-protobuf")


def counter(gateway, name):
    for line in gateway.metrics().splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no {name} in:\n{gateway.metrics()}")


class SmallDisk:
    """A file system of 16 MiB of its own."""

    keeps_log_short = False

    def __init__(self, folder):
        self.ballast = folder / "ballast"

    def fill(self):
        with self.ballast.open("wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(4096)):
                    pass
            except OSError:
                pass

    def make_room(self):
        self.ballast.unlink()


class FileLimit:
    """Without the right to mount: files of the process may not grow, which fails as a full disk
    does. Its log may not grow either."""

    keeps_log_short = True

    def __init__(self, gateway):
        self.gateway = gateway

    def fill(self):
        self.limit(0)

    def make_room(self):
        self.limit(resource.RLIM_INFINITY)

    def limit(self, size):
        pid = self.gateway.process.pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def small_disk(gateway):
    gateway.store.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", gateway.store]
    if os.environ.get("SPANGATE_NO_MOUNT") or subprocess.run(command, capture_output=True).returncode:
        yield FileLimit(gateway)
        return
    try:
        yield SmallDisk(gateway.store)
    finally:
        subprocess.run(["umount", "--lazy", gateway.store], check=True)
