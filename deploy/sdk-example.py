"""Three services and a database, traced with the OpenTelemetry SDK.

Where the spans go is read from the environment by the exporter:
OTEL_EXPORTER_OTLP_ENDPOINT, http://localhost:4318 if it is not set.
"""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

# In a real system each of these is a process of its own, and the context travels in headers.
providers = {}
for name in ("frontend", "checkout", "payment"):
    providers[name] = TracerProvider(resource=Resource.create({"service.name": name}))
    providers[name].add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


def span(service, name, kind, **attributes):
    tracer = providers[service].get_tracer("example")
    return tracer.start_as_current_span(name, kind=kind, attributes=attributes)


for _ in range(20):
    with span("frontend", "GET /", SpanKind.SERVER):
        with span("frontend", "POST /checkout", SpanKind.CLIENT):
            with span("checkout", "POST /checkout", SpanKind.SERVER):
                query = {"db.system.name": "postgresql", "db.namespace": "orders"}
                with span("checkout", "SELECT orders", SpanKind.CLIENT, **query):
                    pass
                with span("checkout", "POST /pay", SpanKind.CLIENT):
                    with span("payment", "POST /pay", SpanKind.SERVER):
                        pass

for provider in providers.values():
    provider.shutdown()
