"""Hosts whose clocks disagree: the gap between caller and callee is that of the network."""

import pytest
from support import otlp

METRIC = 'spangate_spans_skewed_total{outcome="%s"}'


def call(ahead):
    """One call of 8 ms, of which the callee takes 6, on a host whose clock is so many ms ahead."""
    # Long enough ago that what the other clock says is not in the future, where no range reaches.
    spans = otlp.call("frontend", "checkout", start=otlp.now() - 20 * otlp.SECOND)
    spans[2]["start"] += ahead * otlp.MILLISECOND
    document = otlp.request(spans)
    for each, host in zip(document["resourceSpans"], ("host-a", "host-b")):
        each["resource"]["attributes"].append(otlp.attribute("host.id", host))
    return document


def send(gateway, ahead):
    otlp.send_json(gateway, call(ahead))
    graph = gateway.graph()
    return graph["edges"][0]["gap_ms"]["mean"], graph["coverage"]["clock_skew"]


def counted(gateway):
    lines = dict(line.rsplit(" ", 1) for line in gateway.metrics().splitlines() if line[:1] != "#")
    return [float(lines[METRIC % outcome]) for outcome in ("adjusted", "over_limit")]


@pytest.mark.parametrize(
    ("ahead", "gap", "skew"),
    [(0, 2, (0, 0)), (400, 2, (1, 0)), (-400, 2, (1, 0)), (4_000, 2, (0, 1))],
)
def test_clocks(make_gateway, ahead, gap, skew):
    gateway = make_gateway(traces__idle="100ms", traces__remember="0s").start()
    found, coverage = send(gateway, ahead)
    assert found == pytest.approx(gap, rel=0.03)
    assert coverage == {"adjusted": skew[0], "over_limit": skew[1]}
    gateway.wait(lambda: "spangate_traces_sealed_total 1" in gateway.metrics(), "a sealed trace")
    assert counted(gateway) == list(skew)


def test_turned_off(make_gateway):
    gateway = make_gateway(traces__clock_skew="0s").start()
    found, coverage = send(gateway, 400)
    assert found == pytest.approx(2, rel=0.03) and coverage == {"adjusted": 0, "over_limit": 0}
