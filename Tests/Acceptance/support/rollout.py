"""Rollouts on a mesh of real Envoys: services of which a new version runs beside the old one.

A request goes  caller → outbound listener of frontend → inbound listener of one version → its
application. Frontend's Envoy splits the requests to a service over its two versions by weights that
can be changed while it runs, as a rollout controller does. Each version has a loopback address of
its own; the sidecars say in their resource which service, version and instance they stand in front
of. The applications have no tracing.
"""

import http.client
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Event, Thread

from support.mesh import Envoy, cluster, configuration, listener, tracer, virtual_host

OLD, NEW = "v41", "v42"


@dataclass
class Rollout:
    """One service, and what is to happen to its new version."""

    service: str
    requests_per_second: int
    percent: int  # of the requests that go to the new version
    application_seconds: float = 0.02
    fault: dict = field(default_factory=dict)  # of Envoy's fault filter, in the new version
    # Whether frontend's Envoy reports its upstream in a span of its own. Without, nobody says to
    # which address a failed call went.
    spawn_upstream_span: bool = False


def aborts(percent, status):
    return {"abort": {"http_status": status, "percentage": {"numerator": percent}}}


def delays(seconds):
    return {"delay": {"fixed_delay": f"{seconds}s", "percentage": {"numerator": 100}}}


class Application:
    """Takes its time, then says that it is done."""

    def __init__(self, seconds):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                time.sleep(seconds)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # A killed sidecar breaks its connections: nothing to print a traceback for.
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class RolloutMesh:
    """Both versions of every service behind the Envoy of their one caller, frontend."""

    def __init__(self, rollouts, collector_port, folder):
        self.rollouts = rollouts
        self.collector_port = collector_port
        self.folder = folder
        self.applications = []
        self.sidecars = {}  # by (service, version)
        self.clusters = []  # of frontend
        self.frontend = None
        self.ports = {}  # of frontend, by whether spans of upstreams are wanted

    def __enter__(self):
        try:
            for rollout in self.rollouts:
                application = Application(rollout.application_seconds)
                self.applications.append(application)
                for version in (OLD, NEW):
                    host = f"127.0.1.{len(self.sidecars) + 1}"
                    sidecar = self.sidecar(rollout, version, host, application.port)
                    self.sidecars[rollout.service, version] = sidecar
                    port = sidecar.start()["inbound"]
                    self.clusters.append(cluster(f"{rollout.service}-{version}", port, host=host))
            self.frontend = self.caller()
            ports = self.frontend.start()
            self.ports = {False: ports["outbound"], True: ports["outbound-upstream-span"]}
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for envoy in [self.frontend, *self.sidecars.values()]:
            if envoy is not None:
                envoy.stop()
        for application in self.applications:
            application.stop()

    def sidecar(self, rollout, version, host, application_port):
        resource = {
            "service.version": version,
            "service.instance.id": f"{rollout.service}-{version}-0",
            "host.ip": host,
        }
        filters = [fault_filter(rollout.fault)] if version == NEW and rollout.fault else []
        inbound = listener(
            "inbound",
            "INBOUND",
            [virtual_host("application", "*", {"cluster": "application"})],
            tracer(rollout.service, resource),
            filters=filters,
            host=host,
        )
        name = f"{rollout.service}-{version}"
        clusters = [cluster("application", application_port)]
        return Envoy(
            name,
            configuration(name, [inbound], clusters, self.collector_port),
            self.folder / name,
        )

    def caller(self):
        hosts = []
        for rollout in self.rollouts:
            weights = [
                {"name": f"{rollout.service}-{OLD}", "weight": 100},
                {"name": f"{rollout.service}-{NEW}", "weight": 0},
            ]
            split = {"weighted_clusters": {"clusters": weights, "runtime_key_prefix": "weights"}}
            hosts.append(virtual_host(rollout.service, rollout.service, split))
        listeners = [
            listener(
                name, "OUTBOUND", hosts, tracer("frontend"), spawn_upstream_span=spawn_upstream_span
            )
            for name, spawn_upstream_span in [("outbound", False), ("outbound-upstream-span", True)]
        ]
        return Envoy(
            "frontend",
            configuration("frontend", listeners, self.clusters, self.collector_port),
            self.folder / "frontend",
        )

    def begin(self):
        """The rollouts begin: part of the requests goes to the new versions."""
        weights = {}
        for rollout in self.rollouts:
            weights[f"weights.{rollout.service}-{OLD}"] = 100 - rollout.percent
            weights[f"weights.{rollout.service}-{NEW}"] = rollout.percent
        self.frontend.set_runtime(weights)


def fault_filter(fault):
    kind = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"
    return {"name": "envoy.filters.http.fault", "typed_config": {"@type": kind, **fault}}


class Traffic:
    """Requests to one service at a steady pace, until it is stopped."""

    def __init__(self, mesh, rollout):
        self.port = mesh.ports[rollout.spawn_upstream_span]
        self.rollout = rollout
        self.stopped = Event()
        # Enough that one slow answer does not hold up the requests that are due after it.
        workers = 2 + round(rollout.requests_per_second * (rollout.application_seconds + 0.1) * 2)
        self.answers = [Counter() for _ in range(workers)]
        self.threads = [Thread(target=self.work, args=(place,)) for place in range(workers)]

    def start(self):
        self.began = time.monotonic()
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    @property
    def statuses(self):
        """How many requests were answered with which status; 0 for no answer at all."""
        return sum(self.answers, Counter())

    def work(self, place):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for slot in count(place, len(self.threads)):
            due = self.began + slot / self.rollout.requests_per_second
            if self.stopped.wait(max(0, due - time.monotonic())):
                break
            self.answers[place][self.ask(connection)] += 1
        connection.close()

    def ask(self, connection):
        try:
            connection.request("GET", "/", headers={"host": self.rollout.service})
            with connection.getresponse() as answer:
                answer.read()
                return answer.status
        except (OSError, http.client.HTTPException):
            connection.close()
            return 0
