"""gRPC written frame by frame, for requests that no gRPC library would send."""

import socket
import struct
import time

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def message(body, flag=0):
    """One length-prefixed gRPC message."""
    return struct.pack(">BI", flag, len(body)) + body


class Answer:
    """What came back on one stream."""

    def __init__(self):
        self.headers = {}
        self.trailers = {}
        self.body = b""
        self.reset = None
        self.ended = False

    @property
    def http_status(self):
        return int(self.headers[":status"])

    @property
    def grpc_status(self):
        status = (self.headers | self.trailers).get("grpc-status")
        return None if status is None else int(status)

    @property
    def grpc_message(self):
        return (self.headers | self.trailers).get("grpc-message", "")


class Connection:
    """One HTTP/2 connection to the gRPC port."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.connection = H2Connection(H2Configuration(header_encoding="utf-8"))
        self.connection.initiate_connection()
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def call(self, body, path=EXPORT, end=True, seconds=30, **headers):
        """Sends one request and reads until its stream ends. `body` may be None."""
        self.connection.max_outbound_frame_size = 16384
        stream = self.connection.get_next_available_stream_id()
        fields = {"content-type": "application/grpc", "te": "trailers"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        pseudo = [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", path)]
        listed = pseudo + [(name, value) for name, value in fields.items() if value is not None]
        self.connection.send_headers(stream, listed, end_stream=end and body is None)
        if body is not None:
            self.connection.send_data(stream, body, end_stream=end)
        self.flush()
        return self.read(stream, seconds)

    def flush(self):
        self.socket.sendall(self.connection.data_to_send())

    def read(self, stream, seconds):
        answer = Answer()
        deadline = time.monotonic() + seconds
        while not answer.ended and time.monotonic() < deadline:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                break
            if not data:
                break
            for event in self.connection.receive_data(data):
                if isinstance(event, ConnectionTerminated):
                    answer.ended = True
                elif getattr(event, "stream_id", None) == stream:
                    take(answer, event)
            self.flush()
        return answer


def take(answer, event):
    if isinstance(event, ResponseReceived):
        answer.headers = dict(event.headers)
    elif isinstance(event, TrailersReceived):
        answer.trailers = dict(event.headers)
    elif isinstance(event, DataReceived):
        answer.body += event.data
    elif isinstance(event, StreamReset):
        answer.reset = event.error_code
        answer.ended = True
    elif isinstance(event, StreamEnded):
        answer.ended = True
