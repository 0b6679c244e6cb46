"""An OTLP/gRPC server that keeps what it is sent: to record what an exporter really sends."""

from concurrent import futures
from threading import Condition

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class LogSink(logs_service_pb2_grpc.LogsServiceServicer):
    """The same for logs, within a `Sink`."""

    def __init__(self, changed):
        self.groups = []
        self.changed = changed

    def Export(self, request, context):
        with self.changed:
            self.groups.extend(request.resource_logs)
            self.changed.notify_all()
        return logs_service_pb2.ExportLogsServiceResponse()

    def wait_for(self, records, seconds=30):
        """Waits until at least `records` log records have arrived."""
        with self.changed:
            arrived = self.changed.wait_for(lambda: self._count() >= records, timeout=seconds)
        assert arrived, f"{self._count()} of {records} log records arrived within {seconds} s"

    def _count(self):
        return sum(len(scope.log_records) for group in self.groups for scope in group.scope_logs)


class Sink(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self):
        self.requests = []
        self.changed = Condition()
        self.logs = LogSink(self.changed)
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self.server)
        logs_service_pb2_grpc.add_LogsServiceServicer_to_server(self.logs, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(grace=1).wait()

    def Export(self, request, context):
        metadata = {
            key: value if isinstance(value, str) else value.hex()
            for key, value in context.invocation_metadata()
        }
        with self.changed:
            self.requests.append((metadata, request))
            self.changed.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def spans(self):
        """All spans so far, as (resource attributes, span)."""
        with self.changed:
            requests = list(self.requests)
        return [
            ({a.key: a.value.string_value for a in group.resource.attributes}, span)
            for _, request in requests
            for group in request.resource_spans
            for scope in group.scope_spans
            for span in scope.spans
        ]

    def wait_for(self, spans, seconds=30):
        """Waits until at least `spans` spans have arrived."""
        with self.changed:
            arrived = self.changed.wait_for(lambda: self._count() >= spans, timeout=seconds)
        assert arrived, f"{self._count()} of {spans} spans arrived within {seconds} s"

    def _count(self):
        return sum(
            len(scope.spans)
            for _, request in self.requests
            for group in request.resource_spans
            for scope in group.scope_spans
        )
