"""Spans that are joined by links alone, in traces of their own: through queues, and without."""

import json

import pytest
from support import otlp


def message(service, kind, queue, began, at, links=(), **attributes):
    """A span of 10 ms that sends or takes, so many milliseconds after `began`."""
    spans = otlp.span(
        service,
        f"{queue} {service}",
        kind,
        start=began + at * otlp.MILLISECOND,
        messaging__system="kafka",
        messaging__destination__name=queue,
        **attributes,
    )
    return spans | {"links": links}


def found(graph):
    return {
        (edge["client"], edge["server"]): (
            edge["connection_type"],
            edge["requests"],
            edge["failed"],
            edge["gap_ms"] and edge["gap_ms"]["mean"],
        )
        for edge in graph["edges"]
    }


@pytest.mark.parametrize("links_first", [False, True])
def test_batch_of_two_traces(make_gateway, links_first):
    """A batch of a subscription, out of two traces that send to its topic; the traces are analysed before
    or after the batch came, and a restart loses nothing."""
    gateway = make_gateway().start()
    # Long enough ago that nothing is in the future, where no range reaches.
    began = otlp.now() - 20 * otlp.SECOND
    sent = [message("shop", otlp.PRODUCER, "orders", began, at) for at in (0, 20)]
    taken = message("billing", otlp.CONSUMER, "orders-billing", began, 50, sent)
    for spans in ([taken], sent) if links_first else (sent, [taken]):
        otlp.send(gateway, spans)
        gateway.flush()
    expected = {
        ("shop", "messaging:orders"): ("messaging_system", 2, 0, None),
        ("messaging:orders", "billing"): ("messaging_system", 2, 0, pytest.approx(30, rel=0.03)),
    }
    graph = gateway.graph()
    assert found(graph) == expected
    assert {node["id"]: node["requests"] for node in graph["nodes"]}["messaging:orders"] == 2
    assert graph["coverage"]["spans"] == 3 and graph["coverage"]["unpaired"] == {}
    # The tools that ask in their own words are told the same names.
    zipkin = json.loads(gateway.get("/api/v2/dependencies")[1])
    jaeger = json.loads(gateway.get("/api/dependencies")[1])["data"]
    for links in (zipkin, jaeger):
        assert {(link["parent"], link["child"]) for link in links} == set(expected)
    gateway.kill()
    gateway.start()
    gateway.flush()
    assert found(gateway.graph()) == expected


@pytest.mark.parametrize("backwards", [False, True])
def test_message_of_four_traces(make_gateway, backwards):
    """A message is created, sent, received and worked on in a trace each: it counts once, in whichever
    order they come and are analysed, and after a restart."""
    gateway = make_gateway().start()
    began = otlp.now() - 20 * otlp.SECOND

    def span(service, kind, at, operation, links=()):
        kind_of = {"messaging__operation__type": operation}
        return message(service, kind, "orders", began, at, links, **kind_of)

    made = span("shop", otlp.PRODUCER, 0, "create")
    sent = span("shop", otlp.CLIENT, 20, "send", [made])
    polled = span("billing", otlp.CLIENT, 40, "receive", [made])
    worked = span("billing", otlp.CONSUMER, 60, "process", [made])
    spans = [made, sent, polled, worked]
    for one in reversed(spans) if backwards else spans:
        otlp.send(gateway, [one])
        gateway.flush()
    expected = {
        ("shop", "messaging:orders"): ("messaging_system", 1, 0, None),
        ("messaging:orders", "billing"): ("messaging_system", 1, 0, pytest.approx(10, rel=0.03)),
    }
    graph = gateway.graph()
    assert found(graph) == expected
    assert {node["id"]: node["requests"] for node in graph["nodes"]}["messaging:orders"] == 1
    gateway.kill()
    gateway.start()
    gateway.flush()
    assert found(gateway.graph()) == expected


def test_links_without_messages(make_gateway):
    """A job that links to the request that caused it, and one that links to a trace nobody sent."""
    gateway = make_gateway().start()
    request = otlp.span("shop", "POST /orders", otlp.SERVER)
    job = otlp.span("reports", "build", otlp.INTERNAL, error=True) | {"links": [request]}
    lost = otlp.span("reports", "build", otlp.INTERNAL)
    lost["links"] = [otlp.span("shop", "never sent", otlp.SERVER)]
    otlp.send(gateway, [request, job, lost])
    gateway.flush()
    graph = gateway.graph()
    assert found(graph) == {("shop", "reports"): ("link", 1, 1, None)}
    assert graph["coverage"]["unpaired"] == {"link_target_missing": 1}
    assert graph["coverage"]["spans"] == 3 and graph["coverage"]["traces"] == 3
