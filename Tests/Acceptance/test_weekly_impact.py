"""What became of a service over a week, from spans, markers and verdicts to the page."""

import json
import time

from support import versions
from support.gateway import run
from support.versions import NEW, OLD


def test_a_week_with_a_bad_deployment(gateway):
    end = time.time_ns()
    versions.send_old(gateway, "checkout", end)
    versions.send_new(gateway, "checkout", end, failing=0.5)
    started = end // 1_000_000_000 - 300
    for version, key, state, when in [
        (NEW, "run-1", "rolled_back", started),
        (OLD, "run-2", "finished", end // 1_000_000_000),
    ]:
        posted = run(
            *("marker", "post", "--server", gateway.query, "--kind", "deployment"),
            *("--service", "checkout", "--namespace", "shop", "--version", version),
            *("--dedupe-key", key, "--state", state, "--time", str(when)),
        )
        assert posted.returncode == 0, posted.stderr
    gateway.flush()
    status, text = gateway.get("/api/v1/gate", service="checkout", version=NEW)
    assert (status, json.loads(text)["verdict"]) == (200, "rollback"), text

    status, text = gateway.get("/api/v1/services/shop/checkout/impact", end=end + 60 * 10**9)
    assert status == 200, text
    week = json.loads(text)
    assert (week["service"], week["rollbacks"]) == ("shop/checkout", 1)
    bad, good = week["deployments"]
    assert (bad["marker"]["version"], bad["verdict"]) == (NEW, "rollback")
    assert (bad["outcome"], bad["rolled_back"]) == ("worse", True)
    assert (good["marker"]["version"], good["rolled_back"]) == (OLD, False)
    assert week["worst"] == bad["marker"]["id"]
    assert week["end_standing"]["objective_met"] is False

    asked = ("impact", "--server", gateway.query, "--weekly", "shop/checkout")
    table = run(*asked)
    assert table.returncode == 0 and "worse, rolled back" in table.stdout, table.stderr
    page = run(*asked, "--format", "markdown").stdout
    assert page.startswith("# shop/checkout from ") and "<svg" in page
    assert "the gate said rollback" in page and "it ends outside what it is held to" in page
    assert run("impact").returncode == 64
    assert run("impact", "mk_1", "--start", "1").returncode == 64
    assert gateway.get("/api/v1/services/shop/nobody/impact")[0] == 404
