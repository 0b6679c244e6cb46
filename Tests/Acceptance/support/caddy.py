"""A real Caddy with its tracing towards the gateway."""

import socket
import subprocess
import sysconfig
import time
from pathlib import Path

from support.gateway import clean_environment
from support.mesh import get


class Caddy:
    """One Caddy process; `site` is what its only site does."""

    def __init__(self, service, site, endpoint, protocol, folder):
        self.port = free_port()
        folder.mkdir(parents=True)
        self.log = folder / "log"
        self.configuration = folder / "Caddyfile"
        self.configuration.write_text(
            "{\n admin off\n auto_https off\n persist_config off\n}\n"
            f"http://127.0.0.1:{self.port} {{\n bind 127.0.0.1\n tracing {{\n  span handler\n }}\n"
            f" {site}\n}}\n"
        )
        self.environment = clean_environment() | {
            "HOME": str(folder),
            "OTEL_SERVICE_NAME": service,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def __enter__(self):
        caddy = Path(sysconfig.get_path("scripts")) / "caddy"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [caddy, "run", "--config", self.configuration, "--adapter", "caddyfile"],
                stdout=log,
                stderr=log,
                env=self.environment,
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                time.sleep(0.02)
        self.process.kill()
        raise AssertionError(f"Caddy did not start:\n{self.log.read_text()}")

    def __exit__(self, *_):
        """Ends it, which sends the spans it still has."""
        self.process.terminate()
        self.process.wait(30)

    def get(self, path):
        return get(self.port, path, {})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
