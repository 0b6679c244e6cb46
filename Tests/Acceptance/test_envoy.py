"""A mesh of three services, each behind a real Envoy, and what real Envoys sent on bad days.

The services have no tracing of their own: all spans are the sidecars'. The graph has to show the
services and who calls whom, and nothing of the proxies in between.
"""

import json
from pathlib import Path

import pytest
from support.gateway import ROOT, edges, nodes, run, wait_for_graph
from support.mesh import Mesh

RECORDED = Path("Tests/Fixtures/envoy")

OK, FAILED, ABSORBED = 160, 20, 20
REQUESTS = OK + FAILED + ABSORBED
SPANS_PER_REQUEST = {False: 5, True: 10}


@pytest.mark.parametrize("spawn_upstream_span", [False, True], ids=["plain", "upstream-span"])
def test_mesh(gateway, tmp_path, spawn_upstream_span):
    outcomes = ["ok", "ok", "ok", "ok", "failed", "ok", "ok", "ok", "ok", "absorbed"] * 20
    with Mesh(["a", "b", "c"], gateway.grpc_port, spawn_upstream_span, tmp_path / "mesh") as mesh:
        statuses = mesh.send(outcomes)
        assert statuses == [503 if outcome == "failed" else 200 for outcome in outcomes]
        spans = REQUESTS * SPANS_PER_REQUEST[spawn_upstream_span]
        graph = wait_for_graph(gateway, lambda graph: graph["coverage"]["spans"] >= spans)

    assert edges(graph) == {
        ("a", "b"): (REQUESTS, FAILED),
        ("b", "c"): (REQUESTS, FAILED + ABSORBED),
    }
    assert nodes(graph) == {
        "a": (REQUESTS, FAILED),
        "b": (REQUESTS, FAILED),
        "c": (REQUESTS, FAILED + ABSORBED),
    }
    assert {node["kind"] for node in graph["nodes"]} == {"service"}
    origins = {node["id"]: node["error_origins"] for node in graph["nodes"]}
    assert origins == {"a": 0, "b": 0, "c": FAILED + ABSORBED}
    error_traces = {node["id"]: node["error_traces"] for node in graph["nodes"]}
    assert error_traces == {"a": FAILED, "b": FAILED, "c": FAILED + ABSORBED}
    assert graph["coverage"]["spans"] == spans
    assert graph["coverage"]["traces"] == REQUESTS


@pytest.mark.parametrize("suffix", ["", "-upstream-span"], ids=["plain", "upstream-span"])
@pytest.mark.parametrize(
    ("recording", "expected_nodes", "expected_edges"),
    [
        (
            "chain",
            {"a": (3, 1), "b": (3, 1), "c": (3, 2)},
            {("a", "b"): (3, 1), ("b", "c"): (3, 2)},
        ),
        ("retry", {"a": (1, 1), "b": (2, 2)}, {("a", "b"): (2, 2)}),
        ("application-down", {"a": (1, 1), "b": (1, 1)}, {("a", "b"): (1, 1)}),
    ],
)
def test_recorded(recording, expected_nodes, expected_edges, suffix):
    graph = analyze(RECORDED / f"{recording}{suffix}.json")
    assert nodes(graph) == expected_nodes
    assert edges(graph) == expected_edges


@pytest.mark.parametrize("suffix", ["", "-upstream-span"], ids=["plain", "upstream-span"])
def test_recorded_call_that_found_nobody(suffix):
    graph = analyze(RECORDED / f"next-hop-down{suffix}.json")
    kinds = {node["id"]: node["kind"] for node in graph["nodes"]}
    # Known by the name of its cluster.
    assert kinds == {"a": "service", "external:next": "external"}
    assert nodes(graph)["a"] == (1, 1)
    assert edges(graph) == {("a", "external:next"): (1, 1)}


def analyze(recording):
    result = run("analyze", "--format", "json", recording, folder=ROOT)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)
