"""Everything is killed, frozen, restarted, lost and doubled; every job still ends exactly once.

`QUARTET_CHAOS_JOBS` jobs (`make chaos`: 60) in a storm that `QUARTET_CHAOS_SEED` chooses: which faults
come in which order, whom they hit and how long after each other is the same for the same seed.
"""

import contextlib
import os
import random
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from jobs.client import Client
from jobs.errors import RedisUnreachable
from jobs.ledger.job_record import ENDED
from jobs.ledger.messages import lists
from jobs.settings import read_settings
from jobs.store.job_folder import CHECKPOINT
from jobs.store.results import STAGING
from tests.support.processes import RestartableRedis, Workers, ended, until, volume

SEED = int(os.environ.get("QUARTET_CHAOS_SEED", "1"))
JOBS = int(os.environ.get("QUARTET_CHAOS_JOBS", "20"))
WORKERS = 3
ROUNDS = 1 if JOBS < 40 else 4
"""How many rounds of faults there are at least; the storm also lasts until half of the jobs have ended."""

TRAININGS = [
    ("autoencoder", {"data": "digits", "epochs": 1000}, {"count": 3}),
    ("denoiser", {"data": "digits", "epochs": 1000}, {"count": 3}),
    (
        "textgen",
        {"data": "pydoc", "epochs": 20, "units": 16, "batch_size": 256},
        {"prompt": "The", "length": 40},
    ),
    (
        "sentiment",
        {"data": "toy-reviews", "epochs": 10},
        {"text": ["The plot is dull."]},
    ),
]
"""Model, what to train it with, what to generate with it."""

KINDS = ["kill child", "kill child", "kill worker", "freeze worker"]
KINDS += ["restart redis", "drop messages", "double messages", "fill disk"]
"""A round of faults. The disk is filled in every second one, for whoever writes then has failed for good."""

STATED = r"^(the results volume .* is full|job .*, which it depends on, failed)$"
"""What a job may fail with in a storm that fills the disk: nothing else went wrong."""


class Storm:
    """Faults of every kind, one after the other, until it is stopped."""

    def __init__(self, workers: Workers, client: Client, redis: RestartableRedis, seed: int) -> None:
        self.workers, self.client, self.redis = workers, client, redis
        self.random = random.Random(seed)
        self.rounds = 0
        self.count: Counter[str] = Counter()
        self.frozen: list[tuple[float, list[int]]] = []

    def rage(self, stop: threading.Event) -> None:
        while True:
            kinds = [kind for kind in KINDS if kind != "fill disk" or self.rounds % 2 == 0]
            self.random.shuffle(kinds)
            for kind in kinds:
                pause, strength = self.random.uniform(1, 3), self.random.random()
                victim = self.random.randrange(WORKERS)
                if stop.wait(pause):
                    return
                if kind in ("kill child", "kill worker", "freeze worker"):
                    self.wait_for_a_checkpoint(f"w{victim + 1}@")
                self.count[kind] += 1
                with contextlib.suppress(
                    psutil.NoSuchProcess, ProcessLookupError, ValueError, RedisUnreachable
                ):
                    getattr(self, kind.replace(" ", "_"))(self.workers.started[victim].process.pid, strength)
                self.look_after()
            self.rounds += 1

    def wait_for_a_checkpoint(self, worker: str) -> None:
        """Give a worker a few seconds to be in the middle of a training run, where a death does most harm."""
        ledger, staging = self.client.ledger, self.client.results.root / STAGING
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            with contextlib.suppress(RedisUnreachable):
                held = [
                    job
                    for job in ledger.records(ledger.ids("running"))
                    if (job.worker or "").startswith(worker)
                ]
                if any((staging / f"{job.id}.{job.attempt}" / CHECKPOINT).exists() for job in held):
                    return
            time.sleep(0.1)

    def kill_child(self, worker: int, _: float) -> None:
        children = psutil.Process(worker).children(recursive=True)
        max(children, key=lambda process: process.memory_info().rss).kill()

    def kill_worker(self, worker: int, _: float) -> None:
        os.killpg(worker, signal.SIGKILL)

    def freeze_worker(self, worker: int, _: float) -> None:
        main = psutil.Process(worker)
        pids = [main.pid, *(child.pid for child in main.children(recursive=True))]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        # Long past its lease.
        self.frozen.append((time.monotonic() + 2 * self.client.settings.lease_seconds, pids))

    def restart_redis(self, _: int, strength: float) -> None:
        self.redis.restart(pause=0.5 + 2.5 * strength)

    def drop_messages(self, _: int, __: float) -> None:
        self.client.ledger.redis.delete(*lists())

    def double_messages(self, _: int, __: float) -> None:
        for name in lists():
            for message in self.client.ledger.redis.lrange(name, 0, 5):
                self.client.ledger.redis.lpush(name, message)

    def fill_disk(self, _: int, strength: float) -> None:
        """For a moment the results volume has not a byte left: whoever writes then fails, and says why."""
        filler = self.client.results.root / ".filler"
        try:
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(2**20))
            time.sleep(0.1 + 0.2 * strength)
        finally:
            filler.unlink()

    def look_after(self) -> None:
        """Thaw what was frozen long enough, start anew what was killed."""
        now = time.monotonic()
        for thaw_at, pids in list(self.frozen):
            if now >= thaw_at:
                self.frozen.remove((thaw_at, pids))
                for pid in pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
        for worker in self.workers.started:
            if worker.process.poll() is not None:
                worker.restart()

    def calm(self) -> None:
        until(lambda: self.look_after() or not self.frozen, 60, "the thaw of all workers")


@pytest.fixture
def storm(tmp_path: Path, restartable: RestartableRedis) -> Iterator[Storm]:
    settings = read_settings(
        redis_url=restartable.address,
        results_dir=tmp_path / "results",
        data_dir=tmp_path / "data",
        state_dir=tmp_path / "state",
        lease_seconds=4,
        heartbeat_seconds=0.5,
        sweep_seconds=0.5,
        checkpoint_seconds=1,
        max_lost_workers=20,
    )
    (tmp_path / "logs").mkdir()
    workers = Workers(settings, tmp_path / "logs")
    with volume(settings.results_dir, "size=200m"):
        workers.start(WORKERS)
        yield Storm(workers, Client(settings), restartable, SEED)
        workers.end()


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_every_job_ends_exactly_once_and_every_training_with_its_own_bits(
    storm: Storm, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    client = storm.client
    began = time.monotonic()
    jobs = submit_all(client)
    stop = threading.Event()
    raging = threading.Thread(target=storm.rage, args=[stop])
    raging.start()
    while True:
        time.sleep(1)
        assert raging.is_alive()
        with contextlib.suppress(RedisUnreachable):
            done = sum(record.state in ENDED for record in client.ledger.records(jobs))
            if storm.rounds >= ROUNDS and done >= len(jobs) // 2:
                break
    stop.set()
    raging.join()
    storm.calm()
    raged = time.monotonic() - began
    for job_id in jobs:
        ended(client, job_id, 900)
    until(lambda: not client.ledger.unpublished(), 60, "a folder for each failure")
    until(lambda: not any((client.results.root / STAGING).iterdir()), 60, "the removal of staging")

    found = [client.job(job_id) for job_id in jobs]
    states = Counter(job.state for job in found)
    say(
        f"chaos, seed {SEED}: {len(jobs)} jobs, {sum(job.attempt for job in found)} attempts, {dict(states)}; "
        f"{sum(storm.count.values())} faults in {raged:.0f} s: {dict(storm.count)}; "
        f"all ended after {time.monotonic() - began:.0f} s"
    )
    check_ends(client, jobs)
    check_leases(client, jobs)
    for job in found:
        assert job.error is None or re.search(STATED, job.error), job.error
    hit = check_bits(client, jobs)
    say(f"{hit} training jobs were resumed after a fault, to the bits of one that was left alone")
    assert hit, "the storm hit no training that succeeded"
    assert states["succeeded"] > len(jobs) // 2


def submit_all(client: Client) -> list[str]:
    jobs: list[str] = []
    number = 0
    while len(jobs) < JOBS:
        model, training, generating = TRAININGS[number % len(TRAININGS)]
        trained = client.submit(model, "train", seed=number // len(TRAININGS) % 2, **training)
        jobs += [trained.id, client.submit(model, "generate", source=trained.id, **generating).id]
        jobs.append(client.submit(model, "evaluate", source=trained.id).id)
        number += 1
    return jobs


def check_ends(client: Client, jobs: list[str]) -> None:
    """Every job has exactly one folder, which says how it ended; a failure says why."""
    assert sorted(client.results.ids()) == sorted(jobs)
    for job_id in jobs:
        job, folder = client.job(job_id), client.folder(job_id)
        ends = [e for e in client.ledger.timeline(job_id) if e["text"].split(":")[0] in ENDED]
        assert len(ends) == 1, job_id
        assert folder.verify() == []
        assert (folder.job["state"], folder.job["error"]) == (job.state, job.error)
        assert (job.state == "succeeded") == (job.error is None)


def check_leases(client: Client, jobs: list[str]) -> None:
    """Between two starts of a job it was queued again: no two attempts held it at once."""
    for job_id in jobs:
        held = False
        for entry in client.ledger.timeline(job_id):
            text = entry["text"]
            if re.match(r"(started|attempt \d+ started) on", text):
                assert not held, client.ledger.timeline(job_id)
                held = True
            elif "queued" in text or text.split(":")[0] in ENDED:
                held = False


def check_bits(client: Client, jobs: list[str]) -> int:
    """Every training job has the weights of an undisturbed one; how many of them were resumed."""
    control: dict[str, str] = {}
    hit = 0
    for job_id in jobs:
        job = client.job(job_id)
        if job.spec.action != "train" or job.state != "succeeded":
            continue
        spec = job.spec.to_json()
        if spec not in control:
            alone = client.submit_spec(job.spec)
            assert ended(client, alone.id, 240).attempt == 1
            control[spec] = alone.id
        hit += any(entry["text"].startswith("resumed from epoch") for entry in client.timeline(job_id))
        with (
            np.load(client.folder(job_id).path / CHECKPOINT) as mine,
            np.load(client.folder(control[spec]).path / CHECKPOINT) as other,
        ):
            assert mine.files == other.files
            for name in set(mine.files) - {"history"}:
                np.testing.assert_array_equal(mine[name], other[name])
            # The last column of the history is the seconds that an epoch took.
            np.testing.assert_array_equal(mine["history"][:, :-1], other["history"][:, :-1])
    return hit
