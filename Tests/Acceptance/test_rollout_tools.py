"""The examples in deploy/ that ask the gate, each run as its tool would run it: against a gateway
that has seen a good rollout, a bad one, one it cannot tell yet, and nothing of another."""

import json
import os
import re
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from support import versions
from support.gateway import BINARY, ROOT, Gateway, clean_environment, run
from support.rollout_tools import (
    DEPLOY,
    ERROR,
    FAILED,
    INCONCLUSIVE,
    RUNNING,
    SUCCESSFUL,
    Flagger,
    KayentaProvider,
    WebProvider,
    analyse,
    analysis_template,
)
from support.versions import NEW, OLD

GOOD, BAD, EARLY, NOWHERE = "checkout", "cart", "payment", "shipping"
PROMOTE, ROLLBACK, WAIT, USAGE, UNREACHABLE, OTHER, NOT_ALLOWED = 0, 10, 11, 64, 69, 70, 77
CODES = {GOOD: PROMOTE, BAD: ROLLBACK, EARLY: WAIT, NOWHERE: WAIT}
VERDICTS = {PROMOTE: "promote", ROLLBACK: "rollback", WAIT: "wait"}
SERVICES = list(CODES)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """A gateway that has seen three of four rollouts."""
    gateway = Gateway(tmp_path_factory.mktemp("rollout-tools")).start()
    try:
        end = time.time_ns()
        for service in (GOOD, BAD, EARLY):
            versions.send_old(gateway, service, end)
        versions.send_new(gateway, GOOD, end)
        versions.send_new(gateway, BAD, end, failing=0.5)
        versions.send_new(gateway, EARLY, end, each=1)
        gateway.flush()
        yield gateway
        gateway.stop()
    finally:
        if gateway.running:
            gateway.kill()


@pytest.mark.parametrize("service", SERVICES)
def test_the_rollouts_are_what_they_are_called(seen, service):
    status, text = seen.get("/api/v1/gate", service=service, version=NEW)
    assert (status, json.loads(text)["verdict"]) == (200, VERDICTS[CODES[service]]), text


# Argo Rollouts


@pytest.mark.parametrize("service", SERVICES)
def test_argo_rollouts_web(seen, service):
    metric = analysis_template("spangate", seen, service=service, version=NEW)
    phase, phases = analyse(metric, WebProvider(metric).measure)
    match CODES[service]:
        case code if code == PROMOTE:
            assert (phase, phases) == (SUCCESSFUL, [SUCCESSFUL])
        case code if code == ROLLBACK:
            assert (phase, phases) == (FAILED, [FAILED])
        case _:
            # It is asked as often as the template says, and then a person decides.
            assert (phase, set(phases)) == (INCONCLUSIVE, {INCONCLUSIVE})
            assert len(phases) == metric["count"]


def test_argo_rollouts_web_outlives_a_restart(make_gateway):
    """A gateway that is away makes errors, fewer than the template takes, and no failure."""
    gateway = make_gateway().start()
    end = time.time_ns()
    versions.send_old(gateway, GOOD, end)
    versions.send_new(gateway, GOOD, end)
    gateway.flush()
    metric = analysis_template("spangate", gateway, service=GOOD, version=NEW)
    gateway.stop()
    gateway.settings["query.address"] = f"127.0.0.1:{gateway.query_port}"
    pauses = []

    def meanwhile():
        pauses.append(None)
        if len(pauses) == 3:
            gateway.start()
            gateway.flush()

    phase, phases = analyse(metric, WebProvider(metric).measure, meanwhile)
    assert (phase, phases) == (SUCCESSFUL, [ERROR] * 3 + [SUCCESSFUL])


@pytest.mark.parametrize("service", SERVICES)
def test_argo_rollouts_kayenta(seen, service):
    metric = analysis_template("spangate-kayenta", seen, service=service, version=NEW)
    provider = KayentaProvider(metric)
    phase, execution = provider.run()
    assert phase == RUNNING, execution
    phases = {provider.resume(execution)[0] for _ in range(3)}
    assert phases == {
        PROMOTE: {SUCCESSFUL},
        ROLLBACK: {FAILED},
        WAIT: {RUNNING},
    }[CODES[service]]


def test_argo_rollouts_kayenta_ends_where_it_was_told_to(seen):
    past, ahead = (
        time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        for seconds in (-1, 3600)
    )
    for end, expected in ((past, INCONCLUSIVE), (ahead, RUNNING)):
        metric = analysis_template(
            "spangate-kayenta", seen, service=NOWHERE, version=NEW, environment="prod", end=end
        )
        provider = KayentaProvider(metric)
        _, execution = provider.run()
        assert provider.resume(execution)[0] == expected


def test_argo_rollouts_kayenta_goes_on_after_a_crash(make_gateway):
    gateway = make_gateway().start()
    end = time.time_ns()
    versions.send_old(gateway, BAD, end)
    gateway.flush()
    provider = KayentaProvider(
        analysis_template("spangate-kayenta", gateway, service=BAD, version=NEW)
    )
    _, execution = provider.run()
    assert provider.resume(execution)[0] == RUNNING
    gateway.kill()
    assert provider.resume(execution)[0] == ERROR
    gateway.settings["query.address"] = f"127.0.0.1:{gateway.query_port}"
    gateway.start()
    versions.send_new(gateway, BAD, end, failing=0.5)
    gateway.flush()
    assert provider.resume(execution)[0] == FAILED


def test_argo_rollouts_kayenta_needs_the_configuration_there_is(seen):
    metric = analysis_template("spangate-kayenta", seen, service=GOOD, version=NEW)
    metric["provider"]["kayenta"]["canaryConfigName"] = "another"
    assert KayentaProvider(metric).run()[0] == ERROR


# Flagger


def rollout_begins(gateway, service):
    """A canary before its new version has sent anything."""
    end = time.time_ns()
    versions.send_old(gateway, service, end)
    gateway.flush()
    flagger = Flagger(gateway, service, NEW)
    flagger.advance()
    assert flagger.phase == "Progressing", flagger.events
    flagger.advance()
    # Without traffic there would never be a verdict.
    assert (flagger.phase, flagger.weight) == ("Progressing", 10), flagger.events
    return flagger, end


def test_flagger_promotes_a_good_rollout_and_waits_until_it_can_tell(gateway):
    flagger, end = rollout_begins(gateway, GOOD)
    versions.send_new(gateway, GOOD, end, each=1)
    gateway.flush()
    for _ in range(10):
        flagger.advance()
    assert (flagger.phase, flagger.weight) == ("Progressing", 10), flagger.events
    kind, status, text = flagger.events[-1]
    assert (kind, status) == ("confirm-traffic-increase", 403)
    assert text.startswith("wait: ") and len(text.split()) > 4
    versions.send_new(gateway, GOOD, end)
    gateway.flush()
    for _ in range(6):
        flagger.advance()
    assert (flagger.phase, flagger.failed_checks) == ("Succeeded", 0), flagger.events
    # Its events told of the beginning and of the end.
    status, text = gateway.get("/api/v1/markers")
    marker = next(each for each in json.loads(text)["markers"] if each["source"] == "flagger")
    assert (marker["service"], marker["version"], marker["state"]) == (GOOD, NEW, "finished")


def test_flagger_rolls_back_a_bad_rollout(gateway):
    flagger, end = rollout_begins(gateway, BAD)
    versions.send_new(gateway, BAD, end, failing=0.5)
    gateway.flush()
    flagger.advance()
    assert (flagger.phase, flagger.weight) == ("Failed", 0), flagger.events
    hooks = [event for event in flagger.events if event[0] == "rollback"]
    assert hooks[-1][1] == 200 and hooks[-1][2].startswith("rollback: ")
    # The same version does not begin again.
    again = Flagger(gateway, BAD, NEW)
    for _ in range(3):
        again.advance()
    assert again.phase == "Waiting" and again.events[-1][:2] == ("confirm-rollout", 403)


def test_flagger_never_promotes_what_nobody_sees(gateway):
    flagger, _ = rollout_begins(gateway, NOWHERE)
    for _ in range(20):
        flagger.advance()
    assert (flagger.phase, flagger.failed_checks) == ("WaitingPromotion", 0), flagger.events
    assert flagger.events[-1][:2] == ("confirm-promotion", 403)


def test_flagger_neither_promotes_nor_rolls_back_while_the_gateway_is_away(gateway):
    flagger, end = rollout_begins(gateway, BAD)
    versions.send_new(gateway, BAD, end, failing=0.5)
    gateway.flush()
    gateway.stop()
    for _ in range(3):
        flagger.advance()
    assert (flagger.phase, flagger.weight) == ("Progressing", 10), flagger.events


# Pipelines


def shell(command, gateway, *, folder=ROOT, seconds=60, **environment):
    """Runs what a pipeline runs; the binary is on its PATH."""
    path = f"{BINARY.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=folder,
        env=clean_environment() | {"PATH": path, "SPANGATE_SERVER": gateway.query} | environment,
        timeout=seconds,
    )


def hurried(script):
    """The same with a second for the quarter of an hour that a rollout takes."""
    assert "--wait 15m" in script, script
    return script.replace("--wait 15m", "--wait 1s")


@pytest.mark.parametrize("service", SERVICES)
def test_github_action(seen, tmp_path, service):
    action = yaml.safe_load((DEPLOY / "github-action" / "action.yml").read_text())
    (step,) = action["runs"]["steps"]
    assert (action["runs"]["using"], step["shell"]) == ("composite", "bash")
    assert "${{" not in step["run"]  # An input is never a part of the script.
    inputs = {name: each.get("default", "") for name, each in action["inputs"].items()}
    given = {"server": seen.query, "service": service, "version": NEW, "wait": "1s"}
    required = {name for name, each in action["inputs"].items() if each.get("required")}
    assert required <= given.keys()
    inputs |= given
    environment = {
        name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda match: inputs[match[1]], value)
        for name, value in step["env"].items()
    }
    output, summary = tmp_path / "output", tmp_path / "summary"
    result = shell(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
        seen,
        folder=tmp_path,
        GITHUB_ACTION_PATH=str(DEPLOY / "github-action"),
        GITHUB_OUTPUT=str(output),
        GITHUB_STEP_SUMMARY=str(summary),
        **environment,
    )
    assert result.returncode == CODES[service], result.stderr
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert outputs.keys() == action["outputs"].keys()
    for name, each in action["outputs"].items():
        assert each["value"] == f"${{{{ steps.{step['id']}.outputs.{name} }}}}"
    assert outputs["verdict"] == VERDICTS[CODES[service]]
    assert len(outputs["reason"].split()) > 3
    assert summary.read_text() == f"**{service} {NEW}:** {result.stdout}"


@pytest.mark.parametrize("service", SERVICES)
def test_gitlab_job(seen, service):
    job = yaml.safe_load((DEPLOY / "gitlab-ci.yml").read_text())["gate"]
    assert "SPANGATE_SERVER" in job["variables"]
    script = hurried("\n".join(job["script"]))
    result = shell(["dash", "-e", "-c", script], seen, SERVICE=service, CI_COMMIT_SHORT_SHA=NEW)
    assert result.returncode == CODES[service], result.stderr
    allowed = result.returncode in job["allow_failure"]["exit_codes"]
    assert allowed == (CODES[service] == WAIT)


@pytest.mark.parametrize("service", SERVICES)
def test_jenkins_stage(seen, service):
    pipeline = (DEPLOY / "Jenkinsfile").read_text()
    (script,) = re.findall(r"sh\(returnStatus: true, script: '''(.*?)'''\)", pipeline, re.DOTALL)
    result = shell(["sh", "-xe", "-c", hurried(script)], seen, SERVICE=service, VERSION=NEW)
    assert result.returncode == CODES[service], result.stderr
    # What the stage does with the code: nothing but a promotion goes on by itself.
    cases = dict(re.findall(r"case (\d+):\s+(\w+) ", pipeline))
    assert cases == {str(PROMOTE): "echo", str(ROLLBACK): "error", str(WAIT): "input"}
    assert re.search(r"default:\s+error ", pipeline)


@pytest.mark.parametrize("service", SERVICES)
def test_circleci_job(seen, service):
    config = yaml.safe_load((DEPLOY / "circleci.yml").read_text())
    job = config["jobs"]["gate"]
    assert config["workflows"]["rollout"]["jobs"] == ["gate"]
    assert "SPANGATE_SERVER" in job["environment"]
    (step,) = (each["run"] for each in job["steps"] if isinstance(each, dict))
    result = shell(
        ["bash", "-eo", "pipefail", "-c", hurried(step["command"])],
        seen,
        SERVICE=service,
        CIRCLE_SHA1=NEW,
    )
    assert result.returncode == CODES[service], result.stderr


# gate.sh

SHELLS = ["dash", "bash"]


def gate_sh(gateway, *arguments, program="dash", **environment):
    return shell([program, DEPLOY / "gate.sh", *arguments], gateway, **environment)


@pytest.mark.parametrize("program", SHELLS)
@pytest.mark.parametrize(
    "arguments",
    [
        *(["--service", service, "--version", NEW] for service in SERVICES),
        ["--service", f"shop/{GOOD}"],
        ["--service", GOOD, "--version", NEW, "--namespace", "shop", "--environment", "-"],
        ["--service", GOOD, "--version", NEW, "--namespace", "other"],
        ["--service", GOOD, "--version", NEW, "--min-health", "100", "--deadline", "2h"],
        ["--service", "a&b=c d%41", "--version", 'é"+'],
        ["--marker", "mk_0000000000000001"],
        ["--service", GOOD, "--deadline", "soon"],
        ["--service", GOOD, "--min-health", "101"],
        ["--service", GOOD, "--version", ""],
        ["--service", ""],
        ["--service"],
        ["--version", NEW],
        ["--service", GOOD, "--wait", "soon"],
        ["--services", GOOD],
        [],
    ],
)
def test_gate_sh_ends_as_the_command_does(seen, program, arguments):
    result = gate_sh(seen, *arguments, program=program)
    command = run(
        "gate", *arguments, environment=clean_environment() | {"SPANGATE_SERVER": seen.query}
    )
    assert result.returncode == command.returncode, (result.stderr, command.stderr)
    if result.returncode in VERDICTS:
        assert result.stdout.startswith(VERDICTS[result.returncode] + ": ")
        # The first reason, as the command says it.
        assert result.stdout.split(": ", 1)[1].strip() in " ".join(command.stdout.split())
    else:
        assert result.stdout == "" and result.stderr.startswith("gate.sh: ")


@pytest.mark.parametrize("program", SHELLS)
def test_gate_sh_waits_for_a_verdict(make_gateway, program):
    gateway = make_gateway().start()
    end = time.time_ns()
    versions.send_old(gateway, GOOD, end)
    gateway.flush()
    arguments = ["--service", GOOD, "--version", NEW, "--wait", "50s", "--interval", "1s"]
    environment = clean_environment() | {"SPANGATE_SERVER": gateway.query}
    process = subprocess.Popen(
        [program, DEPLOY / "gate.sh", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        first = process.stderr.readline()
        assert first.startswith("waiting: wait: "), first
        # Away, and back with the verdict.
        gateway.stop()
        second = process.stderr.readline()
        assert second.startswith("waiting: ") and "out of reach" in second, second
        gateway.settings["query.address"] = f"127.0.0.1:{gateway.query_port}"
        gateway.start()
        versions.send_new(gateway, GOOD, end)
        gateway.flush()
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == PROMOTE and output.startswith("promote: ")


@pytest.mark.parametrize("program", SHELLS)
@pytest.mark.parametrize(
    ("status", "body", "code", "said"),
    [
        # What a reason quotes is no member of the answer.
        (
            200,
            r'{"verdict":"rollback","reasons":["it says \"verdict\":\"promote\" \\"],"x":1}',
            ROLLBACK,
            'rollback: it says "verdict":"promote" \\',
        ),
        (200, '{\n  "verdict" : "wait",\n  "reasons" : [ "so" ]\n}\n', WAIT, "wait: so"),
        (200, "<html>\nwelcome</html>", OTHER, ""),
        (200, "", OTHER, ""),
        (200, '{"verdict":"maybe","reasons":["x"]}', OTHER, ""),
        (200, '{"verdict":"promoted","reasons":["x"]}', OTHER, ""),
        (401, "{}", NOT_ALLOWED, ""),
        (403, "", NOT_ALLOWED, ""),
        (404, "<html>", USAGE, ""),
        (500, "", OTHER, ""),
        (302, "", OTHER, ""),
        (503, "", UNREACHABLE, ""),
        (429, "", UNREACHABLE, ""),
    ],
)
def test_gate_sh_and_answers_of_others(program, status, body, code, said):
    with Answering(status, body) as server:
        result = gate_sh(server, "--service", GOOD, program=program)
    assert (result.returncode, result.stdout.strip()) == (code, said), result.stderr


class Answering:
    """A server that gives everybody the same answer."""

    def __init__(self, status, body):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.query = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def test_versions_are_told_apart(seen):
    """Not a test of the examples: the rollouts above are of these two versions."""
    _, text = seen.get("/api/v1/gate", service=GOOD, version=NEW)
    answer = json.loads(text)
    assert (answer["version"], answer["baseline"]) == (NEW, OLD)
    assert answer["comparison"] == "concurrent"
