"""The OpenTelemetry SDK for Python, with its own exporters, over every transport it has."""

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GRPCExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HTTPExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode
from support.gateway import edges, nodes

SERVICES = ("frontend", "checkout", "payment")
REQUESTS = 20
FAILED = 4  # payment fails, and checkout hides it


def grpc_exporter(gateway, compression):
    return GRPCExporter(
        endpoint=f"http://127.0.0.1:{gateway.grpc_port}", insecure=True, compression=compression
    )


def http_exporter(gateway, compression):
    return HTTPExporter(endpoint=f"{gateway.http}/v1/traces", compression=compression)


TRANSPORTS = {
    "grpc": (grpc_exporter, grpc.Compression.NoCompression),
    "grpc-gzip": (grpc_exporter, grpc.Compression.Gzip),
    "http": (http_exporter, Compression.NoCompression),
    "http-gzip": (http_exporter, Compression.Gzip),
}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_three_services_and_a_database(gateway, transport):
    make_exporter, compression = TRANSPORTS[transport]
    providers = {}
    for service in SERVICES:
        providers[service] = TracerProvider(resource=Resource.create({"service.name": service}))
        exporter = make_exporter(gateway, compression)
        providers[service].add_span_processor(BatchSpanProcessor(exporter))
    tracers = {name: provider.get_tracer("acceptance") for name, provider in providers.items()}
    for number in range(REQUESTS):
        one_request(tracers, payment_fails=number < FAILED)
    for provider in providers.values():
        assert provider.force_flush(10_000)
        provider.shutdown()

    graph = gateway.graph()

    database = [node["id"] for node in graph["nodes"] if node["kind"] == "database"]
    assert database == ["database:orders-db"]
    assert edges(graph) == {
        ("frontend", "checkout"): (REQUESTS, 0),
        ("checkout", "payment"): (REQUESTS, FAILED),
        ("checkout", database[0]): (REQUESTS, 0),
    }
    assert {id: counts for id, counts in nodes(graph).items() if id in SERVICES} == {
        "frontend": (REQUESTS, 0),
        "checkout": (REQUESTS, 0),
        "payment": (REQUESTS, FAILED),
    }
    assert len(graph["nodes"]) == len(SERVICES) + 1
    types = {edge["server"]: edge["connection_type"] for edge in graph["edges"]}
    assert types == {"checkout": "", "payment": "", database[0]: "database"}
    assert graph["coverage"]["spans"] == REQUESTS * 6
    assert graph["coverage"]["traces"] == REQUESTS


def one_request(tracers, payment_fails):
    """frontend calls checkout; checkout asks its database and calls payment."""
    with tracers["frontend"].start_as_current_span("GET /", kind=SpanKind.SERVER):
        with tracers["frontend"].start_as_current_span("POST /checkout", kind=SpanKind.CLIENT):
            with tracers["checkout"].start_as_current_span("POST /checkout", kind=SpanKind.SERVER):
                query = {
                    "db.system.name": "postgresql",
                    "db.namespace": "orders",
                    "server.address": "orders-db",
                }
                with tracers["checkout"].start_as_current_span(
                    "SELECT orders", kind=SpanKind.CLIENT, attributes=query
                ):
                    pass
                with tracers["checkout"].start_as_current_span("POST /pay", kind=SpanKind.CLIENT):
                    fail_if(payment_fails)
                    with tracers["payment"].start_as_current_span(
                        "POST /pay", kind=SpanKind.SERVER
                    ):
                        fail_if(payment_fails)


def fail_if(failed):
    if failed:
        trace.get_current_span().set_status(StatusCode.ERROR)
