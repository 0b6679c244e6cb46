"""Webhooks: what deployment systems send, in their own shapes, to a real gateway."""

import base64
import hashlib
import hmac
import json
import re
import time
import urllib.error
import urllib.request

import pytest
import yaml
from support.gateway import ROOT, run

FIXTURES = ROOT / "Tests" / "Fixtures" / "webhooks"
MESSAGES = sorted(path for path in FIXTURES.glob("*/*.json"))
HEADERS = {
    "github": {"X-GitHub-Event": "deployment_status"},
    "gitlab": {"X-Gitlab-Event": "Deployment Hook", "X-Gitlab-Event-UUID": "a-b-c"},
    "cdevents": {"ce-type": "", "ce-id": ""},
}
BINARY_CLOUD_EVENT = {
    "ce-type": "dev.cdevents.service.deployed.0.2.0",
    "ce-id": "271069a8-fc18-44f1-b38f-9d70a1695819",
    "ce-source": "/event/source/123",
    "ce-specversion": "1.0",
}
UNCHANGED = {
    "github/queued",
    "gitlab/pipeline",
    "jenkins/queued",
    "circleci/workflow_tests",
    "flagger/initialized",
    "eventbridge/sns_subscription",
}
SECRET = "correct horse"


def post(gateway, source, body, headers=None, query=""):
    """Posts a message; returns (status, decoded answer)."""
    request = urllib.request.Request(
        f"{gateway.query}/api/v1/webhooks/{source}{query}",
        data=body,
        headers={"Content-Type": "application/json", **(headers or {})},
        method="POST",
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def headers_of(path):
    if path.stem == "service_deployed":
        return BINARY_CLOUD_EVENT
    return {name: value for name, value in HEADERS.get(path.parent.name, {}).items() if value}


def send(gateway, name):
    path = FIXTURES / f"{name}.json"
    return post(gateway, path.parent.name, path.read_bytes(), headers_of(path))


def listed(gateway, **parameters):
    status, text = gateway.get("/api/v1/markers", start="2026-11-20T00:00:00Z", **parameters)
    assert status == 200, (status, text)
    return json.loads(text)["markers"]


def test_every_message_of_every_source(gateway):
    kept = {}
    for path in MESSAGES:
        name = f"{path.parent.name}/{path.stem}"
        status, answer = send(gateway, name)
        assert status == 200, (name, answer)
        if name in UNCHANGED:
            assert answer["markers"] == [] and answer["ignored"], (name, answer)
        else:
            assert answer["markers"], (name, answer)
            kept |= dict.fromkeys(answer["markers"], path.parent.name)
    found = {marker["id"]: marker for marker in listed(gateway, limit=1000)}
    assert {identity: found[identity]["source"] for identity in kept} == kept
    # Everything again changes nothing.
    for path in MESSAGES:
        assert send(gateway, f"{path.parent.name}/{path.stem}")[0] == 200
    assert {marker["id"]: marker for marker in listed(gateway, limit=1000)} == found


def test_a_deployment_from_its_beginning_to_its_end(make_gateway):
    for order in (["in_progress", "success"], ["success", "in_progress", "success"]):
        gateway = make_gateway().start()
        for name in order:
            assert send(gateway, f"github/{name}")[0] == 200
        (marker,) = listed(gateway, state="finished")
        assert marker["time"] == "2026-11-23T08:00:00Z"
        assert marker["end_time"] == "2026-11-23T08:04:30Z"
        assert (marker["service"], marker["version"]) == ("checkout", "v42")
        assert marker["environment"] == "production"
        assert listed(gateway, state="in_progress") == []


def test_instances_of_a_group_are_one_change(gateway):
    for name in ("asg_launch_1", "asg_launch_2", "asg_launch_1"):
        assert send(gateway, f"eventbridge/{name}")[0] == 200
    (marker,) = listed(gateway, kind="scaling")
    assert (marker["scaling"]["from"], marker["scaling"]["to"]) == (2, 4)
    assert {"instance i-0a", "instance i-0b"} <= set(marker["attributes"])


def signed(source, body, secret=SECRET):
    code = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    match source:
        case "github":
            return {"X-Hub-Signature-256": f"sha256={code}"}
        case "circleci":
            return {"circleci-signature": f"v1={code}"}
        case "gitlab":
            return {"X-Gitlab-Token": secret}
        case "jenkins":
            pair = base64.b64encode(f"jenkins:{secret}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
    return {"Authorization": f"Bearer {secret}"}


def test_forged_messages_are_not_kept(make_gateway, tmp_path):
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    sources = sorted({path.parent.name for path in MESSAGES})
    settings = {}
    for index, source in enumerate(sources):
        key = f"webhooks__{source.replace('-', '_')}"
        settings |= {f"{key}__secret_file": file} if index % 2 else {f"{key}__secret": SECRET}
    gateway = make_gateway(**settings).start()
    for path in MESSAGES:
        source, body, plain = path.parent.name, path.read_bytes(), headers_of(path)
        forgeries = [{}, signed(source, body, "wrong")]
        if source in ("github", "circleci"):
            forgeries.append(signed(source, body + b" "))
        for forgery in forgeries:
            status, problem = post(gateway, source, body, plain | forgery)
            assert status == 401, (path, problem)
            assert problem["type"].endswith("bad-signature")
            assert SECRET not in json.dumps(problem)
    assert listed(gateway) == []
    assert 'spangate_webhooks_total{outcome="forged",source="github"} ' in gateway.metrics()
    for path in MESSAGES:
        body = path.read_bytes()
        headers = headers_of(path) | signed(path.parent.name, body)
        assert post(gateway, path.parent.name, body, headers)[0] == 200, path
    assert len(listed(gateway)) > 20
    assert SECRET not in gateway.said()


def test_a_secret_is_never_printed(tmp_path):
    for form in ("yaml", "table", "json"):
        printed = run(
            "config", "print", "--format", form, "--set", f"webhooks.gitlab.secret={SECRET}"
        )
        assert printed.returncode == 0, printed.stderr
        assert SECRET not in printed.stdout and "set" in printed.stdout
    missing = run("serve", "--set", f"webhooks.gitlab.secret_file={tmp_path / 'none'}")
    assert missing.returncode != 0
    assert "webhooks.gitlab.secret_file" in missing.stderr


BAD = [
    b"",
    b"{",
    b"payload=%7B%7D",
    b"\xff\xfe",
    b"[" * 50_000,
    b'{"a":' * 50_000,
    b"null",
    b"7",
    b"[]",
    b"{}",
    b'{"object_kind": "deployment", "status": 7, "project": []}',
    b'{"Type": "Notification", "Message": "{"}',
]


@pytest.mark.parametrize("source", sorted({path.parent.name for path in MESSAGES}))
def test_bad_messages_never_fail_the_gateway(unharmed, source):
    for body in BAD:
        status, answer = post(unharmed, source, body, HEADERS.get(source))
        assert status in (200, 400), (body[:20], answer)
        if status == 200:
            assert answer["markers"] == []
        else:
            assert answer["detail"]
    status, problem = post(unharmed, source, b" " * (1 << 20) + b"{}")
    assert (status, problem["errors"][0]["field"]) == (400, "body")
    assert listed(unharmed) == []


def test_changes_of_the_future_and_of_clocks_that_differ(gateway):
    def canary(seconds):
        moment = int((time.time() + seconds) * 1000)
        return json.dumps(
            {
                "name": "checkout",
                "namespace": "shop",
                "phase": "Succeeded",
                "checksum": str(seconds),
                "metadata": {"timestamp": str(moment)},
            }
        ).encode()

    assert post(gateway, "flagger", canary(60))[0] == 200
    assert post(gateway, "flagger", canary(-3600))[0] == 200
    status, problem = post(gateway, "flagger", canary(3600))
    assert status == 400
    assert problem["errors"][0]["field"] == "time" and "clock" in problem["detail"]
    assert len(listed(gateway)) == 2


def filled(template, values):
    """A body as the engine of Argo's notifications makes it: every expression by its key."""

    def value(match):
        return f'"{match[1]}": {json.dumps(values[match[1]])}'

    text = re.sub(r'"(\w+)": (?:\{\{.*?\}\}|\[\{\{.*\}\}\])(?=,?\n)', value, template)
    assert "{{" not in text, text
    return text.encode()


@pytest.mark.parametrize(
    ("source", "file", "template", "name"),
    [
        ("argocd", "argocd-notifications", "spangate-sync", "deployed"),
        ("argo-rollouts", "argo-rollouts-notifications", "spangate-rollout", "completed"),
    ],
)
def test_the_templates_for_argo(gateway, source, file, template, name):
    document = yaml.safe_load((ROOT / "deploy" / f"{file}.yaml").read_text())["data"]
    hook = yaml.safe_load(document[f"template.{template}"])["webhook"]["spangate"]
    assert hook["path"] == f"/api/v1/webhooks/{source}"
    assert ":4320" in yaml.safe_load(document["service.webhook.spangate"])["url"]
    for trigger in (key for key in document if key.startswith("trigger.")):
        assert all(part["send"] == [template] for part in yaml.safe_load(document[trigger]))
    values = json.loads((FIXTURES / source / f"{name}.json").read_text())
    body = filled(hook["body"], values)
    assert json.loads(body) == values
    status, answer = post(gateway, source, body)
    assert status == 200 and len(answer["markers"]) == 1
