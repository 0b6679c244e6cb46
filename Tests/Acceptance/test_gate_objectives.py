"""What a service is held to counts at the gate."""

import json
import time

from support import versions
from support.gateway import run
from support.versions import NEW


def test_a_version_is_held_to_the_objective_of_its_service(make_gateway):
    objectives = "shop/checkout error_rate=20%, cart latency_p99=1s"
    gateway = make_gateway(slo__services=objectives).start()
    end = time.time_ns()
    for service in ("checkout", "cart"):
        versions.send_old(gateway, service, end)
        versions.send_new(gateway, service, end, failing=0.1)
    gateway.flush()

    def gate(service, **parameters):
        status, text = gateway.get("/api/v1/gate", service=service, version=NEW, **parameters)
        assert status == 200, text
        answer = json.loads(text)
        (rate,) = [item for item in answer["evidence"] if item["metric"] == "error_rate"]
        return rate["baseline"], rate["decision"], answer["reasons"][-1]

    tolerated, decision, reason = gate("checkout")
    assert (tolerated, decision) == (0.2, "safe")
    assert "20% of requests may fail: the objective of shop/checkout" in reason
    assert gate("cart")[:2] == (0.01, "undecided")
    assert gate("cart", errors_tolerated=0.3)[:2] == (0.3, "safe")
    tolerated, decision, reason = gate("checkout", errors_tolerated=0.02)
    assert (tolerated, decision) == (0.02, "undecided") and "the question says so" in reason
    printed = run(
        *("gate", "--server", gateway.query, "--service", "cart", "--version", NEW),
        *("--errors-tolerated", "0.3", "--format", "json"),
    )
    assert "30% of requests may fail" in printed.stdout
