"""The examples in deploy/: run where there is something to run them with, read where not."""

import subprocess
import sys
from importlib.resources import as_file

import pytest
import yaml
from support.gateway import ROOT, clean_environment, edges, nodes, wait_for_graph
from support.mesh import ACCESS_LOG_FIELDS, Application, Envoy, binary, get

DEPLOY = ROOT / "deploy"


@pytest.mark.parametrize("name", ["envoy.yaml", "envoy-access-log.yaml"])
def test_envoy_accepts_its_sample(name):
    with as_file(binary()) as envoy:
        command = [envoy, "--mode", "validate", "--config-path", DEPLOY / name]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr


def test_envoy_sample_at_work(gateway, tmp_path):
    graph = run_envoy(
        "envoy.yaml", gateway, tmp_path, lambda graph: graph["coverage"]["spans"] >= 20
    )
    assert nodes(graph)["checkout"] == (10, 0)
    # The one behind it sends no spans: it is known by the name of its cluster.
    assert edges(graph) == {("checkout", "external:payment"): (10, 0)}
    assert nodes(graph).keys() == {"checkout", "external:payment"}


def test_envoy_access_log_sample_at_work(gateway, tmp_path):
    graph = run_envoy(
        "envoy-access-log.yaml",
        gateway,
        tmp_path,
        lambda graph: graph["coverage"]["traffic_records"].get("access_log", 0) >= 20,
    )
    assert edges(graph) == {} and graph["coverage"]["spans"] == 0
    calls = {
        (each["client"], each["server"]): (each["requests"], each["failed"])
        for each in graph["traffic"]
    }
    assert calls == {
        ("client:127.0.0.1", "checkout"): (10, 0),
        ("checkout", "external:payment"): (10, 0),
    }


def run_envoy(name, gateway, tmp_path, complete):
    """Ten requests through the sample; only the ports are others than in the file."""
    checkout, payment = (
        Application(last=False, absorbs=False),
        Application(last=True, absorbs=False),
    )
    try:
        sample = yaml.safe_load((DEPLOY / name).read_text())
        ports = {
            10000: 0,
            10001: 0,
            8080: checkout.port,
            8081: payment.port,
            4317: gateway.grpc_port,
        }
        configuration = replace_ports(sample, ports)
        configuration["admin"] = {
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
        }
        envoy = Envoy("sample", configuration, tmp_path / "envoy")
        listening = envoy.start()
        try:
            checkout.outbound_port = listening["outbound"]
            # Five spans make a batch, and a request makes two; logs are sent every second.
            assert [get(listening["inbound"], "/", {}) for _ in range(10)] == [200] * 10
            return wait_for_graph(gateway, complete)
        finally:
            envoy.stop()
    finally:
        checkout.stop()
        payment.stop()


def test_istio_access_logs_sample():
    mesh, telemetry = yaml.safe_load_all((DEPLOY / "istio-access-logs.yaml").read_text())
    providers = mesh["spec"]["meshConfig"]["extensionProviders"]
    used = [each["name"] for rule in telemetry["spec"]["accessLogging"] for each in rule["providers"]]
    assert used == [provider["name"] for provider in providers]
    settings = providers[0]["envoyOtelAls"]
    assert settings["port"] == 4317
    # The fields that real Envoys send in the other tests, by the same names.
    labels = settings["logFormat"]["labels"]
    assert labels.items() <= ACCESS_LOG_FIELDS.items()


def test_istio_sample():
    mesh, telemetry = yaml.safe_load_all((DEPLOY / "istio.yaml").read_text())
    providers = mesh["spec"]["meshConfig"]["extensionProviders"]
    used = [each["name"] for rule in telemetry["spec"]["tracing"] for each in rule["providers"]]
    assert used == [provider["name"] for provider in providers]
    assert [provider["opentelemetry"]["port"] for provider in providers] == [4317]
    # Istio keeps one trace in a hundred unless it is told otherwise.
    assert [rule["randomSamplingPercentage"] for rule in telemetry["spec"]["tracing"]] == [100]


@pytest.mark.parametrize("name", ["collector.yaml", "collector-kubernetes-events.yaml"])
def test_collector_sample(name):
    sample = yaml.safe_load((DEPLOY / name).read_text())
    for pipeline in sample["service"]["pipelines"].values():
        for part in pipeline:
            assert set(pipeline[part]) <= sample[part].keys()
    assert sample["exporters"]["otlp/spangate"]["endpoint"].endswith(":4317")


def test_sdk_example(gateway):
    result = subprocess.run(
        [sys.executable, DEPLOY / "sdk-example.py"],
        env=clean_environment() | {"OTEL_EXPORTER_OTLP_ENDPOINT": gateway.http},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0 and not result.stderr, result.stderr
    assert edges(gateway.graph()) == {
        ("frontend", "checkout"): (20, 0),
        ("checkout", "payment"): (20, 0),
        ("checkout", "database:orders"): (20, 0),
    }


def replace_ports(value, ports):
    if isinstance(value, list):
        return [replace_ports(each, ports) for each in value]
    if isinstance(value, dict):
        return {
            key: ports[each] if key == "port_value" else replace_ports(each, ports)
            for key, each in value.items()
        }
    return value
