"""Deployments that GitHub holds back until the gate has said something."""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request

import pytest
from support import versions
from support.gateway import run
from support.github import APP, INSTALLATION, GitHub
from support.versions import NEW

SECRET = "correct horse"


@pytest.fixture
def github(tmp_path):
    folder = tmp_path / "github"
    folder.mkdir()
    github = GitHub(folder)
    yield github
    github.stop()


@pytest.fixture
def make_reviewer(make_gateway, github):
    """Makes gateways that review deployments for the stand-in."""

    def make(**settings):
        return make_gateway(
            webhooks__github__secret=SECRET,
            github__api=github.url,
            github__app_id=APP,
            github__app_key_file=github.key,
            **({"outgoing__private_addresses": "allow"} | settings),
        )

    return make


def ask(gateway, callback, service="checkout", version=NEW, secret=SECRET, query="?environment=-"):
    """Posts what GitHub posts; returns (status, decoded answer)."""
    body = json.dumps(
        {
            "action": "requested",
            "environment": "production",
            "event": "push",
            "deployment_callback_url": callback,
            "deployment": {
                "id": 9,
                "sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e",
                "payload": {"service": service, "version": version},
            },
            "pull_requests": [],
            "repository": {"full_name": "shop/checkout"},
            "installation": {"id": INSTALLATION},
        }
    ).encode()
    code = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(
        f"{gateway.query}/api/v1/webhooks/github{query}",
        data=body,
        headers={
            "Content-Type": "application/json",
            "X-GitHub-Event": "deployment_protection_rule",
            "X-Hub-Signature-256": f"sha256={code}",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def answered(gateway, github, run):
    """Waits for the review of a run; returns what was said before it, and it."""

    def of_run():
        path = github.callback(run).removeprefix(github.url)
        bodies = [body for to, body in github.reviews if to == path]
        return bodies if bodies and "state" in bodies[-1] else None

    *reports, answer = gateway.wait(of_run, f"answer run {run}", seconds=60)
    return reports, answer


def test_promoted_rolled_back_and_unknown(make_reviewer, github):
    gateway = make_reviewer(github__review_wait="4s").start()
    end = time.time_ns()
    for service, failing in (("checkout", 0.0), ("cart", 0.5)):
        versions.send_old(gateway, service, end)
        versions.send_new(gateway, service, end, failing=failing)
    gateway.flush()
    for run_id, service in enumerate(["checkout", "cart", "shipping"]):
        status, answer = ask(gateway, github.callback(run_id), service)
        assert (status, answer) == (200, {"markers": [], "review": "waiting"})
        # Delivered again it changes nothing.
        assert ask(gateway, github.callback(run_id), service)[0] == 200
    for run_id, state, word in [(0, "approved", "promote"), (1, "rejected", "rollback")]:
        reports, answer = answered(gateway, github, run_id)
        assert reports == []
        assert (answer["state"], answer["environment_name"]) == (state, "production")
        assert answer["comment"].startswith(f"{word}: ") and len(answer["comment"]) <= 1024
    (report,), answer = answered(gateway, github, 2)
    assert "state" not in report and "no service shipping" in report["comment"]
    assert answer["state"] == "rejected" and "no verdict in time" in answer["comment"]
    assert len(github.reviews) == 4 and github.refusals == []
    gateway.wait(
        lambda: "spangate_github_reviews_waiting 0" in gateway.metrics(), "be done with all"
    )
    for metric in [
        'spangate_github_reviews_total{outcome="approved"} 1',
        'spangate_github_reviews_total{outcome="rejected"} 2',
        "spangate_github_reports_total 1",
        'spangate_webhooks_total{outcome="taken",source="github"} 6',
    ]:
        assert metric in gateway.metrics()


def test_a_killed_gateway_answers_when_it_is_back(make_reviewer, github):
    gateway = make_reviewer().start()
    github.failures = 1_000_000
    end = time.time_ns()
    versions.send_old(gateway, "checkout", end)
    versions.send_new(gateway, "checkout", end)
    gateway.flush()
    assert ask(gateway, github.callback(5))[0] == 200
    gateway.wait(lambda: github.failures < 1_000_000, "try to answer")
    gateway.kill()
    github.failures = 1
    gateway.start()
    reports, answer = answered(gateway, github, 5)
    assert answer["state"] == "approved" and len(github.reviews) == len(reports) + 1
    gateway.wait(
        lambda: "spangate_github_reviews_waiting 0" in gateway.metrics(), "be done with all"
    )


def test_nothing_is_said_to_anybody_else(make_reviewer, github):
    gateway = make_reviewer(outgoing__private_addresses="refuse").start()
    for callback in [
        "http://169.254.169.254/latest/meta-data/deployment_protection_rule",
        github.callback(1).replace("127.0.0.1", "localhost"),
        github.callback(1).replace("/checkout/", "/cart/"),
        github.callback(1) + "?to=evil",
        f"http://user@127.0.0.1:{github.server.server_address[1]}/deployment_protection_rule",
    ]:
        status, problem = ask(gateway, callback)
        assert (status, problem["errors"][0]["field"]) == (400, "deployment_callback_url")
    status, problem = ask(gateway, github.callback(1), secret="wrong")
    assert status == 401 and problem["type"].endswith("bad-signature")
    # Its own address is one of this machine, which nobody allowed.
    assert ask(gateway, github.callback(1))[0] == 200
    failed = "spangate_github_failures_total 1"
    gateway.wait(lambda: failed in gateway.metrics(), "refuse to speak to this machine")
    assert "outgoing.private_addresses" in gateway.said()
    assert github.reviews == [] and github.refusals == []


def test_less_than_all_that_is_needed(make_gateway, github, gateway):
    status, answer = ask(gateway, github.callback(1))
    assert status == 200 and "github.app_id" in answer["ignored"]
    settings = ["--set", f"github.app_id={APP}", "--set", f"github.app_key_file={github.key}"]
    for arguments, key in [
        (settings[:2], "github.app_key_file"),
        (settings[2:], "github.app_id"),
        (settings, "webhooks.github.secret"),
        (["--set", "github.api=http://git.example.com"], "github.api"),
    ]:
        refused = run("serve", *arguments)
        assert refused.returncode != 0 and key in refused.stderr, refused.stderr
