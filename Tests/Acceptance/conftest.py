"""Fixtures of the acceptance tests: they drive the release binary from outside, like a user."""

import pytest
from support import otlp
from support.gateway import BINARY, Gateway, edges


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} does not exist: run `make build`, or set SPANGATE_BINARY", 1)


@pytest.fixture
def make_gateway(tmp_path):
    """Makes gateways that are not started yet; those still running at the end must end well."""
    gateways = []

    def make(tls=None, **settings):
        dotted = {key.replace("__", "."): value for key, value in settings.items()}
        gateway = Gateway(tmp_path / f"gateway-{len(gateways)}", dotted, tls)
        gateways.append(gateway)
        return gateway

    yield make
    for gateway in gateways:
        if gateway.running:
            gateway.stop()


@pytest.fixture
def gateway(make_gateway):
    """A gateway that is ready, with an empty store."""
    return make_gateway().start()


@pytest.fixture
def unharmed(gateway):
    """A gateway for bad input: good traffic before and after it must be in the graph, once."""
    otlp.send(gateway, otlp.call("before-client", "before-server"))
    yield gateway
    otlp.send(gateway, otlp.call("after-client", "after-server"))
    found = edges(gateway.graph())
    assert found.get(("before-client", "before-server")) == (1, 0), found
    assert found.get(("after-client", "after-server")) == (1, 0), found
