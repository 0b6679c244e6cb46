"""Events of Kubernetes that a Collector sends as log records: they become markers."""

import datetime
import json
import time

import pytest
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from support import otlp
from support.gateway import ROOT

FIXTURES = ROOT / "Tests" / "Fixtures" / "kubernetes-events"


def send(gateway, form="json", receiver="k8seventsreceiver"):
    now = int(time.time()) - 60
    text = (FIXTURES / f"{receiver}.json").read_text().replace("NOW", str(now))
    text = text.replace("TIME", datetime.datetime.fromtimestamp(now, datetime.UTC).isoformat())
    body, content_type = text.encode(), "application/json"
    if form == "protobuf":
        body = Parse(text, ExportLogsServiceRequest()).SerializeToString()
        content_type = "application/x-protobuf"
    status, _, answer = otlp.post(f"{gateway.http}/v1/logs", body, content_type=content_type)
    return status, answer


def markers(gateway):
    status, text = gateway.get("/api/v1/markers")
    assert status == 200, text
    return sorted(json.loads(text)["markers"], key=lambda marker: marker["service"])


@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_events_become_markers_once(gateway, form):
    for _ in range(3):
        assert send(gateway, form) == (200, b"{}" if form == "json" else b"")
    rescaled, deployed = markers(gateway)
    assert (deployed["kind"], deployed["service"], deployed["namespace"]) == (
        "deployment",
        "checkout",
        "shop",
    )
    assert (deployed["version"], deployed["state"]) == ("checkout-7d9f8c6b5", "started")
    assert (rescaled["kind"], rescaled["service"]) == ("scaling", "cart")
    assert rescaled["scaling"]["to"] == 6
    assert {deployed["source"], rescaled["source"]} == {"kubernetes"}
    metrics = gateway.metrics()
    for outcome, count in (("taken", 6), ("ignored", 3), ("unreadable", 3)):
        assert f'spangate_kubernetes_events_total{{outcome="{outcome}"}} {count}' in metrics
    assert 'spangate_log_records_accepted_total{transport="http"} 12' in metrics
    assert json.loads(gateway.get("/api/v1/graph")[1])["nodes"] == []


@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_both_receivers_tell_of_the_same_changes(gateway, form):
    assert send(gateway, form, "k8sobjectsreceiver")[0] == 200
    first = markers(gateway)
    assert [(marker["service"], marker["namespace"]) for marker in first] == [
        ("cart", "shop"),
        ("checkout", "shop"),
    ]
    assert first[1]["version"] == "checkout-7d9f8c6b5" and first[0]["scaling"]["to"] == 6
    metrics = gateway.metrics()
    for outcome, count in (("taken", 3), ("ignored", 1), ("unreadable", 1)):
        assert f'spangate_kubernetes_events_total{{outcome="{outcome}"}} {count}' in metrics
    ignored = 'spangate_log_records_ignored_total{reason="kubernetes_object",transport="http"} 3'
    assert ignored in metrics
    assert send(gateway, form)[0] == 200
    assert [marker["id"] for marker in markers(gateway)] == [marker["id"] for marker in first]


def test_what_was_acknowledged_is_there_after_a_crash(make_gateway):
    gateway = make_gateway().start()
    assert send(gateway)[0] == 200
    gateway.kill()
    gateway.start()
    assert [marker["service"] for marker in markers(gateway)] == ["cart", "checkout"]
    # The sender did not hear it, and sends again.
    assert send(gateway)[0] == 200
    assert len(markers(gateway)) == 2
