"""`make demo`: what it prints, how long it takes, what it leaves behind; and the shop it shows."""

import json
import re
import subprocess
import time

import pytest
from support.gateway import BINARY, CRASH, ROOT, clean_environment

SHOP = BINARY.parent / "spangate-demo"
END = 1_800_000_000


def shop(*arguments):
    result = subprocess.run([SHOP, *arguments], capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_demo(tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # What the person who runs it has set for a gateway of their own is not meant.
    settings = {"TMPDIR": str(temporary), "SPANGATE_SERVER": "http://127.0.0.1:9"}
    began = time.monotonic()
    result = subprocess.run(
        [ROOT / "scripts" / "demo", BINARY.parent],
        cwd=tmp_path,
        env=clean_environment() | settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert time.monotonic() - began < 120
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
    assert not CRASH.search(result.stdout)
    assert list(temporary.iterdir()) == []

    graph, promoted, rolled_back = re.split(r"^\$ spangate gate .*$", result.stdout, flags=re.M)
    for edge in [("shop/frontend", "shop/cart"), ("shop/checkout", "database:orders")]:
        assert re.search(rf"^{edge[0]} +{edge[1]} ", graph, re.M), graph
    assert re.search(r"^promote +shop/cart v8 against v7 ", promoted, re.M), promoted
    assert "exit code 0: " in promoted
    assert re.search(r"^rollback +shop/checkout v42 against v41 ", rolled_back, re.M), rolled_back
    assert "exit code 10: " in rolled_back


def test_the_shop_is_the_same_for_the_same_seed():
    arguments = ["--end", str(END), "--minutes", "4"]
    assert shop(*arguments) == shop(*arguments, "--seed", "1")
    assert shop(*arguments) != shop(*arguments, "--seed", "2")


def test_what_the_shop_holds():
    versions = {"cart": set(), "checkout": set()}
    times = []
    for line in shop("--end", str(END)).splitlines():
        spans = 0
        for group in json.loads(line)["resourceSpans"]:
            resource = {
                each["key"]: each["value"]["stringValue"]
                for each in group["resource"]["attributes"]
            }
            assert resource["service.namespace"] == "shop"
            assert resource["deployment.environment.name"] == "demo"
            assert resource["service.instance.id"]
            if resource["service.name"] in versions:
                versions[resource["service.name"]].add(resource["service.version"])
            for scope in group["scopeSpans"]:
                spans += len(scope["spans"])
                times += [int(span["endTimeUnixNano"]) for span in scope["spans"]]
        assert spans <= 500
    assert versions == {"cart": {"v7", "v8"}, "checkout": {"v41", "v42"}}
    assert 100_000 < len(times) <= 250_000
    assert (END - 41 * 60) * 10**9 < min(times)
    assert max(times) <= END * 10**9


@pytest.mark.parametrize("arguments", [["--ned", "1"], ["--end"], ["--minutes", "x"]])
def test_what_the_shop_does_not_understand(arguments):
    result = subprocess.run([SHOP, *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode == 64
    assert arguments[0] in result.stderr
