"""Records what the OpenTelemetry SDK for Python really sends, as OTLP JSON: run it to renew
Tests/Fixtures/opentelemetry-python.

.venv/bin/python Tests/Acceptance/record_sdk.py

A small shop of three services, each with its own tracer: `web` calls `orders` by HTTP, which asks a
database and sends a message that `mail` takes; a second request fails in the database. The context goes
from one to the next as the SDK's propagator writes it into headers.
"""

import json
import sysconfig
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, get_current_span
from support.otlp import message_to_json

FIXTURES = Path(__file__).resolve().parents[1] / "Fixtures" / "opentelemetry-python"
QUEUE = {"messaging.system": "kafka", "messaging.destination.name": "receipts"}


class Sink(BaseHTTPRequestHandler):
    groups = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.groups.extend(ExportTraceServiceRequest.FromString(body).resource_spans)
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Service:
    def __init__(self, name, version, endpoint):
        resource = {
            "service.name": name,
            "service.namespace": "shop",
            "service.version": version,
            "service.instance.id": f"{name}-1",
            "deployment.environment.name": "test",
        }
        self.provider = TracerProvider(resource=Resource.create(resource))
        self.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
        self.tracer = self.provider.get_tracer("shop", version)

    def span(self, name, kind, attributes, **more):
        return self.tracer.start_as_current_span(name, kind=kind, attributes=attributes, **more)


def buy(web, orders, mail, *, fails):
    """One purchase: a request to `web`, with all that follows."""
    server = {"http.request.method": "POST", "url.path": "/buy", "url.scheme": "http"}
    with web.span("POST /buy", SpanKind.SERVER, server | {"http.route": "/buy"}):
        client = {
            "http.request.method": "POST",
            "server.address": "orders",
            "server.port": 8080,
            "url.full": "http://orders:8080/orders",
        }
        with web.span("POST", SpanKind.CLIENT, client) as call:
            headers = {}
            inject(headers)
            code = take_order(orders, mail, headers, fails=fails)
            call.set_attribute("http.response.status_code", code)
            if code >= 400:
                call.set_attribute("error.type", str(code))
        get_current_span().set_attribute("http.response.status_code", code)


def take_order(orders, mail, headers, *, fails):
    server = {
        "http.request.method": "POST",
        "http.route": "/orders",
        "url.path": "/orders",
        "url.scheme": "http",
    }
    context = extract(headers)
    with orders.span("POST /orders", SpanKind.SERVER, server, context=context) as request:
        code = 200
        try:
            store(orders, fails=fails)
            post = QUEUE | {"messaging.operation.name": "send", "messaging.operation.type": "send"}
            with orders.span("send receipts", SpanKind.PRODUCER, post):
                message = {}
                inject(message)
            send_mail(mail, message)
        except TimeoutError:
            code = 503
            request.set_attribute("error.type", str(code))
        request.set_attribute("http.response.status_code", code)
        return code


def store(orders, *, fails):
    query = {
        "db.system.name": "postgresql",
        "db.namespace": "shop",
        "db.query.text": "INSERT INTO orders VALUES ($1)",
        "db.operation.name": "INSERT",
        "server.address": "db.shop.example",
        "server.port": 5432,
    }
    with orders.span("INSERT shop.orders", SpanKind.CLIENT, query):
        if fails:
            raise TimeoutError("no answer within 2 s")


def send_mail(mail, message):
    """In a trace of its own, with a link to who sent the message."""
    sent = get_current_span(extract(message)).get_span_context()
    take = QUEUE | {"messaging.operation.name": "process", "messaging.operation.type": "process"}
    links = [Link(sent)]
    kind = SpanKind.CONSUMER
    with mail.span("process receipts", kind, take, links=links, context=extract({})):
        with mail.span("render", SpanKind.INTERNAL, {}):
            pass


def main():
    FIXTURES.mkdir(parents=True, exist_ok=True)
    sink = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    Thread(target=sink.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{sink.server_port}/v1/traces"
    services = [
        Service("web", "1.4.0", endpoint),
        Service("orders", "2.0.1", endpoint),
        Service("mail", "0.9", endpoint),
    ]
    buy(*services, fails=False)
    buy(*services, fails=True)
    for service in services:
        service.provider.shutdown()
    sink.shutdown()
    document = {"resourceSpans": [message_to_json(group) for group in Sink.groups]}
    text = json.dumps(document, indent=1) + "\n"
    # The exception's stack trace names where this machine has its files.
    for folder in [sysconfig.get_path("purelib"), str(FIXTURES.parents[2])]:
        text = text.replace(f"{folder}/", "")
    (FIXTURES / "shop.json").write_text(text)
    spans = [span for group in Sink.groups for scope in group.scope_spans for span in scope.spans]
    print(len(spans), "spans")


if __name__ == "__main__":
    main()
