"""Stand-ins of the tools that ask the gate: they do what the tools document, and what their sources
say where the documents do not. They read the examples in deploy/ as the tools would."""

import json
import re
import time
import urllib.error
import urllib.request

import yaml
from support.gateway import ROOT

DEPLOY = ROOT / "deploy"
SUCCESSFUL, FAILED, INCONCLUSIVE, ERROR, RUNNING = (
    "Successful",
    "Failed",
    "Inconclusive",
    "Error",
    "Running",
)
PUBLIC = "http://spangate.observability:4320"


def request(url, body=None, timeout=10):
    """(status, body) of one HTTP request; (None, reason) when there was no answer."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
    except (urllib.error.URLError, ConnectionError, TimeoutError) as reason:
        return None, str(reason)


def analysis_template(name, gateway, **arguments):
    """The metric of an AnalysisTemplate, its arguments filled in as Argo Rollouts fills them.

    An argument without a value anywhere is an error, as it is there.
    """
    documents = yaml.safe_load_all((DEPLOY / "argo-rollouts-analysis.yaml").read_text())
    (template,) = (each for each in documents if each["metadata"]["name"] == name)
    values = {each["name"]: each.get("value") for each in template["spec"]["args"]} | arguments
    assert None not in values.values(), values
    assert values.keys() == {each["name"] for each in template["spec"]["args"]}

    def filled(value):
        match value:
            case str():
                text = re.sub(r"\{\{\s*args\.([\w-]+)\s*\}\}", lambda m: values[m[1]], value)
                assert "{{" not in text, text
                return text.replace(PUBLIC, gateway.query)
            case list():
                return [filled(each) for each in value]
            case dict():
                return {key: filled(each) for key, each in value.items()}
        return value

    (metric,) = template["spec"]["metrics"]
    return filled(metric)


class WebProvider:
    """A measurement by Argo Rollouts' provider `web`."""

    def __init__(self, metric):
        self.metric = metric

    def measure(self):
        """(phase, value)"""
        web = self.metric["provider"]["web"]
        status, text = request(web["url"], timeout=web.get("timeoutSeconds", 10))
        if status is None or not 200 <= status < 300:
            return ERROR, f"received no 2xx response: {status}"
        try:
            value = json_path(web["jsonPath"], json.loads(text))
        except (ValueError, LookupError) as error:
            return ERROR, str(error)
        return evaluate(self.metric, value), value


def json_path(path, document):
    """The subset of Kubernetes' JSONPath that names members: `{$.a.b}`."""
    match = re.fullmatch(r"\{\$((?:\.\w+)*)\}", path)
    if not match:
        raise ValueError(f"the stand-in does not know {path}")
    for member in match[1].split(".")[1:]:
        document = document[member]
    return document


def evaluate(metric, result):
    """The phase of a result. With both conditions what meets neither is inconclusive; with one the
    other is its opposite; with none every result is a success. Failure counts more."""
    success, failure = metric.get("successCondition"), metric.get("failureCondition")
    if failure and condition(failure, result):
        return FAILED
    if success and condition(success, result):
        return SUCCESSFUL
    if success and failure:
        return INCONCLUSIVE
    return FAILED if success else SUCCESSFUL


def condition(expression, result):
    """`result == "text"`, with `||` between."""
    for part in expression.split("||"):
        match = re.fullmatch(r'\s*result\s*==\s*"([^"]*)"\s*', part)
        assert match, f"the stand-in does not know {expression}"
        if result == match[1]:
            return True
    return False


class KayentaProvider:
    """A measurement by Argo Rollouts' provider `kayenta`: three requests, the last one repeated."""

    def __init__(self, metric):
        self.kayenta = metric["provider"]["kayenta"]
        self.threshold = self.kayenta["threshold"]

    def run(self):
        """Begins a measurement: (phase, id of the execution or what went wrong)."""
        kayenta = self.kayenta
        # The values are put into the addresses as they are.
        status, text = request(
            f"{kayenta['address']}/canaryConfig?application={kayenta['application']}"
            f"&configurationAccountName={kayenta['storageAccountName']}"
        )
        if status != 200:
            return ERROR, "Invalid Response"
        ids = [
            each["id"] for each in json.loads(text) if each["name"] == kayenta["canaryConfigName"]
        ]
        scopes = {
            scope["name"]: {
                "controlScope": self.scope(scope["controlScope"]),
                "experimentScope": self.scope(scope["experimentScope"]),
            }
            for scope in kayenta["scopes"]
        }
        status, text = request(
            f"{kayenta['address']}/canary/{ids[0] if ids else ''}"
            f"?application={kayenta['application']}"
            f"&metricsAccountName={kayenta['metricsAccountName']}"
            f"&configurationAccountName={kayenta['configurationAccountName']}"
            f"&storageAccountName={kayenta['storageAccountName']}",
            {"scopes": scopes, "thresholds": self.threshold},
        )
        if status != 200:
            return ERROR, "Invalid Response"
        return RUNNING, json.loads(text)["canaryExecutionId"]

    @staticmethod
    def scope(detail):
        """Every field is sent, with or without a value."""
        texts = {name: detail.get(name, "") for name in ("scope", "region", "start", "end")}
        assert all(isinstance(text, str) for text in texts.values()), detail
        return texts | {"step": int(detail.get("step", 0))}

    def resume(self, execution):
        """(phase, score or what went wrong)"""
        status, text = request(f"{self.kayenta['address']}/canary/{execution}")
        if status != 200:
            return ERROR, "Invalid Response"
        answer = json.loads(text)
        if not isinstance(answer.get("complete"), bool):
            return ERROR, "Missing Complete Status"
        if not answer["complete"]:
            return RUNNING, None
        try:
            score = int(answer["result"]["judgeResult"]["score"]["score"])
        except (KeyError, TypeError):
            return ERROR, "Missing Score"
        if score >= self.threshold["pass"]:
            return SUCCESSFUL, score
        return (INCONCLUSIVE if score >= self.threshold["marginal"] else FAILED), score


def analyse(metric, measure, meanwhile=lambda: None):
    """An AnalysisRun of one metric: (phase, phases of the measurements). `meanwhile` is called where
    it would pause."""
    phases, streak, errors = [], 0, 0
    count = metric.get("count", 1)
    while True:
        phase, _ = measure()
        phases.append(phase)
        streak = streak + 1 if phase == SUCCESSFUL else 0
        errors = errors + 1 if phase == ERROR else 0
        if phases.count(FAILED) > metric.get("failureLimit", 0):
            return FAILED, phases
        if phases.count(INCONCLUSIVE) > metric.get("inconclusiveLimit", 0):
            return INCONCLUSIVE, phases
        if errors > metric.get("consecutiveErrorLimit", 4):
            return ERROR, phases
        needed = metric.get("consecutiveSuccessLimit", 0)
        if needed and streak >= needed:
            return SUCCESSFUL, phases
        if len(phases) - phases.count(ERROR) >= count:
            return (INCONCLUSIVE if needed else SUCCESSFUL), phases
        meanwhile()


class Flagger:
    """A canary of Flagger, advanced step by step: which hooks it calls in what order, and what it
    makes of the answers. Of the analysis nothing is left but the hooks."""

    def __init__(self, gateway, service, version):
        canary = yaml.safe_load((DEPLOY / "flagger-canary.yaml").read_text())
        self.analysis = canary["spec"]["analysis"]
        assert self.analysis["metrics"] == []
        self.gateway, self.service, self.version = gateway, service, version
        self.namespace = canary["metadata"]["namespace"]
        self.phase, self.weight, self.failed_checks = "Initialized", 0, 0
        self.events = []

    def call(self, kind):
        """Whether every hook of a type succeeded: 200 to 202. One of none did."""
        for hook in self.analysis["webhooks"]:
            if hook["type"] != kind:
                continue
            metadata = dict(hook["metadata"])
            # Whatever renders the file writes the version of the rollout.
            assert "version" in metadata
            metadata["version"] = self.version
            payload = {
                "name": self.service,
                "namespace": self.namespace,
                "phase": self.phase,
                "checksum": f"sum-of-{self.version}",
                "metadata": metadata,
            }
            if kind == "event":
                metadata |= {
                    "eventMessage": f"{self.phase} {self.service}",
                    "eventType": "Normal",
                    "timestamp": str(int(time.time() * 1000)),
                }
            url = hook["url"].replace(PUBLIC, self.gateway.query)
            status, text = request(url, payload, timeout=int(hook.get("timeout", "10s")[:-1]))
            succeeded = status is not None and 200 <= status <= 202
            self.events.append((kind, status, text))
            if not succeeded:
                return False
        return True

    def has(self, kind):
        return any(hook["type"] == kind for hook in self.analysis["webhooks"])

    def enter(self, phase):
        if self.phase != phase:
            self.phase = phase
            self.call("event")

    def advance(self):
        """One interval."""
        if self.phase in ("Succeeded", "Failed"):
            return
        if self.phase in ("Initialized", "Waiting"):
            if not self.call("confirm-rollout"):
                return self.enter("Waiting")
            return self.enter("Progressing")
        if self.has("rollback") and self.call("rollback"):
            return self.roll_back()
        if self.failed_checks >= self.analysis["threshold"]:
            return self.roll_back()
        check = "pre-rollout" if self.weight == 0 else "rollout"
        if not self.call(check):
            self.failed_checks += 1
            return
        if self.phase == "WaitingPromotion" or self.weight >= self.analysis["maxWeight"]:
            self.enter("WaitingPromotion")
            if self.call("confirm-promotion"):
                self.weight = 0
                self.enter("Succeeded")
            return
        if self.call("confirm-traffic-increase"):
            self.weight += self.analysis["stepWeight"]

    def roll_back(self):
        self.weight = 0
        self.enter("Failed")
