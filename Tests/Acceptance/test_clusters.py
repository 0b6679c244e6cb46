"""Two clusters that share services: what is asked by cluster is of that cluster alone."""

import json

from support import otlp
from support.gateway import edges, nodes, run


def in_cluster(spans, cluster, **attributes):
    """The request of `spans`, all recorded in one cluster."""
    document = otlp.request(spans)
    for each in document["resourceSpans"]:
        each["resource"]["attributes"].append(otlp.attribute("k8s.cluster.name", cluster))
        for key, value in attributes.items():
            each["resource"]["attributes"].append(otlp.attribute(key, value))
    return document


def feed(gateway):
    """Two calls in the east, three in the west of which one fails, and one from east to west."""
    for _ in range(2):
        otlp.send_json(gateway, in_cluster(otlp.call("frontend", "checkout"), "east"))
    for index in range(3):
        call = otlp.call("frontend", "checkout", error=index == 0)
        otlp.send_json(gateway, in_cluster(call, "west", region="us", tier="gold"))
    crossing = otlp.call("mobile", "checkout")
    otlp.send_json(gateway, in_cluster(crossing[:2], "east"))
    otlp.send_json(gateway, in_cluster(crossing[2:], "west", region="us"))


def test_two_clusters(make_gateway):
    gateway = make_gateway(identity__dimensions="region, tier").start()
    feed(gateway)
    whole = gateway.graph()
    assert edges(whole) == {("frontend", "checkout"): (5, 1), ("mobile", "checkout"): (1, 0)}
    clusters = {node["id"]: node["clusters"] for node in whole["nodes"]}
    assert clusters == {
        "frontend": ["east", "west"],
        "checkout": ["east", "west"],
        "mobile": ["east"],
    }
    east = gateway.graph(cluster="east")
    assert edges(east) == {("frontend", "checkout"): (2, 0)}
    assert nodes(east) == {"frontend": (2, 0), "checkout": (2, 0), "mobile": (1, 0)}
    west = gateway.graph(cluster="west")
    # Who called from another cluster is shown; its own requests were not taken here.
    assert edges(west) == {("frontend", "checkout"): (3, 1), ("mobile", "checkout"): (1, 0)}
    assert nodes(west) == {"frontend": (3, 1), "checkout": (4, 1), "mobile": (0, 0)}
    gold = gateway.graph(cluster="west", dimension="tier:gold")
    assert nodes(gold)["checkout"] == (3, 1)
    assert gateway.graph(cluster="north")["nodes"] == []

    status, text = gateway.get("/api/v1/services/-/checkout")
    assert status == 200
    found = {
        each["attribute"]: {value["value"]: value["requests"] for value in each["values"]}
        for each in json.loads(text)["dimensions"]
    }
    assert found == {
        "k8s.cluster.name": {"east": 2, "west": 4},
        "region": {"us": 4},
        "tier": {"gold": 3},
    }
    status, text = gateway.get("/api/v1/critical-path", cluster="west")
    assert status == 400 and "not by cluster" in text

    command = ("graph", "--server", gateway.query, "--format", "json", "--cluster", "east")
    result = run(*command)
    assert result.returncode == 0, result.stderr
    assert nodes(json.loads(result.stdout)) == nodes(east)


def test_clusters_outlive_a_restart(make_gateway):
    gateway = make_gateway(identity__dimensions="region, tier").start()
    feed(gateway)
    before = gateway.graph(cluster="west")
    gateway.kill()
    gateway.start()
    after = gateway.graph(cluster="west")
    assert nodes(after) == nodes(before) and edges(after) == edges(before)
