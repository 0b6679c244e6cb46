"""Records what real Envoys send, as OTLP JSON: run it to renew Tests/Fixtures/envoy and
Tests/Fixtures/envoy-access-logs.

.venv/bin/python Tests/Acceptance/record_envoy.py
"""

import json
import tempfile
from pathlib import Path

from support.mesh import Mesh
from support.otlp import message_to_json
from support.sink import Sink

FIXTURES = Path(__file__).parent.parent / "Fixtures" / "envoy"
ACCESS_LOGS = Path(__file__).parent.parent / "Fixtures" / "envoy-access-logs"


def record(file_name, names, outcomes, spans, before=lambda mesh: None, **settings):
    """Sends one request per outcome through a mesh and writes all it exported to one file."""
    with Sink() as sink, tempfile.TemporaryDirectory() as folder:
        with Mesh(names, sink.port, folder=Path(folder), **settings) as mesh:
            before(mesh)
            mesh.send(outcomes)
            sink.wait_for(spans)
        groups = [group for _, request in sink.requests for group in request.resource_spans]
        document = {"resourceSpans": [message_to_json(group) for group in groups]}
    (FIXTURES / file_name).write_text(json.dumps(document, indent=1) + "\n")
    print(file_name, len(sink.spans()), "spans")


def record_access_logs():
    """The access logs of the chain, without any tracing: five records a request."""
    with Sink() as sink, tempfile.TemporaryDirectory() as folder:
        chain = Mesh(
            ["a", "b", "c"], sink.port, False, Path(folder), tracing=False, access_logs=True
        )
        with chain as mesh:
            mesh.send(["ok", "failed", "absorbed"])
            sink.logs.wait_for(15)
        document = {"resourceLogs": [message_to_json(group) for group in sink.logs.groups]}
    ACCESS_LOGS.mkdir(parents=True, exist_ok=True)
    (ACCESS_LOGS / "chain.json").write_text(json.dumps(document, indent=1) + "\n")
    print("access logs of the chain")


def application_down(mesh):
    mesh.applications[0].stop()


def next_hop_down(mesh):
    mesh.envoys[0].stop()


def main():
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for suffix, spawn in (("", False), ("-upstream-span", True)):
        chain = {"names": ["a", "b", "c"], "outcomes": ["ok", "failed", "absorbed"]}
        record(f"chain{suffix}.json", **chain, spans=30 if spawn else 15, spawn_upstream_span=spawn)
        pair = {"names": ["a", "b"], "outcomes": ["failed"], "spawn_upstream_span": spawn}
        record(f"retry{suffix}.json", **pair, spans=9 if spawn else 4, retries=1)
        record(
            f"application-down{suffix}.json",
            **pair,
            spans=6 if spawn else 3,
            before=application_down,
        )
        record(f"next-hop-down{suffix}.json", **pair, spans=4 if spawn else 2, before=next_hop_down)
    record_access_logs()


if __name__ == "__main__":
    main()
