"""A service mesh of real Envoys on loopback: each service is a small HTTP server behind an Envoy.

A request goes  caller → inbound listener of a → app a → outbound listener of a → inbound listener
of b → app b → … exactly as with injected sidecars. All ports are picked by the kernel; the services
are started from the last to the first, so that each knows where the next one listens.
"""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import as_file, files
from threading import Thread

# What a service has to hand on so that the proxies can join their spans.
PROPAGATED = ("traceparent", "tracestate", "x-request-id", "x-outcome")


class Application:
    """One service: calls the next one, if there is one, through its own Envoy.

    The header `x-outcome` says how a request ends: `ok`, `failed` (the last service answers 503
    and everyone passes it on) or `absorbed` (the same, but the service before the last hides it).
    """

    def __init__(self, last, absorbs):
        application = self
        self.outbound_port = None

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                outcome = self.headers.get("x-outcome", "ok")
                if last:
                    status = 200 if outcome == "ok" else 503
                else:
                    status = application.call_next(self.path, self.headers)
                    if absorbs and outcome == "absorbed":
                        status = 200
                body = b"done\n"
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        Thread(target=self.server.serve_forever, daemon=True).start()

    def call_next(self, path, headers):
        carried = {name: headers[name] for name in PROPAGATED if headers.get(name)}
        return get(self.outbound_port, path, carried)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Mesh:
    """Services in a chain, each behind its own Envoy, with tracing towards `collector_port`.

    With `access_logs` the Envoys send those there too, and each service has a loopback address of
    its own, which its Envoy says in the log's resource: `127.0.0.11` and so on, as pods have one.
    """

    def __init__(
        self,
        names,
        collector_port,
        spawn_upstream_span,
        folder,
        retries=0,
        *,
        tracing=True,
        access_logs=False,
    ):
        self.names = names
        self.collector_port = collector_port
        self.spawn_upstream_span = spawn_upstream_span
        self.retries = retries  # of a failed call, by the caller's Envoy
        self.tracing = tracing
        self.access_logs = access_logs
        self.folder = folder
        self.applications = []
        self.envoys = []
        self.entry_port = None

    def __enter__(self):
        try:
            next_port = None
            for place, name in reversed(list(enumerate(self.names))):
                application = Application(
                    last=next_port is None, absorbs=place == len(self.names) - 2
                )
                self.applications.append(application)
                envoy = Envoy(
                    name,
                    self.configuration(name, application.port, next_port),
                    self.folder / name,
                )
                self.envoys.append(envoy)
                ports = envoy.start()
                application.outbound_port = ports.get("outbound")
                next_port = ports["inbound"]
            self.entry_port = next_port
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for envoy in self.envoys:
            envoy.stop()
        for application in self.applications:
            application.stop()

    def send(self, requests):
        """Sends a request for each outcome in `requests`; returns the statuses."""
        headers = [{"x-outcome": outcome} for outcome in requests]
        entry = self.host(self.names[0])
        return [get(self.entry_port, "/orders", each, host=entry) for each in headers]

    def host(self, name):
        return f"127.0.0.{11 + self.names.index(name)}" if self.access_logs else "127.0.0.1"

    def configuration(self, name, application_port, next_port):
        listeners = [self.listener("inbound", name, "INBOUND", "application")]
        clusters = [cluster("application", application_port)]
        if next_port is not None:
            listeners.append(self.listener("outbound", name, "OUTBOUND", "next"))
            next_host = self.host(self.names[self.names.index(name) + 1])
            next_hop = cluster("next", next_port, host=next_host)
            # A call comes from the address of its service, as from a pod.
            source = {"address": self.host(name), "port_value": 0}
            next_hop["upstream_bind_config"] = {"source_address": source}
            clusters.append(next_hop)
        return configuration(name, listeners, clusters, self.collector_port)

    def listener(self, listener_name, service, direction, target):
        route = {"cluster": target}
        if direction == "OUTBOUND" and self.retries:
            route["retry_policy"] = {"retry_on": "5xx", "num_retries": self.retries}
        return listener(
            listener_name,
            direction,
            [virtual_host("all", "*", route)],
            tracer(service) if self.tracing else None,
            host=self.host(service) if direction == "INBOUND" else "127.0.0.1",
            spawn_upstream_span=self.spawn_upstream_span,
            access_log=access_log(service, self.host(service), direction)
            if self.access_logs
            else None,
        )


class Envoy:
    """One Envoy process."""

    def __init__(self, name, configuration, folder):
        self.name = name
        self.folder = folder
        self.configuration = configuration
        self.process = None
        self.admin = None  # its administration interface, once it has started

    def start(self):
        """Starts it; returns the ports of its listeners by name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "envoy.json").write_text(json.dumps(self.configuration, indent=2))
        admin_file = self.folder / "admin"
        admin_file.unlink(missing_ok=True)
        with as_file(binary()) as envoy:
            self.process = subprocess.Popen(
                [
                    envoy,
                    *("--config-path", self.folder / "envoy.json"),
                    *("--admin-address-path", admin_file),
                    *("--log-path", self.folder / "log"),
                    *("--log-level", "warning"),
                    *("--concurrency", "1"),
                    "--disable-hot-restart",
                ],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            ports = self.listening(admin_file)
            if ports:
                # Where they are to be found if it is started again.
                for each in self.configuration["static_resources"]["listeners"]:
                    each["address"]["socket_address"]["port_value"] = ports[each["name"]]
                return ports
            time.sleep(0.05)
        raise AssertionError(f"Envoy of {self.name} did not start:\n{self.log()}")

    def listening(self, admin_file):
        if not admin_file.exists():
            return None
        self.admin = f"http://{admin_file.read_text().strip()}"
        try:
            with urllib.request.urlopen(f"{self.admin}/ready", timeout=5):
                pass
            listeners = f"{self.admin}/listeners?format=json"
            with urllib.request.urlopen(listeners, timeout=5) as answer:
                statuses = json.load(answer)["listener_statuses"]
        except (urllib.error.URLError, ConnectionError, ValueError):
            return None
        return {s["name"]: s["local_address"]["socket_address"]["port_value"] for s in statuses}

    def log(self):
        log = self.folder / "log"
        return log.read_text() if log.exists() else "(no log)"

    def set_runtime(self, values):
        """Changes runtime keys, all at once."""
        changes = f"{self.admin}/runtime_modify?{urllib.parse.urlencode(values)}"
        asked = urllib.request.Request(changes, method="POST")
        with urllib.request.urlopen(asked, timeout=5):
            pass

    def kill(self):
        """No goodbye: connections break, spans that were not sent yet are lost."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def binary():
    return files("envoy._bin") / "envoy"


def configuration(name, listeners, clusters, collector_port):
    """A whole Envoy; its spans go to `collector_port` at once."""
    runtime = {
        "tracing.opentelemetry.min_flush_spans": 1,
        "tracing.opentelemetry.flush_interval_ms": 100,
    }
    return {
        "node": {"id": f"sidecar~127.0.0.1~{name}~local", "cluster": name},
        "admin": {"address": address(0)},
        "static_resources": {
            "listeners": listeners,
            "clusters": [*clusters, cluster("spangate", collector_port, http2=True)],
        },
        "layered_runtime": {
            "layers": [
                {"name": "static", "static_layer": runtime},
                # What `set_runtime` changes.
                {"name": "admin", "admin_layer": {}},
            ]
        },
    }


def tracer(service, attributes=None):
    """Tracing as `service`; `attributes` go into the resource."""
    result = {
        "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
        "grpc_service": {"envoy_grpc": {"cluster_name": "spangate"}, "timeout": "5s"},
        "service_name": service,
    }
    if attributes:
        detector = {
            "@type": "type.googleapis.com/envoy.extensions.tracers.opentelemetry"
            ".resource_detectors.v3.StaticConfigResourceDetectorConfig",
            "attributes": attributes,
        }
        result["resource_detectors"] = [
            {
                "name": "envoy.tracers.opentelemetry.resource_detectors.static_config",
                "typed_config": detector,
            }
        ]
    return result


# By their names in Istio's access logs.
ACCESS_LOG_FIELDS = {
    "authority": "%REQ(:AUTHORITY)%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "duration": "%DURATION%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(:PATH)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "upstream_cluster": "%UPSTREAM_CLUSTER%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
}


def access_log(service, host, direction):
    """An access log over OTLP, in the name of `service` at `host`."""
    fields = {"traffic_direction": direction, **ACCESS_LOG_FIELDS}
    return {
        "name": "envoy.access_loggers.open_telemetry",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.open_telemetry.v3"
            ".OpenTelemetryAccessLogConfig",
            "log_name": "requests",
            "grpc_service": {"envoy_grpc": {"cluster_name": "spangate"}, "timeout": "5s"},
            "buffer_flush_interval": "0.1s",
            "resource_attributes": key_values({"service.name": service, "host.ip": host}),
            "attributes": key_values(fields),
        },
    }


def key_values(values):
    pairs = [{"key": key, "value": {"string_value": value}} for key, value in values.items()]
    return {"values": pairs}


def virtual_host(name, domain, route):
    routes = [{"match": {"prefix": "/"}, "route": route}]
    return {"name": name, "domains": [domain], "routes": routes}


def listener(
    name,
    direction,
    virtual_hosts,
    tracer,
    *,
    filters=(),
    host="127.0.0.1",
    spawn_upstream_span=False,
    access_log=None,
):
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": virtual_hosts},
        "http_filters": [*filters, {"name": "envoy.filters.http.router", "typed_config": router}],
    }
    if tracer:
        manager["tracing"] = {
            "provider": {"name": "envoy.tracers.opentelemetry", "typed_config": tracer},
            "spawn_upstream_span": spawn_upstream_span,
        }
    if access_log:
        manager["access_log"] = [access_log]
    return {
        "name": name,
        "address": address(0, host),
        "traffic_direction": direction,
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": manager,
                    }
                ]
            }
        ],
    }


def address(port, host="127.0.0.1"):
    return {"socket_address": {"address": host, "port_value": port}}


def cluster(name, port, http2=False, host="127.0.0.1"):
    result = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port, host)}}]}],
        },
    }
    if http2:
        result["typed_extension_protocol_options"] = {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3"
                ".HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        }
    return result


def get(port, path, headers, host="127.0.0.1"):
    """GET on loopback; returns the status, whatever it is."""
    request = urllib.request.Request(f"http://{host}:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return answer.status
    except urllib.error.HTTPError as refusal:
        refusal.read()
        return refusal.code
