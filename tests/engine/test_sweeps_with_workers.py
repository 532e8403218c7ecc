"""Sweeps with real workers and a real Redis, which are killed and emptied while they run."""

import random
import threading
import time

import psutil
import pytest

from jobs.client import Client
from jobs.ledger.rebuild import rebuild
from jobs.settings import Settings
from jobs.sweeps.search import asked_again
from jobs.sweeps.sweep import Sweep
from tests.support.processes import Workers, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1500)]
RATES = {"learning_rate": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1}}
DIGITS = {"model": "autoencoder", "data": "digits"}


@pytest.fixture
def patient(client: Client, workers: Workers, settings: Settings) -> Client:
    """Workers may die as often as they like."""
    workers.settings = settings.model_copy(update={"max_lost_workers": 100})
    return client


def check_whole(client: Client, sweep: Sweep, trials: int) -> None:
    """Each trial succeeded, exactly once, and no job was made that the sweep does not know."""
    sweep.refresh()
    assert (sweep.state, sweep.counts) == ("ended", {"succeeded": trials}), sweep.why
    assert sorted(client.results.ids()) == sorted(entry.job for entry in sweep.entries)
    assert sorted(client.ledger.ids()) == sorted(entry.job for entry in sweep.entries)
    assert len({entry.key for entry in sweep.entries}) == len(sweep.entries)
    for entry in sweep.entries:
        folder = client.folder(entry.job)
        assert (folder.verify(), folder.job["sweep"]["entry"]) == ([], entry.as_dict())


def check_points(sweep: Sweep) -> None:
    """Each point is what a rebuilt search asks for, told what this one's had been told."""
    for entry in sweep.entries:
        if entry.then is None and entry.rung == 0:
            number = entry.trial // len(sweep.spec.seeds)
            assert asked_again(sweep.spec, sweep.entries, sweep.outcomes, number) == entry.point


def test_workers_that_are_killed_at_random_lose_no_trial_and_run_none_twice(
    patient: Client, workers: Workers
) -> None:
    chance, stop = random.Random(7), threading.Event()
    kills = 0

    def kill() -> None:
        """After each trial, kill a worker's main process or the one that computes, and start another.

        A machine under load takes a minute to start one: more kills would leave no trial to run.
        """
        nonlocal kills
        while not stop.is_set():
            ended, patience = len(patient.results.ids()), time.monotonic() + 60
            while len(patient.results.ids()) == ended and time.monotonic() < patience:
                if stop.wait(0.1):
                    return
            stop.wait(chance.uniform(0, 3))
            alive = [each for each in workers.started if each.process.poll() is None]
            victim = chance.choice(alive)
            try:
                whole = chance.random() < 0.5
                main = psutil.Process(victim.process.pid)
                for process in [main, *main.children(recursive=True)] if whole else main.children()[-1:]:
                    process.kill()
            except (psutil.Error, IndexError):
                continue
            kills += 1
            if whole:
                victim.process.wait()
                workers.start()

    workers.start(3)
    parameters = {"epochs": 60, **RATES}
    sweep = patient.sweep(**DIGITS, parameters=parameters, method="tpe", run_cap=14, name="storm")
    until(lambda: patient.ledger.ids("running"), 120, "the first trial")
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        until(lambda: len(patient.results.ids()) >= 12 and kills >= 4, 1000, "a storm")
    finally:
        stop.set()
        killer.join()
    sweep.wait(400)
    check_whole(patient, sweep, 14)
    check_points(sweep)
    assert sum(bool(entry.seen) for entry in sweep.entries) >= 6


def test_a_sweep_goes_on_after_redis_was_emptied_in_its_middle(client: Client, workers: Workers) -> None:
    workers.start()
    sweep = client.sweep(
        **DIGITS, parameters={"epochs": 40, **RATES}, method="tpe", run_cap=14, parallel=2, name="emptied"
    )
    until(lambda: len(client.results.ids()) >= 5, 200, "five trials")
    time.sleep(2)  # the sweeper saves the records of those that are queued
    client.ledger.redis.flushall()
    until(lambda: client.ledger.workers(), 60, "a worker's announcement")
    done = rebuild(client.ledger, client.results)
    assert done.sweeps == ["emptied"]
    sweep.wait(400)
    assert (sweep.state, sweep.counts) == ("ended", {"succeeded": 14}), sweep.why
    assert sorted(client.results.ids()) == sorted(entry.job for entry in sweep.entries)
    check_points(sweep)
