"""Root causes from outside: a simulated shop in which payments begin to fail, replayed."""

import datetime
import json
import subprocess
import time

from support.gateway import BINARY, ROOT, Gateway

ACCURACY = BINARY.parent / "spangate-accuracy"
# Of the simulation, seconds: well until the first, failing until the second.
ONSET, END = 600, 900


def test_it_is_found_where_it_began(tmp_path):
    begin = (int(time.time()) - END - 60) // 60 * 60
    case = tmp_path / "case.jsonl"
    floors = ROOT / "loadtest" / "accuracy" / "accuracy-floors.json"
    with case.open("w") as file:
        subprocess.run(
            [ACCURACY, "--floors", floors, "--write", "shop/errors/1", "--start", str(begin)],
            check=True,
            stdout=file,
            timeout=120,
        )
    gateway = Gateway(tmp_path / "gateway").start()
    try:
        replayed = run("replay", case, "--to", gateway.http)
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        gateway.flush()
        times = {"start": begin + ONSET, "end": begin + END, "base_start": begin + 60}
        status, text = gateway.get("/api/v1/root-causes", **times)
        assert status == 200
        answer = json.loads(text)
        assert answer["window_seconds"] == 10
        first = answer["causes"][0]
        assert first["kind"] == "errors" and first["path"][-1] == first["service"], answer
        assert first["evidence"][0]["metric"] == "error_origin_rate"
        options = [f"--{name.replace('_', '-')}={value}" for name, value in times.items()]
        table = run("root-causes", "--server", gateway.query, *options)
        assert table.returncode == 0 and first["service"] in table.stdout, table
        # When it began, at the same place and with the same origin.
        status, text = gateway.get("/api/v1/shifts", start=begin + 360, end=begin + END)
        assert status == 200, text
        shifts = [shift for shift in json.loads(text)["shifts"] if shift["worse"]]
        began = [shift for shift in shifts if shift["metric"] == "error_origin_rate"]
        assert began and all(shift["service"] == first["service"] for shift in began), shifts
        onset = datetime.datetime.fromisoformat(began[0]["onset"]).timestamp()
        assert abs(onset - begin - ONSET) <= 30, shifts
        assert began[0]["origin"]["service"] == first["service"], shifts
        options = [f"--start={begin + 360}", f"--end={begin + END}"]
        table = run("shifts", "--server", gateway.query, *options)
        assert table.returncode == 0, table
        lines = [line for line in table.stdout.splitlines() if began[0]["onset"] in line]
        assert any(first["service"] in line and "error origin" in line for line in lines), table
        # Before, all was well.
        calm = {"start": begin + 360, "end": begin + ONSET, "base_start": begin + 60}
        assert json.loads(gateway.get("/api/v1/root-causes", **calm)[1])["causes"] == []
    finally:
        gateway.stop()


def run(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=120)
