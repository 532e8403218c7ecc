"""One worker at a time advances the sweeps, at each trial's end, and outlives whatever goes wrong."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from jobs.client import Client
from jobs.errors import RedisUnreachable
from jobs.settings import Settings
from jobs.sweeps.advance import Advancer
from tests.support.processes import until
from tests.sweeps.stand_in_worker import RATES, StandIn, sweep_of
from worker.engine.sweep_advancer import LOCK, SweepAdvancer


@pytest.fixture
def advancer(settings: Settings) -> Iterator[SweepAdvancer]:
    """It looks by itself so rarely that only a trial's end can wake it."""
    rare = SweepAdvancer(settings.model_copy(update={"sweep_seconds": 60.0}))
    rare.start()
    yield rare
    rare.stop()


def test_a_sweep_begins_and_goes_on_as_its_trials_end(client: Client, advancer: SweepAdvancer) -> None:  # noqa: ARG001
    until(lambda: client.ledger.redis.exists(f"quartet:{LOCK}"), 20, "the lock")
    sweep = client.create_sweep(sweep_of(parallel=1))
    stand_in = StandIn(client)
    began = time.monotonic()
    for _ in range(3):
        until(lambda: client.ledger.ids("queued"), 20, "a trial")
        stand_in.end_queued()
    until(lambda: sweep.refresh().state == "ended", 20, "its end")
    assert time.monotonic() - began < 15  # it waits for five seconds where nothing wakes it


def test_another_worker_goes_on_at_once_when_the_one_that_advances_stops(
    client: Client, settings: Settings, advancer: SweepAdvancer
) -> None:
    holder = until(lambda: client.ledger.redis.get(f"quartet:{LOCK}"), 20, "the lock")
    other = SweepAdvancer(settings)
    other.start()
    try:
        advancer.stop()
        until(
            lambda: client.ledger.redis.get(f"quartet:{LOCK}") not in (None, holder),
            8,
            "the other one's lock",
        )
        client.create_sweep(sweep_of(method="random", parameters={"learning_rate": RATES}, run_cap=1))
        until(lambda: client.ledger.ids("queued"), 20, "a trial")
    finally:
        other.stop()


def test_where_no_worker_follows_the_page_of_a_sweep_that_has_just_ended_is_drawn(
    client: Client, advancer: SweepAdvancer
) -> None:
    sweep = client.create_sweep(sweep_of())
    stand_in = StandIn(client)
    while sweep.refresh().state == "running":
        stand_in.end_queued()
    advancer.stop()
    advancer.finish()
    folder = client.results.root / "sweeps" / sweep.name
    assert json.loads((folder / "sweep.json").read_text())["state"] == "ended"
    assert "The sweep has ended" in (folder / "compare.html").read_text()


def test_whatever_goes_wrong_it_is_tried_again(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([RedisUnreachable("away"), OSError("full"), ValueError("a mistake of ours")])
    real = Advancer.advance_all

    def advance_all(self: Advancer, *arguments: object) -> bool:
        for failure in failures:
            raise failure
        return real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Advancer, "advance_all", advance_all)
    client.create_sweep(sweep_of())
    quick = SweepAdvancer(settings.model_copy(update={"sweep_seconds": 0.05}))
    quick.start()
    try:
        until(lambda: client.ledger.ids("queued"), 20, "a trial")
    finally:
        quick.stop()


def test_advancing_loads_neither_tensorflow_nor_optuna_before_it_needs_it() -> None:
    code = (
        "import sys, worker.engine.sweep_advancer; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for heavy in ("'tensorflow'", "'keras'", "'optuna'", "'scipy'", "'celery'"):
        assert heavy not in loaded
