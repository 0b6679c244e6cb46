"""Records what a pair of real Caddys sends, as OTLP JSON: run it to renew Tests/Fixtures/caddy.

.venv/bin/python Tests/Acceptance/record_caddy.py
"""

import json
import tempfile
from pathlib import Path

from support.caddy import Caddy
from support.otlp import message_to_json
from support.sink import Sink

FIXTURES = Path(__file__).parent.parent / "Fixtures" / "caddy"


def main():
    FIXTURES.mkdir(parents=True, exist_ok=True)
    with Sink() as sink, tempfile.TemporaryDirectory() as folder:
        tracing = {"endpoint": f"http://127.0.0.1:{sink.port}", "protocol": "grpc"}
        site = "respond /bad 503\n respond /good 200"
        with Caddy("backend", site, folder=Path(folder) / "backend", **tracing) as backend:
            site = f"reverse_proxy 127.0.0.1:{backend.port}"
            with Caddy("edge", site, folder=Path(folder) / "edge", **tracing) as edge:
                print(edge.get("/good"), edge.get("/bad"))
        sink.wait_for(4)
        groups = [group for _, request in sink.requests for group in request.resource_spans]
        document = {"resourceSpans": [message_to_json(group) for group in groups]}
    (FIXTURES / "reverse-proxy.json").write_text(json.dumps(document, indent=1) + "\n")
    print(len(sink.spans()), "spans")


if __name__ == "__main__":
    main()
