"""The gateway as its users have it: a process, its ports, its files and its answers."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("SPANGATE_BINARY", ROOT / ".build" / "release" / "spangate")).resolve()

ADDRESS_LINE = re.compile(r"^(otlp/grpc|otlp/http|query) (\S+):(\d+)$", re.MULTILINE)
CRASH = re.compile(r"Fatal error|Program crashed|SIG(SEGV|ILL|TRAP|ABRT)|precondition failed", re.I)


class Gateway:
    """A `spangate serve` on free ports of loopback, with a store of its own."""

    def __init__(self, folder, settings=None, tls=None):
        """`tls` is the ssl context of its clients, where its query port has a certificate."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = self.folder / "store"
        self.settings = settings or {}
        self.prefix = []  # a command that runs the gateway for us, such as a tracer
        self.tls = tls
        self.process = None
        self.starts = 0

    def environment(self):
        """Configuration by environment, with the names of the keys: `store.path` and so on."""
        settings = {
            "receiver.grpc.address": "127.0.0.1:0",
            "receiver.http.address": "127.0.0.1:0",
            "query.address": "127.0.0.1:0",
            "store.path": self.store,
            **self.settings,
        }
        return clean_environment() | {
            "SPANGATE_" + key.upper().replace(".", "__"): str(value)
            for key, value in settings.items()
        }

    def launch(self, *arguments):
        """Starts the process without waiting for anything."""
        self.starts += 1
        self.output = self.folder / f"stdout-{self.starts}"
        self.log = self.folder / f"stderr-{self.starts}"
        with self.output.open("wb") as output, self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self.prefix, BINARY, "serve", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                env=self.environment(),
                cwd=self.folder,
            )

    def start(self, *arguments):
        """Starts it and waits until it is ready."""
        self.launch(*arguments)
        addresses = self.wait(self.addresses, "say its addresses")
        self.grpc_port, self.http_port, self.query_port = (
            addresses[name] for name in ("otlp/grpc", "otlp/http", "query")
        )
        self.http = f"{self.scheme('receiver.http')}://127.0.0.1:{self.http_port}"
        self.query = f"{self.scheme('query')}://127.0.0.1:{self.query_port}"
        self.wait(self.ready, "become ready")
        return self

    def scheme(self, listener):
        return "https" if f"{listener}.tls.certificate_file" in self.settings else "http"

    def addresses(self):
        found = {name: int(port) for name, _, port in ADDRESS_LINE.findall(self.output.read_text())}
        return found if len(found) == 3 else None

    def ready(self):
        try:
            return self.get("/readyz")[0] == 200
        except (urllib.error.URLError, ConnectionError):
            return False

    def wait(self, condition, what, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            result = condition()
            if result:
                return result
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(
            f"the gateway did not {what} (exit {self.process.poll()}):\n{self.said()}"
        )

    def said(self):
        """Everything it wrote since its last start."""
        return self.output.read_text() + self.log.read_text(errors="replace")

    def stop(self, seconds=30):
        """Asks it to end, and checks that it ends well."""
        self.process.send_signal(signal.SIGTERM)
        self.ended(seconds)
        assert self.process.returncode == 0, (self.process.returncode, self.said())

    def ended(self, seconds=30):
        """Waits for the end of the process and checks that it was not a crash."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(
                f"the gateway did not end within {seconds} s:\n{self.said()}"
            ) from None
        assert not CRASH.search(self.said()), self.said()

    def kill(self):
        self.process.kill()
        self.process.wait()

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def get(self, path, **parameters):
        """GET on the query API; returns (status, text)."""
        return self.ask("GET", path, parameters)

    def ask(self, method, path, parameters=None):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        request = urllib.request.Request(self.query + path + query, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60, context=self.tls) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def flush(self):
        status, answer = self.ask("POST", "/api/v1/admin/flush")
        assert status in (200, 204), (status, answer)

    def graph(self, **parameters):
        """The graph of everything sent so far."""
        self.flush()
        status, answer = self.get("/api/v1/graph", **parameters)
        assert status == 200, (status, answer)
        return json.loads(answer)

    def metrics(self):
        status, answer = self.get("/metrics")
        assert status == 200, (status, answer)
        return answer

    def resident_mebibytes(self):
        """The most memory the process ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024


def clean_environment():
    """The environment without settings of the person who runs the tests."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("SPANGATE_", "OTEL_"))}


def run(*arguments, folder=None, environment=None, seconds=60):
    """Runs a command of the binary to its end."""
    result = subprocess.run(
        [BINARY, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=folder or ROOT,
        env=environment or clean_environment(),
        timeout=seconds,
    )
    assert not CRASH.search(result.stdout + result.stderr), result.stdout + result.stderr
    return result


def edges(graph):
    """{(client, server): (requests, failed)}"""
    return {
        (edge["client"], edge["server"]): (edge["requests"], edge["failed"])
        for edge in graph["edges"]
    }


def nodes(graph):
    """{id: (requests, errors)}"""
    return {node["id"]: (node["requests"], node["errors"]) for node in graph["nodes"]}


def wait_for_graph(gateway, complete, seconds=30):
    """Asks for the graph until `complete(graph)`: for senders that do not wait for an answer."""
    deadline = time.monotonic() + seconds
    while True:
        graph = gateway.graph()
        if complete(graph):
            return graph
        if time.monotonic() > deadline:
            return graph
        time.sleep(0.1)
