"""An hour of a large system, made fast: the requests of one minute are written once, and for every
other minute only the times and the ids in them are changed."""

import struct

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from support import otlp

SERVICES, CALLED_BY_EACH, OPERATIONS_OF_EACH = 1_000, 10, 20
EDGES = SERVICES * CALLED_BY_EACH
OPERATIONS = SERVICES * OPERATIONS_OF_EACH
CALLERS_IN_A_REQUEST = 250

# What stands in the template where a minute puts its own. Ids end in the number of the minute.
START, END, MINUTE = (struct.pack("<Q", 0x7A5A_5A5A_5A5A_5A00 + place) for place in range(3))


def service(number):
    return f"service-{number % SERVICES:04}"


def minute():
    """The requests of one minute, as templates: every call of every service once, alternately to
    either of the two operations the callee has for this caller."""
    return [
        [template(first, parity) for first in range(0, SERVICES, CALLERS_IN_A_REQUEST)]
        for parity in range(2)
    ]


def template(first, parity):
    request = ExportTraceServiceRequest()
    groups = {}
    for caller in range(first, first + CALLERS_IN_A_REQUEST):
        for step in range(CALLED_BY_EACH):
            callee = (caller + 1 + step * 7) % SERVICES
            operation = f"GET /{step * 2 + parity:02}"
            trace = struct.pack(">II", caller, step) + MINUTE
            root, child = (struct.pack(">HHI", caller, step, place) for place in (1, 2))
            add(request, groups, caller, trace, root, b"", operation)
            add(request, groups, callee, trace, child, root, operation)
    return request.SerializeToString()


def add(request, groups, number, trace, span, parent, operation):
    if number not in groups:
        group = request.resource_spans.add()
        for key, value in (
            ("service.name", service(number)),
            ("service.version", "v1"),
            ("service.instance.id", f"instance-{number}"),
        ):
            group.resource.attributes.add(key=key).value.string_value = value
        groups[number] = group.scope_spans.add()
    groups[number].spans.add(
        trace_id=trace,
        span_id=span,
        parent_span_id=parent,
        name=operation,
        kind=otlp.SERVER,
        start_time_unix_nano=struct.unpack("<Q", START)[0],
        end_time_unix_nano=struct.unpack("<Q", END)[0],
    )


def filled(template, number, start, milliseconds):
    end = start + milliseconds * otlp.MILLISECOND
    return (
        template.replace(START, struct.pack("<Q", start))
        .replace(END, struct.pack("<Q", end))
        .replace(MINUTE, struct.pack(">Q", number + 1))
    )
