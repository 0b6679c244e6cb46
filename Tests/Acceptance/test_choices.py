"""What users choose: codes that are no failures, and attributes that name the other side."""

from support import otlp
from support.gateway import edges, nodes


def test_ignored_codes(make_gateway):
    gateway = make_gateway(
        failures__ignored_http_codes="404, 410-419", failures__ignored_grpc_codes="NOT_FOUND"
    ).start()
    for attributes in (
        {"http__response__status_code": 404},
        {"http__response__status_code": "415", "error__type": "415"},
        {"rpc__grpc__status_code": 5},
        {"http__response__status_code": 420},
        {"http__response__status_code": 404, "error__type": "timeout"},
    ):
        otlp.send(gateway, [otlp.span("api", "GET /", otlp.SERVER, error=True, **attributes)])
    assert nodes(gateway.graph()) == {"api": (5, 2)}


def test_chosen_peers(make_gateway):
    gateway = make_gateway(peers__attributes="my.upstream, peer.service").start()
    spans = [otlp.span("api", "GET /", otlp.SERVER)]
    attributes = {"my__upstream": "ledger", "server__address": "10.0.0.1"}
    spans.append(otlp.span("api", "call", otlp.CLIENT, spans[0], **attributes))
    otlp.send(gateway, spans)
    assert edges(gateway.graph()) == {("api", "external:ledger"): (1, 0)}
