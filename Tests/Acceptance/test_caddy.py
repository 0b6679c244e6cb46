"""Two real Caddys, one in front of the other: every span is of kind SERVER."""

import pytest
from support.caddy import Caddy
from support.gateway import edges, nodes

GOOD, BAD = 20, 5


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_a_proxy_in_front_of_a_server(gateway, tmp_path, protocol):
    port = gateway.grpc_port if protocol == "grpc" else gateway.http_port
    tracing = {"endpoint": f"http://127.0.0.1:{port}", "protocol": protocol}
    site = "respond /bad 503\n respond /good 200"
    with Caddy("backend", site, folder=tmp_path / "backend", **tracing) as backend:
        site = f"reverse_proxy 127.0.0.1:{backend.port}"
        with Caddy("edge", site, folder=tmp_path / "edge", **tracing) as edge:
            assert [edge.get("/good") for _ in range(GOOD)] == [200] * GOOD
            assert [edge.get("/bad") for _ in range(BAD)] == [503] * BAD

    graph = gateway.graph()

    assert edges(graph) == {("edge", "backend"): (GOOD + BAD, BAD)}
    assert nodes(graph) == {"edge": (GOOD + BAD, BAD), "backend": (GOOD + BAD, BAD)}
