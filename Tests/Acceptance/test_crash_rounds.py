"""Kills at random moments, round after round on one store: `make crash ROUNDS=500` for many."""

import os
import random

import pytest
from support.crash import CrashRun

ROUNDS = int(os.environ.get("SPANGATE_CRASH_ROUNDS", "20"))
SEED = int(os.environ.get("SPANGATE_SEED", random.randrange(1 << 32)))
HELD = {"traces__idle": "10m", "traces__max_age": "1h", "traces__remember": "1h"}
SEALED = {"traces__idle": "100ms", "traces__remember": "0s"}


@pytest.mark.timeout(60 + 20 * ROUNDS)
@pytest.mark.parametrize("settings", [HELD, SEALED], ids=["traces held", "traces sealed"])
def test_acknowledged_is_counted_once(make_gateway, settings):
    """With traces held, every acknowledged span is listed by `spangate journal dump` after the kill;
    in both, the counts of each operation are those of its batch, once, also when the client sends
    a batch again that got no answer."""
    print(f"SPANGATE_SEED={SEED}")
    run = CrashRun(make_gateway(**settings), SEED, is_sealed=settings is SEALED)
    rounds = max(1, ROUNDS // 2)
    for number in range(rounds):
        run.round(number)
    run.check_everything()
    outcomes = [batch.outcome for batch in run.batches]
    print(
        f"{rounds} rounds, {run.kills_at_start} more kills while starting:",
        *(f"{outcomes.count(each)} {each}," for each in ("acknowledged", "unknown", "refused")),
        f"{sum(len(batch.spans) for batch in run.batches)} spans",
    )
    assert outcomes.count("acknowledged") > 20 * rounds


def test_the_check_sees_loss(make_gateway):
    """Without a journal a kill loses what was acknowledged: the check above says so."""
    run = CrashRun(make_gateway(journal__durability="none", **HELD), SEED, is_sealed=True)
    with pytest.raises(AssertionError, match="acknowledged.*, 0\\)"):
        run.round(0)
    run.gateway.kill()
