"""The gate on a mesh of real Envoys: what is harmed is rolled back, what is not is promoted.

One run of about four minutes: six services behind one caller, each with a new version beside the
old one, and something else happens to each. The tests look at what the gate said of it.
"""

import json
import time
from types import SimpleNamespace

import pytest
from support.gateway import Gateway, edges
from support.rollout import NEW, OLD, Rollout, RolloutMesh, Traffic, aborts, delays

# The first test waits for the run.
pytestmark = pytest.mark.timeout(420)

UNDISTURBED, ABORTING, DELAYING, KILLED = "checkout", "cart", "payment", "shipping"
CRASHING = ["inventory", "billing"]
ROLLOUTS = [
    # Without a single error some five hundred requests to the new version are needed. It may not
    # look five percent slower by accident: what a busy machine adds is little beside its work.
    Rollout(UNDISTURBED, requests_per_second=40, percent=25, application_seconds=0.5),
    Rollout(ABORTING, requests_per_second=12, percent=25, fault=aborts(percent=30, status=503)),
    Rollout(DELAYING, requests_per_second=12, percent=25, fault=delays(seconds=0.03)),
    # Slow enough that requests are under way when the new version dies. After that nothing tells
    # of it but its caller.
    Rollout(KILLED, requests_per_second=10, percent=30, application_seconds=0.5),
    # Dies again and again, and comes back: all that it reports itself are requests that went well,
    # and enough of them for a promotion.
    *(
        Rollout(
            service,
            requests_per_second=24,
            percent=50,
            application_seconds=0.5,
            spawn_upstream_span=spawn_upstream_span,
        )
        for service, spawn_upstream_span in zip(CRASHING, [False, True], strict=True)
    ),
]

SECONDS_BEFORE = 20  # with the old versions alone
# Latency is compared in windows of ten seconds, six at least, after the two minutes in which new
# instances warm up.
SECONDS_OF_ROLLOUT = 215
SECONDS_BETWEEN_LOOKS = 5
KILL_AT_LOOK = 4
LOOKS_BETWEEN_CRASHES = 2


def gate(gateway, service, **parameters):
    status, text = gateway.get("/api/v1/gate", service=service, version=NEW, **parameters)
    assert status == 200, (status, text)
    return json.loads(text)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What the gate said while the rollouts went on, and when all was in."""
    folder = tmp_path_factory.mktemp("gate-mesh")
    gateway = Gateway(folder / "gateway").start()
    try:
        looks = {each.service: [] for each in ROLLOUTS}
        with RolloutMesh(ROLLOUTS, gateway.grpc_port, folder / "mesh") as mesh:
            traffic = {each.service: Traffic(mesh, each) for each in ROLLOUTS}
            try:
                for each in traffic.values():
                    each.start()
                roll_out(gateway, mesh, looks)
            finally:
                for each in traffic.values():
                    each.stop()
            time.sleep(1)  # The sidecars send what is left.
        graph = gateway.graph()
        yield SimpleNamespace(
            gateway=gateway,
            statuses={service: each.statuses for service, each in traffic.items()},
            looks=looks,
            graph=graph,
            answers={each.service: gate(gateway, each.service) for each in ROLLOUTS},
        )
        gateway.stop()
    finally:
        if gateway.running:
            gateway.kill()


def roll_out(gateway, mesh, looks):
    time.sleep(SECONDS_BEFORE)
    mesh.begin()
    began = time.monotonic()
    look = 0
    while time.monotonic() < began + SECONDS_OF_ROLLOUT:
        time.sleep(SECONDS_BETWEEN_LOOKS)
        look += 1
        if look == KILL_AT_LOOK:
            mesh.sidecars[KILLED, NEW].kill()
        if look % LOOKS_BETWEEN_CRASHES == 0:
            for service in CRASHING:
                mesh.sidecars[service, NEW].kill()
                mesh.sidecars[service, NEW].start()
        for service, answers in looks.items():
            answers.append(gate(gateway, service))


def verdicts(run, service):
    return [answer["verdict"] for answer in run.looks[service]]


def decisions(answer):
    return {each["metric"]: each["decision"] for each in answer["evidence"]}


def test_the_mesh_did_what_the_rollouts_are_about(run):
    """Not a test of the gate: without this, what it says below would mean nothing."""
    assert set(run.statuses[UNDISTURBED]) == {200}
    assert set(run.statuses[DELAYING]) == {200}
    assert run.statuses[ABORTING][503] > 20
    calls = edges(run.graph)
    for service in (UNDISTURBED, DELAYING, ABORTING):
        statuses = run.statuses[service]
        assert calls["frontend", service] == (statuses.total(), statuses[503])
    for service in (KILLED, *CRASHING):
        assert set(run.statuses[service]) == {200, 503}
        assert run.statuses[service][503] > 30


def test_an_undisturbed_version_is_promoted(run):
    answer = run.answers[UNDISTURBED]
    assert answer["verdict"] == "promote", answer
    assert decisions(answer)["errors"] == "safe"
    assert decisions(answer)["latency"] == "safe"
    assert answer["score"] > 90
    assert "rollback" not in verdicts(run, UNDISTURBED)


def test_a_version_that_aborts_is_rolled_back(run):
    answer = run.answers[ABORTING]
    assert answer["verdict"] == "rollback", answer
    assert decisions(answer)["errors"] == "harmed"
    assert "promote" not in verdicts(run, ABORTING)


def test_a_version_that_delays_is_rolled_back(run):
    answer = run.answers[DELAYING]
    assert answer["verdict"] == "rollback", answer
    assert decisions(answer)["latency"] == "harmed"
    latency = next(each for each in answer["evidence"] if each["metric"] == "latency")
    # 20 ms became 50.
    assert 1.5 < latency["ratio"] < 3.5
    assert "promote" not in verdicts(run, DELAYING)


@pytest.mark.parametrize("service", [KILLED, *CRASHING])
def test_a_version_killed_in_the_middle_of_requests_is_not_promoted(run, service):
    """Whether its caller says which address it failed to reach (billing) or not (the others)."""
    assert run.answers[service]["verdict"] in ("wait", "rollback"), run.answers[service]
    assert "promote" not in verdicts(run, service)


@pytest.mark.parametrize("service", [each.service for each in ROLLOUTS])
def test_every_answer_is_complete(run, service):
    for answer in [*run.looks[service], run.answers[service]]:
        assert answer["service"] == service
        # None before a span of it was seen.
        assert answer["version"] in (NEW, None)
        assert answer["reasons"], answer
        assert all(len(reason.split()) > 3 for reason in answer["reasons"]), answer
        assert answer["score"] is None or 0 <= answer["score"] <= 100
        assert 0 <= answer["confidence"] <= 1
    final = run.answers[service]
    assert (final["version"], final["baseline"]) == (NEW, OLD)
    assert final["comparison"] == "concurrent"
    assert final["score"] is not None


@pytest.mark.parametrize("service", [each.service for each in ROLLOUTS])
def test_the_same_question_has_the_same_answer(run, service):
    assert gate(run.gateway, service) == run.answers[service]


def test_the_deployments_were_seen(run):
    """Nobody announced them. They show when their first traces are sealed."""
    services = {each.service for each in ROLLOUTS}

    def inferred():
        status, text = run.gateway.get("/api/v1/markers", kind="deployment")
        assert status == 200, (status, text)
        markers = json.loads(text)["markers"]
        return markers if {marker["service"] for marker in markers} == services else None

    markers = run.gateway.wait(inferred, "infer the deployments")
    assert len(markers) == len(services)
    for marker in markers:
        assert marker["inferred"] is True
        assert (marker["version"], marker["previous_version"]) == (NEW, OLD)
