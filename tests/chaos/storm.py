"""Faults of every kind, one after the other, by a seed."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable

import psutil
import redis as redis_py

from jobs.client import Client
from jobs.errors import JobConflict, RedisUnreachable, UnknownJob
from jobs.ledger.job_record import ENDED
from jobs.ledger.messages import lists
from jobs.ledger.rebuild import rebuild
from jobs.store.job_folder import CHECKPOINT
from tests.support.processes import RestartableRedis, Workers, until

KINDS = [
    "kill child",
    "kill child",
    "kill worker",
    "freeze worker",
    "freeze main process",
    "close the lid",
    "restart redis",
    "lose the tail of redis",
    "empty redis",
    "fail over",
    "refuse writes",
    "cut connections",
    "drop messages",
    "double messages",
    "poison the queue",
    "stop worker, cancel and retry",
    "fill disk",
]
"""A round of faults. The disk is filled in every second one, for whoever writes then has failed for good."""

JUNK = [
    "",
    "{}",
    "[" * 3_000,
    "\x1b[2Jforged line\nINFO all is well",
    '{"body": "W10=", "headers": {"task": "autoencoder.train", "id": "x", "timelimit": ["a", {}]}}',
    "x" * 1_000_000,
]
MOST_RETRIES = 5
AWAY = (RedisUnreachable, redis_py.exceptions.RedisError)


class Storm:
    """Rages in a thread until it is stopped.

    Attributes:
        rounds: how many rounds of faults are over.
        count: how often each fault came.
        retried: the jobs that continue one that was cancelled.
    """

    def __init__(self, workers: Workers, client: Client, redis: RestartableRedis, seed: int) -> None:
        self.workers, self.client, self.redis = workers, client, redis
        self.random = random.Random(seed)
        self.rounds = 0
        self.count: Counter[str] = Counter()
        self.retried: list[str] = []
        self.frozen: list[tuple[float, list[int]]] = []

    def rage(self, stop: threading.Event) -> None:
        """Let faults happen, one every few seconds."""
        while True:
            kinds = [kind for kind in KINDS if kind != "fill disk" or self.rounds % 2 == 0]
            self.random.shuffle(kinds)
            for kind in kinds:
                pause, strength = self.random.uniform(1, 3), self.random.random()
                victim = self.random.randrange(len(self.workers.started))
                if stop.wait(pause):
                    return
                if "child" in kind or "worker" in kind:
                    self.wait_for_a_checkpoint(f"w{victim + 1}@")
                self.count[kind] += 1
                fault: Callable[[int, float], None] = getattr(self, kind.replace(" ", "_").replace(",", ""))
                with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, ValueError, *AWAY):
                    fault(self.workers.started[victim].process.pid, strength)
                self.look_after()
            self.rounds += 1

    def wait_for_a_checkpoint(self, worker: str) -> None:
        """Give a worker a few seconds to be in the middle of a training run, where a death does most harm."""
        ledger = self.client.ledger
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            with contextlib.suppress(RedisUnreachable):
                held = [
                    job
                    for job in ledger.records(ledger.ids("running"))
                    if (job.worker or "").startswith(worker)
                ]
                if any((self.client.results.staging(job.claim) / CHECKPOINT).exists() for job in held):
                    return
            time.sleep(0.1)

    def kill_child(self, worker: int, _: float) -> None:
        children = psutil.Process(worker).children(recursive=True)
        max(children, key=lambda process: process.memory_info().rss).kill()

    def kill_worker(self, worker: int, _: float) -> None:
        os.killpg(worker, signal.SIGKILL)

    def freeze_worker(self, worker: int, _: float) -> None:
        """Main process and child, long past the lease."""
        self.freeze(processes_of(worker), 2 * self.client.settings.lease_seconds)

    def freeze_main_process(self, worker: int, _: float) -> None:
        """For good: the child has to notice."""
        os.kill(worker, signal.SIGSTOP)

    def close_the_lid(self, _: int, __: float) -> None:
        """Everything stands still, Redis too, for longer than a lease; then all clocks have jumped."""
        pids = [pid for worker in self.workers.started for pid in processes_of(worker.process.pid)]
        server = self.redis.process().pid
        self.freeze([*pids, server], 0)
        time.sleep(1.5 * self.client.settings.lease_seconds)
        self.thaw_all()

    def restart_redis(self, _: int, strength: float) -> None:
        self.redis.restart(pause=0.5 + 2.5 * strength)

    def lose_the_tail_of_redis(self, _: int, strength: float) -> None:
        """The machine lost its power, and the disk the last pages of the append-only file."""
        self.redis.restart(pause=0.5, lose_bytes=int(200 + 4_000 * strength))
        rebuild(self.client.ledger, self.client.results)

    def empty_redis(self, _: int, __: float) -> None:
        """Redis comes back empty, and a person says `quartet rebuild`."""
        self.client.ledger.redis.flushall()
        rebuild(self.client.ledger, self.client.results)

    def fail_over(self, _: int, strength: float) -> None:
        """Redis becomes a replica of a host that is gone, and a primary again."""
        redis = self.client.ledger.redis
        redis.replicaof("127.0.0.1", 1)
        try:
            time.sleep(1 + 4 * strength)
        finally:
            redis.replicaof("NO", "ONE")

    def refuse_writes(self, _: int, strength: float) -> None:
        """Redis is full, for longer than the workers' old patience."""
        redis = self.client.ledger.redis
        redis.config_set("maxmemory", "1")
        try:
            time.sleep(2 + 6 * strength)
        finally:
            redis.config_set("maxmemory", "0")

    def cut_connections(self, _: int, __: float) -> None:
        self.client.ledger.redis.client_kill_filter(_type="normal", skipme=True)
        self.client.ledger.redis.client_kill_filter(_type="pubsub", skipme=True)

    def drop_messages(self, _: int, __: float) -> None:
        self.client.ledger.redis.delete(*lists())

    def double_messages(self, _: int, __: float) -> None:
        for name in lists():
            for message in self.client.ledger.redis.lrange(name, 0, 5):
                self.client.ledger.redis.lpush(name, message)

    def poison_the_queue(self, _: int, strength: float) -> None:
        for name in lists():
            self.client.ledger.redis.rpush(name, *JUNK * int(1 + 20 * strength))

    def stop_worker_cancel_and_retry(self, worker: int, _: float) -> None:
        """A worker hands its job back; somebody cancels that job in the queue, and retries it."""
        ledger = self.client.ledger
        number = [each.process.pid for each in self.workers.started].index(worker) + 1
        held = [
            each
            for each in ledger.records(ledger.ids("running"))
            if (each.worker or "").startswith(f"w{number}@")
        ]
        psutil.Process(worker).terminate()
        with contextlib.suppress(psutil.TimeoutExpired):
            psutil.Process(worker).wait(20)
        for record in held:
            if record.stored.action == "train" and len(self.retried) < MOST_RETRIES:
                with contextlib.suppress(JobConflict, UnknownJob):
                    self.client.cancel(record.id)
                    self.until(
                        lambda job=record.id: self.client.job(job).state in ENDED,
                        "the end of a cancelled job",
                    )
                    if self.client.job(record.id).state == "succeeded":  # it was past its last epoch
                        continue
                    again = self.client.retry(record.id).id
                    self.retried.append(again)
                    self.until(lambda job=again: self.is_saved(job), "the record of a job that was accepted")

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for what some worker has to do, though all of them may be frozen or dead at this moment."""
        until(lambda: self.look_after() or condition(), 60, what)

    def is_saved(self, job_id: str) -> bool:
        """Whether a job survives the loss of Redis from now on."""
        saved = self.client.results.root / ".accepted" / f"{job_id}.json"
        return saved.exists() or self.client.results.find(job_id) is not None

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

    def freeze(self, pids: list[int], seconds: float) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        self.frozen.append((time.monotonic() + seconds, pids))

    def thaw_all(self) -> None:
        for _, pids in self.frozen:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        self.frozen.clear()

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


def processes_of(worker: int) -> list[int]:
    """The ids of a worker's main process and of its children."""
    main = psutil.Process(worker)
    return [main.pid, *(child.pid for child in main.children(recursive=True))]
