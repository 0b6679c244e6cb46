"""Markers: announced over HTTP and on the command line, kept, merged with what the spans show."""

import json
import time

import pytest
from support import otlp
from support.gateway import run

MARKERS = "/api/v1/markers"
DEPLOYMENT = {"kind": "deployment", "service": "checkout", "version": "v42"}
QUICK = {"traces__idle": "100ms", "traces__max_age": "1s", "traces__remember": "100ms"}


def post(gateway, marker):
    """Posts a marker, as an object or as bytes; returns (status, decoded answer)."""
    body = marker if isinstance(marker, bytes) else json.dumps(marker).encode()
    status, _, answer = otlp.post(gateway.query + MARKERS, body)
    return status, json.loads(answer)


def listed(gateway, **parameters):
    status, text = gateway.get(MARKERS, **parameters)
    assert status == 200, (status, text)
    return json.loads(text)["markers"]


def shown(gateway, marker):
    status, text = gateway.get(f"{MARKERS}/{marker}")
    return status, json.loads(text)


def calls_of(version, start=None):
    """A request to a version of the service checkout."""
    spans = otlp.call("frontend", "checkout", start=start)
    document = otlp.request(spans)
    for group in document["resourceSpans"]:
        attributes = group["resource"]["attributes"]
        if attributes[0]["value"]["stringValue"] == "checkout":
            attributes.append(otlp.attribute("service.version", version))
    return document


def test_the_life_of_a_marker(gateway):
    marker = DEPLOYMENT | {
        "namespace": "shop",
        "environment": "prod",
        "previous_version": "v41",
        "source": "github",
        "dedupe_key": "run 7",
        "url": "https://example.org/7",
        "attributes": {"commit": "abc", "tries": 2, "manual": False},
    }
    status, answer = post(gateway, marker)
    assert status == 201
    assert post(gateway, marker) == (200, answer)
    status, kept = shown(gateway, answer["id"])
    assert status == 200
    assert marker.items() <= kept.items()
    assert kept["inferred"] is False
    assert listed(gateway, service="shop/checkout", kind="deployment") == [kept]
    assert listed(gateway, service="cart") == []
    assert gateway.ask("DELETE", f"{MARKERS}/{answer['id']}") == (204, "")
    assert gateway.ask("DELETE", f"{MARKERS}/{answer['id']}")[0] == 404
    assert shown(gateway, answer["id"])[0] == 404
    assert listed(gateway) == []


def test_a_marker_survives_a_kill(make_gateway):
    gateway = make_gateway().start()
    status, answer = post(gateway, DEPLOYMENT)
    assert status == 201
    gateway.kill()
    gateway.start()
    assert [marker["id"] for marker in listed(gateway)] == [answer["id"]]


@pytest.mark.parametrize(
    ("change", "field", "hint"),
    [
        ({"kind": "deploy"}, "kind", "deployment"),
        ({"kind": None}, "kind", "required"),
        ({"service": None}, "service", "required"),
        ({"service": 7}, "service", "text"),
        ({"versoin": "v42"}, "versoin", "version"),
        ({"time": "tomorrow"}, "time", "RFC 3339"),
        ({"time": int(time.time()) + 3600}, "time", "future"),
        ({"time": 1_700_000_000, "end_time": 1_600_000_000}, "end_time", "before"),
        ({"kind": "scaling", "scaling": {"to": "many"}}, "scaling.to", "whole number"),
        ({"attributes": {"a": {"b": 1}}}, "attributes.a", "object"),
        ({"url": "javascript:alert(1)"}, "url", "https"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_with_a_marker(unharmed, change, field, hint):
    status, problem = post(unharmed, DEPLOYMENT | change)
    assert status == 400
    assert problem["status"] == 400
    messages = {error["field"]: error["message"] for error in problem["errors"]}
    assert list(messages) == [field]
    assert hint.lower() in messages[field].lower()
    assert listed(unharmed) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 50_000, b"null"])
def test_bodies_that_are_no_marker(unharmed, body):
    status, problem = post(unharmed, body)
    assert status == 400
    assert "checkout" in problem["detail"]


def test_a_body_that_is_too_large(unharmed):
    status, problem = post(unharmed, b" " * (10 << 20))
    assert status == 400
    assert [error["field"] for error in problem["errors"]] == ["body"]
    assert "65536 bytes" in problem["detail"]


def test_a_deployment_is_inferred_and_merges_into_the_announced_one(make_gateway):
    gateway = make_gateway(**QUICK).start()
    begun = otlp.now() - 60 * otlp.SECOND
    assert otlp.send_json(gateway, calls_of("v1", start=begun))[0] == 200
    assert otlp.send_json(gateway, calls_of("v2", start=begun + 30 * otlp.SECOND))[0] == 200
    gateway.wait(lambda: listed(gateway), "infer a deployment")
    (inferred,) = listed(gateway)
    assert (inferred["kind"], inferred["service"]) == ("deployment", "checkout")
    assert (inferred["version"], inferred["previous_version"]) == ("v2", "v1")
    assert inferred["inferred"] is True
    # Not again after a restart, by the same version.
    gateway.stop()
    gateway.start()
    assert listed(gateway) == [inferred]
    assert otlp.send_json(gateway, calls_of("v2"))[0] == 200
    status, answer = post(gateway, DEPLOYMENT | {"version": "v2"})
    assert status == 201
    assert [marker["id"] for marker in listed(gateway)] == [answer["id"]]
    assert shown(gateway, inferred["id"]) == shown(gateway, answer["id"])
    # A version that was announced before its first span is not inferred beside it.
    status, announced = post(gateway, DEPLOYMENT | {"version": "v3"})
    assert status == 201
    assert otlp.send_json(gateway, calls_of("v3"))[0] == 200
    assert otlp.send_json(gateway, calls_of("v4", start=begun + 40 * otlp.SECOND))[0] == 200
    gateway.wait(lambda: "v4" in versions(gateway), "infer another deployment")
    assert sorted(versions(gateway)) == ["v2", "v3", "v4"]
    assert announced["id"] in {marker["id"] for marker in listed(gateway)}


def resource(document, service, **attributes):
    """Adds attributes to the resource of one service of a request."""
    for group in document["resourceSpans"]:
        present = group["resource"]["attributes"]
        if present[0]["value"]["stringValue"] == service:
            present += [
                otlp.attribute(key.replace("__", "."), value) for key, value in attributes.items()
            ]
    return document


def test_a_version_that_only_the_image_names(make_gateway):
    gateway = make_gateway(**QUICK).start()
    begun = otlp.now() - 120 * otlp.SECOND
    for index, tag in enumerate(["v1", "v2", "latest"]):
        document = otlp.request(
            otlp.call("frontend", "checkout", start=begun + 30 * index * otlp.SECOND)
        )
        resource(document, "checkout", container__image__tag=tag, k8s__replicaset__name="c-7")
        assert otlp.send_json(gateway, document)[0] == 200
    gateway.wait(lambda: len(listed(gateway)) == 2, "infer two deployments")
    assert versions(gateway) == ["c-7", "v2"]


def test_a_scaling_is_inferred_and_merges_into_the_announced_one(make_gateway):
    gateway = make_gateway(**QUICK).start()
    begun = otlp.now() - 40 * 60 * otlp.SECOND
    for minute in range(25):
        for instance in ("a", "b", "c") if minute >= 12 else ("a", "b"):
            start = begun + minute * 60 * otlp.SECOND
            document = otlp.request(otlp.call("frontend", "checkout", start=start))
            resource(document, "checkout", service__instance__id=instance)
            assert otlp.send_json(gateway, document)[0] == 200
    gateway.wait(lambda: listed(gateway, kind="scaling"), "infer a scaling")
    (inferred,) = listed(gateway)
    assert (inferred["service"], inferred["inferred"]) == ("checkout", True)
    assert inferred["scaling"] == {"from": 2, "to": 3}
    assert "rollout" not in inferred["attributes"]
    status, answer = post(
        gateway,
        {"kind": "scaling", "service": "checkout", "time": inferred["time"], "scaling": {"to": 3}},
    )
    assert status == 201
    assert [marker["id"] for marker in listed(gateway)] == [answer["id"]]
    assert shown(gateway, inferred["id"]) == shown(gateway, answer["id"])


def test_a_change_moves_on_whatever_order_its_messages_come_in(gateway):
    told = [
        {"state": "started", "time": "2026-11-23T08:00:00Z"},
        {"state": "in_progress", "time": "2026-11-23T08:01:00Z", "url": "https://ci/7"},
        {"state": "finished", "time": "2026-11-23T08:05:00Z"},
    ]
    seen = []
    for key, order in (("a", (0, 1, 2)), ("b", (2, 0, 1)), ("c", (1, 2, 2, 0))):
        for index in order:
            status, answer = post(gateway, DEPLOYMENT | told[index] | {"dedupe_key": key})
            assert status in (200, 201)
        marker = shown(gateway, answer["id"])[1]
        seen.append({k: v for k, v in marker.items() if k not in ("id", "dedupe_key")})
    assert seen[0] == seen[1] == seen[2]
    assert (seen[0]["state"], seen[0]["url"]) == ("finished", "https://ci/7")
    assert seen[0]["time"] == told[0]["time"] and seen[0]["end_time"] == told[2]["time"]
    wrong = DEPLOYMENT | {"state": "started", "end_time": int(time.time())}
    status, problem = post(gateway, wrong)
    assert (status, problem["errors"][0]["field"]) == (400, "end_time")
    status, problem = post(gateway, DEPLOYMENT | {"state": "done"})
    assert (status, problem["errors"][0]["field"]) == (400, "state")


def versions(gateway):
    return [marker["version"] for marker in listed(gateway)]


def test_markers_of_a_service(gateway):
    assert otlp.send_json(gateway, calls_of("v42"))[0] == 200
    gateway.flush()
    status, answer = post(gateway, DEPLOYMENT)
    assert status == 201
    assert post(gateway, DEPLOYMENT | {"service": "cart"})[0] == 201
    status, text = gateway.get("/api/v1/services/-/checkout", end=int(time.time()) + 60)
    assert status == 200
    assert [marker["id"] for marker in json.loads(text)["markers"]] == [answer["id"]]


def test_the_command_line(gateway):
    def marker(*arguments):
        return run("marker", *arguments, "--server", gateway.query)

    posted = marker("post", "--service", "checkout", "--version", "v42", "--attribute", "by=me")
    assert posted.returncode == 0, posted.stderr
    identity = posted.stdout.strip()
    assert identity.startswith("mk_")
    assert "checkout" in marker("list").stdout and "v42" in marker("list").stdout
    as_json = json.loads(marker("show", identity, "--format", "json").stdout)
    assert as_json["attributes"] == {"by": "me"}
    wrong = marker("post", "--kind", "deploy")
    assert wrong.returncode == 64
    assert "deployment" in wrong.stderr
    assert marker("delete", identity).returncode == 0
    assert marker("show", identity).returncode == 64
    unreachable = run("marker", "list", "--server", "127.0.0.1:9")
    assert unreachable.returncode == 69
