"""Everything is killed, frozen, restarted, lost and doubled; every job still ends exactly once.

Asked for by `QUARTET_CHAOS_JOBS`, a number of jobs; `QUARTET_CHAOS_SEED` chooses another storm.
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
from conftest import Workers, ended, until
from pydantic import SecretStr

from jobs.client import Client
from jobs.errors import RedisUnreachable
from jobs.folder import CHECKPOINT, STAGING
from jobs.ledger import ENDED
from jobs.local import private_redis
from jobs.queue import lists
from jobs.settings import Settings, read_settings

SEED = int(os.environ.get("QUARTET_CHAOS_SEED", "1"))
JOBS = int(os.environ.get("QUARTET_CHAOS_JOBS", "0"))
WORKERS = 3
TRAININGS = [
    ("autoencoder", {"data": "digits", "epochs": 150}),
    ("denoiser", {"data": "digits", "epochs": 150}),
]
"""Each is asked for with two seeds, again and again: all copies must end with the same bits."""

STATED = r"^(the results volume .*|a volume .*|job .*, which it needs, failed|its worker was lost .* times)$"
"""What a job may fail with in a storm that fills disks: nothing else went wrong."""


class Storm:
    """Faults of every kind, one after the other, until it is told to stop."""

    def __init__(self, workers: Workers, client: Client, redis: "RestartableRedis", seed: int) -> None:
        self.workers, self.client, self.redis = workers, client, redis
        self.random = random.Random(seed)
        self.count: Counter[str] = Counter()
        self.frozen: list[tuple[float, list[int]]] = []

    def faults(self) -> list[str]:
        """The next round, every kind in it, in an order of its own."""
        kinds = ["kill child", "kill child", "kill worker", "freeze worker", "restart redis"]
        kinds += ["drop messages", "double messages", "fill disk"]
        self.random.shuffle(kinds)
        return kinds

    def strike(self, kind: str) -> None:
        self.count[kind] += 1
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, ValueError, RedisUnreachable):
            getattr(self, kind.replace(" ", "_"))()

    def victim(self) -> int:
        return self.random.choice(self.workers.started).process.pid

    def kill_child(self) -> None:
        children = psutil.Process(self.victim()).children(recursive=True)
        max(children, key=lambda process: process.memory_info().rss).kill()

    def kill_worker(self) -> None:
        os.killpg(self.victim(), signal.SIGKILL)

    def freeze_worker(self) -> None:
        main = psutil.Process(self.victim())
        pids = [main.pid, *(child.pid for child in main.children(recursive=True))]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        # Long past its lease.
        self.frozen.append((time.monotonic() + 2 * self.client.settings.lease_seconds, pids))

    def restart_redis(self) -> None:
        self.redis.restart(pause=self.random.uniform(0.5, 3))

    def drop_messages(self) -> None:
        self.client.ledger.redis.delete(*lists())

    def double_messages(self) -> None:
        for name in lists():
            for message in self.client.ledger.redis.lrange(name, 0, 5):
                self.client.ledger.redis.lpush(name, message)

    def fill_disk(self) -> None:
        """For a second no folder can be made in staging, as if its quota were used up."""
        staging = self.client.results.root / STAGING
        if os.geteuid() == 0 and os.system(f"mount -t tmpfs -o size=4k,nr_inodes=2 tmpfs {staging}") == 0:
            time.sleep(1)
            os.system(f"umount -l {staging}")

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


class RestartableRedis:
    """A Redis with an append-only file that is killed and started again on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = Path(f"/tmp/quartet-chaos-{os.getpid()}.sock")
        self.block = private_redis(self.socket, folder, keep=True)
        self.address = self.block.__enter__()

    def restart(self, pause: float) -> None:
        for process in psutil.process_iter(["cmdline"]):
            if str(self.socket) in " ".join(process.info["cmdline"] or []):
                process.kill()
        time.sleep(pause)
        self.block = private_redis(self.socket, self.folder, keep=True)
        self.block.__enter__()

    def end(self) -> None:
        self.block.__exit__(None, None, None)


@pytest.fixture
def storm(tmp_path: Path) -> Iterator[Storm]:
    redis = RestartableRedis(tmp_path / "redis")
    settings: Settings = read_settings(
        redis_url=SecretStr(redis.address),
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
    workers.start(WORKERS)
    yield Storm(workers, Client(settings), redis, SEED)
    workers.end()
    redis.end()


@pytest.mark.chaos
@pytest.mark.skipif(JOBS == 0, reason="QUARTET_CHAOS_JOBS is not set: `make chaos` sets it to 60")
@pytest.mark.timeout(1500)
def test_every_job_ends_exactly_once_and_every_training_with_its_own_bits(storm: Storm) -> None:
    client = storm.client
    jobs = submit_all(client)
    stop = threading.Event()

    def rage() -> None:
        while not stop.is_set():
            for kind in storm.faults():
                if stop.wait(storm.random.uniform(1.0, 3.0)):
                    return
                storm.strike(kind)
                storm.look_after()

    raging = threading.Thread(target=rage)
    raging.start()
    # The storm lasts until every kind of fault has struck twice and half of the jobs have ended, or 4 minutes.
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        time.sleep(1)
        with contextlib.suppress(RedisUnreachable):
            done = sum(record.state in ENDED for record in client.ledger.records(jobs))
            if done >= len(jobs) // 2 and min(storm.count.values(), default=0) >= 2 and len(storm.count) == 7:
                break
    stop.set()
    raging.join()
    storm.calm()
    for job_id in jobs:
        ended(client, job_id, 600)
    until(lambda: not any((client.results.root / STAGING).iterdir()), 60, "the removal of staging")

    check_ends(client, jobs)
    check_leases(client, jobs)
    check_bits(client, jobs)
    states = Counter(client.job(job_id).state for job_id in jobs)
    attempts = sum(client.job(job_id).attempt for job_id in jobs)
    sys.stdout.write(
        f"\nchaos, seed {SEED}: {len(jobs)} jobs, {attempts} attempts, {dict(states)}; faults: {dict(storm.count)}\n"
    )
    assert states["succeeded"] >= len(jobs) // 4
    for job_id in jobs:
        error = client.job(job_id).error
        assert error is None or re.search(STATED, error), error


def submit_all(client: Client) -> list[str]:
    jobs: list[str] = []
    number = 0
    while len(jobs) < JOBS:
        model, wanted = TRAININGS[number % len(TRAININGS)]
        training = client.submit(model, "train", seed=number // len(TRAININGS) % 2, **wanted)
        jobs += [training.id, client.submit(model, "generate", source=training.id, count=3).id]
        if number % 3 == 0:
            jobs.append(client.submit(model, "evaluate", source=training.id).id)
        number += 1
    return jobs


def check_ends(client: Client, jobs: list[str]) -> None:
    """Every job has exactly one folder, or one stated failure."""
    published = set(client.results.ids())
    assert published <= set(jobs)
    for job_id in jobs:
        job = client.job(job_id)
        ends = [e for e in client.ledger.timeline(job_id) if e["text"].split(":")[0] in ENDED]
        assert len(ends) == 1, job_id
        if job_id in published:
            folder = client.folder(job_id)
            assert folder.verify() == []
            assert folder.job["state"] == job.state
        else:
            assert job.state == "failed"
            assert job.error


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


def check_bits(client: Client, jobs: list[str]) -> None:
    """Every training ends with the weights of one that was left alone, however often it was hit."""
    control: dict[str, str] = {}
    hit = 0
    for job_id in jobs:
        job = client.job(job_id)
        if job.spec.action != "train" or job.state != "succeeded":
            continue
        spec = job.spec.to_json()
        if spec not in control:
            alone = client.submit_spec(job.spec)
            assert ended(client, alone.id, 120).attempt == 1
            control[spec] = alone.id
        hit += job.attempt > 1
        with (
            np.load(client.folder(job_id).path / CHECKPOINT) as mine,
            np.load(client.folder(control[spec]).path / CHECKPOINT) as other,
        ):
            names = [name for name in mine.files if name != "position"]
            assert names == [name for name in other.files if name != "position"]
            for name in set(names) - {"history"}:
                np.testing.assert_array_equal(mine[name], other[name])
            # The last column of the history is the seconds that an epoch took.
            np.testing.assert_array_equal(mine["history"][:, :-1], other["history"][:, :-1])
    assert hit, "the storm hit no training"
