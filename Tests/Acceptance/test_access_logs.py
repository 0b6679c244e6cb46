"""Access logs of real Envoys, with tracing and without: traffic beside spans, never among them."""

import gzip
import json
import time
import urllib.error
import urllib.request

import pytest
from support.gateway import edges, nodes
from support.mesh import Mesh

OK, FAILED, ABSORBED = 8, 3, 1
REQUESTS = OK + FAILED + ABSORBED
OUTCOMES = ["ok"] * OK + ["failed"] * FAILED + ["absorbed"] * ABSORBED


def traffic(graph):
    """{(client, server, source): (requests, failed)}"""
    return {
        (each["client"], each["server"], each["source"]): (each["requests"], each["failed"])
        for each in graph["traffic"]
    }


def wait_for_traffic(gateway, records, spans=0, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        graph = gateway.graph()
        coverage = graph["coverage"]
        found = coverage["traffic_records"].get("access_log", 0)
        if found >= records and coverage["spans"] >= spans or time.monotonic() > deadline:
            return graph
        time.sleep(0.1)


CALLS = {
    ("a", "b", "access_log"): (REQUESTS, FAILED),
    ("b", "c", "access_log"): (REQUESTS, FAILED + ABSORBED),
    # Who called the first one sends no log: the test itself.
    ("client:127.0.0.1", "a", "access_log"): (REQUESTS, FAILED),
}


def test_without_tracing(gateway, tmp_path):
    """Each Envoy says where it is, so both ends of each call have the names of services.

    The clusters of a and b have the same name and lead to different services, as hosts of several
    meshes may: by that name nobody is known.
    """
    mesh = Mesh(
        ["a", "b", "c"],
        gateway.grpc_port,
        False,
        tmp_path / "mesh",
        tracing=False,
        access_logs=True,
    )
    with mesh:
        assert set(mesh.send(OUTCOMES)) == {200, 503}
        graph = wait_for_traffic(gateway, 5 * REQUESTS)
    assert traffic(graph) == CALLS | {
        ("a", "external:next", "access_log"): (REQUESTS, FAILED),
        ("b", "external:next", "access_log"): (REQUESTS, FAILED + ABSORBED),
    }
    assert graph["edges"] == [] and graph["coverage"]["spans"] == 0
    assert graph["coverage"]["traffic_records"] == {"access_log": 5 * REQUESTS}
    assert {node["requests"] for node in graph["nodes"]} == {0}
    for each in graph["traffic"]:
        # Every answer has a body of five bytes.
        assert each["bytes"] == 5 * REQUESTS
        assert each["latency_ms"]["p50"] >= 0
    metrics = gateway.metrics()
    assert f'spangate_log_records_accepted_total{{transport="grpc"}} {5 * REQUESTS}' in metrics
    assert 'spangate_spans_accepted_total{transport="grpc"} 0' in metrics


def test_both_ends_are_one_edge(gateway, tmp_path):
    """Two services: the name of the cluster leads to one place, so the logs of both ends meet."""
    mesh = Mesh(
        ["a", "b"], gateway.grpc_port, False, tmp_path / "mesh", tracing=False, access_logs=True
    )
    with mesh:
        mesh.send(["ok"] * 4 + ["failed"] * 2)
        graph = wait_for_traffic(gateway, 18)
    assert traffic(graph) == {
        ("a", "b", "access_log"): (6, 2),
        ("client:127.0.0.1", "a", "access_log"): (6, 2),
    }
    ends = {each["client"]: each["recorded_by"] for each in graph["traffic"]}
    assert ends == {"a": ["client", "server"], "client:127.0.0.1": ["server"]}
    assert nodes(graph) == {"a": (0, 0), "b": (0, 0), "client:127.0.0.1": (0, 0)}


@pytest.mark.parametrize("spawn_upstream_span", [False, True], ids=["plain", "upstream-span"])
def test_with_tracing(gateway, tmp_path, spawn_upstream_span):
    """The graph of the spans is what it is without the logs, and the logs say the same beside it."""
    spans = REQUESTS * (10 if spawn_upstream_span else 5)
    mesh = Mesh(
        ["a", "b", "c"],
        gateway.grpc_port,
        spawn_upstream_span,
        tmp_path / "mesh",
        access_logs=True,
    )
    with mesh:
        mesh.send(OUTCOMES)
        graph = wait_for_traffic(gateway, 5 * REQUESTS, spans)
    assert edges(graph) == {
        ("a", "b"): (REQUESTS, FAILED),
        ("b", "c"): (REQUESTS, FAILED + ABSORBED),
    }
    assert {id: figures for id, figures in nodes(graph).items() if ":" not in id} == {
        "a": (REQUESTS, FAILED),
        "b": (REQUESTS, FAILED),
        "c": (REQUESTS, FAILED + ABSORBED),
    }
    assert graph["coverage"]["spans"] == spans
    assert graph["coverage"]["traces"] == REQUESTS
    assert graph["coverage"]["duplicates"] == 0
    assert CALLS.items() <= traffic(graph).items()
    assert graph["coverage"]["traffic_records"] == {"access_log": 5 * REQUESTS}


def test_kept_over_a_crash(gateway, tmp_path):
    """Acknowledged records survive `kill -9` and are counted once."""
    mesh = Mesh(
        ["a", "b"], gateway.grpc_port, False, tmp_path / "mesh", tracing=False, access_logs=True
    )
    with mesh:
        mesh.send(["ok"] * 5)
        before = wait_for_traffic(gateway, 15)
    gateway.kill()
    gateway.start()
    after = gateway.graph()
    assert after["traffic"] == before["traffic"]
    assert after["coverage"]["traffic_records"] == {"access_log": 15}


def test_flow_logs(gateway):
    """The addresses of a flow log are those that proxies said they have."""
    now = int(time.time())
    lines = [
        "version srcaddr dstaddr srcport dstport bytes start end action flow-direction log-status",
        f"5 10.0.0.1 10.0.0.2 40000 8080 700 {now - 60} {now} ACCEPT egress OK",
        f"5 10.0.0.2 10.0.0.1 8080 40000 9300 {now - 60} {now} ACCEPT ingress OK",
        f"5 10.0.0.1 10.0.0.2 40000 8080 700 {now - 60} {now} ACCEPT ingress OK",
        f"5 203.0.113.9 10.0.0.2 50000 22 40 {now - 60} {now} REJECT ingress OK",
        f"5 - - - - - {now - 60} {now} - - NODATA",
        "5 nonsense",
    ]
    resource = {
        "attributes": [
            {"key": "service.name", "value": {"stringValue": "checkout"}},
            {"key": "k8s.pod.ip", "value": {"stringValue": "10.0.0.2"}},
        ]
    }
    record = {
        "timeUnixNano": str(time.time_ns()),
        "attributes": [
            {"key": "response_code", "value": {"intValue": "200"}},
            {"key": "upstream_cluster", "value": {"stringValue": "inbound|80||"}},
            {"key": "downstream_remote_address", "value": {"stringValue": "10.0.0.7:5"}},
        ],
    }
    logs = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [record]}]}]}
    assert post(gateway.http + "/v1/logs", json.dumps(logs), "application/json") == (200, {})
    expected = {
        "accepted": 3,
        "skipped": 2,
        "skipped_reasons": {"no_data": 1, "rejected_flow": 1},
        "rejected_lines": 1,
        "rejected_reasons": {"malformed": 1},
    }
    flow_logs = gateway.query + "/api/v1/flow-logs"
    for encoding in ("identity", "gzip"):  # Sent again, nothing is counted again.
        status, answer = post(flow_logs, "\n".join(lines), "text/plain", encoding)
        assert status == 200
        assert [each["line"] for each in answer.pop("rejected")] == [7]
        assert answer == expected
    graph = gateway.graph()
    flows = {
        (each["client"], each["server"]): (each["records"], each["bytes"], each["failed"])
        for each in graph["traffic"]
        if each["source"] == "flow_log"
    }
    assert flows == {
        # What the client's interface saw, both ways; the server's saw less of the same.
        ("client:10.0.0.1", "checkout"): (2, 10_000, 0),
    }
    assert graph["edges"] == []


def test_bodies_that_are_no_flow_log(unharmed):
    flow_logs = unharmed.query + "/api/v1/flow-logs"
    for body, said in [
        ("nonsense", "line 1 has 1 fields where 14 are expected"),
        ("srcaddr end\n10.0.0.1 1", "dstaddr is not among them"),
        ('{"resourceLogs": []}', "has 2 fields"),
    ]:
        status, problem = post(flow_logs, body, "text/plain")
        assert status == 400 and said in problem["detail"]
    packed = gzip.compress(b"x" * 1_000_000)
    for damaged in (b"not gzip", packed[:-9], packed[:-3] + b"abc"):
        status, problem = post(flow_logs, damaged, "text/plain", "sent as it is, as gzip")
        assert status == 400 and "the body is not gzip" in problem["detail"]
    bomb = gzip.compress(bytes(65 << 20))
    status, problem = post(flow_logs, bomb, "text/plain", "sent as it is, as gzip")
    assert status in (413, 503), problem


def post(url, body, content_type, encoding="identity"):
    """POST; returns (status, decoded answer)."""
    data = body if isinstance(body, bytes) else body.encode()
    if encoding == "gzip":
        data = gzip.compress(data)
    headers = {"content-type": content_type, "content-encoding": encoding.split(" ")[-1]}
    request = urllib.request.Request(url, data=data, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())
