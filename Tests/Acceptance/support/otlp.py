"""Spans as senders write them: a small way to say a trace, and the ways to send it."""

import base64
import gzip
import json
import secrets
import time
import urllib.error
import urllib.request

from google.protobuf.json_format import MessageToDict, ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
ERROR = 2
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

ID_FIELDS = {"traceId", "spanId", "parentSpanId"}


def now():
    return time.time_ns()


def span(
    service, name, kind, parent=None, *, start=None, milliseconds=10, error=False, **attributes
):
    """One span as a dictionary; `parent` is a span made the same way.

    A child starts a millisecond after its parent and is two milliseconds shorter, if nothing else
    is said. Attribute names are given with `__` for the dot.
    """
    if parent is not None:
        start = start or parent["start"] + MILLISECOND
        milliseconds = min(milliseconds, max(1, parent["milliseconds"] - 2))
    start = start or now() - milliseconds * MILLISECOND
    return {
        "service": service,
        "name": name,
        "kind": kind,
        "trace": parent["trace"] if parent else secrets.token_hex(16),
        "id": secrets.token_hex(8),
        "parent": parent["id"] if parent else "",
        "start": start,
        "milliseconds": milliseconds,
        "error": error,
        "attributes": {key.replace("__", "."): value for key, value in attributes.items()},
    }


def request(spans):
    """An OTLP/JSON request of `spans`: one group per service, in order of first appearance."""
    groups = {}
    for each in spans:
        groups.setdefault(each["service"], []).append(each)
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [attribute("service.name", service)]},
                "scopeSpans": [
                    {"scope": {"name": "acceptance"}, "spans": [json_span(s) for s in group]}
                ],
            }
            for service, group in groups.items()
        ]
    }


def json_span(each):
    result = {
        "traceId": each["trace"],
        "spanId": each["id"],
        "name": each["name"],
        "kind": each["kind"],
        "startTimeUnixNano": str(each["start"]),
        "endTimeUnixNano": str(each["start"] + each["milliseconds"] * MILLISECOND),
        "attributes": [attribute(key, value) for key, value in each["attributes"].items()],
    }
    if each["parent"]:
        result["parentSpanId"] = each["parent"]
    if each["error"]:
        result["status"] = {"code": ERROR}
    if each.get("links"):
        result["links"] = [{"traceId": at["trace"], "spanId": at["id"]} for at in each["links"]]
    return result


def attribute(key, value):
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}
    return {"key": key, "value": {"stringValue": value}}


def call(client, server, *, start=None, error=False):
    """A trace of one call: SERVER span in `client`, its CLIENT span, SERVER span in `server`."""
    root = span(client, "GET /", SERVER, start=start, error=error)
    out = span(client, "GET /next", CLIENT, root, error=error)
    return [root, out, span(server, "GET /next", SERVER, out, error=error)]


def to_protobuf(document):
    """The same request in protobuf (protobuf's own JSON would read ids as base64)."""
    return ParseDict(recode_ids(document, hex_to_base64), ExportTraceServiceRequest())


def message_to_json(message):
    """A protobuf message as OTLP JSON: ids in hex, enums as numbers."""
    return recode_ids(MessageToDict(message, use_integers_for_enums=True), base64_to_hex)


def recode_ids(value, recode):
    if isinstance(value, list):
        return [recode_ids(each, recode) for each in value]
    if isinstance(value, dict):
        return {
            key: recode(each) if key in ID_FIELDS else recode_ids(each, recode)
            for key, each in value.items()
        }
    return value


def hex_to_base64(text):
    return base64.b64encode(bytes.fromhex(text)).decode()


def base64_to_hex(text):
    return base64.b64decode(text).hex()


def post(url, body, content_type="application/json", encoding=None, method="POST", timeout=60):
    """One HTTP request; returns (status, headers, body) whatever the status is."""
    headers = {"content-type": content_type} if content_type else {}
    if encoding:
        headers["content-encoding"] = encoding
    asked = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, refusal.read()


def send(gateway, spans, compressed=False):
    """Sends spans as protobuf over HTTP and expects that every one is taken."""
    body = to_protobuf(request(spans)).SerializeToString()
    if compressed:
        body = gzip.compress(body)
    status, _, answer = post(
        f"{gateway.http}/v1/traces",
        body,
        content_type="application/x-protobuf",
        encoding="gzip" if compressed else None,
    )
    assert status == 200, (status, answer)
    response = ExportTraceServiceResponse.FromString(answer)
    assert not response.HasField("partial_success"), response


def send_json(gateway, document, path="/v1/traces"):
    """Sends a request as JSON; returns (status, decoded body)."""
    status, _, answer = post(gateway.http + path, json.dumps(document).encode())
    return status, json.loads(answer)
