"""Stand-in workers and watchers, many in one process: they ask Redis what real ones ask, and compute nothing.

Run by `benchmarks.scale`: `python -m benchmarks.crowd ROLE ADDRESS FIRST COUNT`. It answers each line of its
input with what its watchers have heard since the line before, and ends with its input.
"""

import json
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from benchmarks.sides import ROOT
from benchmarks.watchers import Watcher, watch_all
from jobs.claim import Claim
from jobs.errors import LeaseLost, RedisUnreachable
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import lists, read
from jobs.settings import Settings
from worker.context import PROGRESS_SECONDS
from worker.engine.heartbeat import LISTEN_SECONDS

ABOUT = {"quartet": "0", "kind": "stand-in", "code": json.dumps({"autoencoder": secrets.token_hex(32)})}
"""What a worker announces, as long as a real one's."""

PROGRESS = {
    "epoch": 7, "epochs": 100, "step": 17, "steps": 223, "loss": 0.6926944255828857,
    "validation_loss": 0.6930078864097595, "epoch_seconds": 0.0273, "step_seconds": 0.001556,
}  # fmt: skip
"""A message of a training job."""

EVENT_TEXT = "x" * 800
"""As long as Celery's."""

HEARTBEAT = float(Settings.model_fields["heartbeat_seconds"].default)
ROUND = float(Settings.model_fields["sweep_seconds"].default)
PATIENCE = float(Settings.model_fields["redis_patience_seconds"].default)
REAL_WATCHERS = 10
"""Watchers of a process that are real clients; to Redis, the others (`benchmarks/watchers.py`) look alike."""

EVENT = 2.0
"""Seconds between two of the events by which Celery shows that a worker is alive."""

PROCESSES = 3
"""That share the stand-ins of one kind."""


class Crowd:
    """Some processes of stand-ins, seen from the one that starts them."""

    def __init__(self, role: str, address: str, count: int, first: int) -> None:
        """Start them.

        Args:
            role: what the stand-ins are.
            address: Redis' address.
            count: of stand-ins.
            first: the number of the first of them.
        """
        each = -(-count // PROCESSES)
        command = [sys.executable, "-m", "benchmarks.crowd", role, address]
        self._processes = [
            subprocess.Popen(
                [*command, str(first + begin), str(min(each, count - begin))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                text=True,
            )
            for begin in range(0, count, each)
        ]

    def heard(self) -> list[tuple[int, float]]:
        """Each message since the last call: who watched, and how many seconds ago it had been sent."""
        found = []
        for process in self._processes:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            found += [(int(number), float(age)) for number, age in json.loads(process.stdout.readline())]
        return found

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to each of them."""
        for process in self._processes:
            process.send_signal(number)

    def end(self) -> None:
        """Kill them."""
        for process in self._processes:
            process.kill()
            process.communicate()


class StandIn:
    """A worker: it takes messages as Celery does, holds its job's lease, and makes a worker's rounds.

    Attributes:
        ledger: shared by all stand-ins of the process.
    """

    def __init__(self, address: str, number: int, hold: bool) -> None:
        """Nothing runs yet.

        Args:
            address: Redis' address.
            number: of this stand-in, for its name.
            hold: keep the first job for ever; else finish each job at once.
        """
        self.ledger = Ledger(address)
        self.name, self.hold = f"stand-in-{number}@bench", hold
        self._claim: Claim | None = None
        # Real workers did not all start in the same second.
        self._due = {
            name: time.monotonic() + secrets.randbelow(1_000) / 1_000 * every
            for name, every in (
                ("beat", HEARTBEAT),
                ("look", LISTEN_SECONDS),
                ("round", ROUND),
                ("progress", PROGRESS_SECONDS),
                ("event", EVENT),
            )
        }

    def run(self) -> None:
        """Work until the process ends; what an outage interrupts is done again."""
        while True:
            try:
                self._step()
            except LeaseLost:
                self._claim = None
            except RedisUnreachable:
                time.sleep(0.2)

    def _step(self) -> None:
        self._every("round", ROUND, self._make_a_round)
        self._every(
            "event", EVENT, lambda: self.ledger.ask(lambda redis: redis.publish("events", EVENT_TEXT))
        )
        claim = self._claim
        if claim is None:
            self._take()
            return
        self._every("beat", HEARTBEAT, lambda: self.ledger.renew(claim))
        self._every("look", LISTEN_SECONDS, lambda: self.ledger.asked(claim))
        self._every("progress", PROGRESS_SECONDS, lambda: self._report(claim))
        time.sleep(max(0.0, min(self._due.values()) - time.monotonic()))

    def _every(self, name: str, seconds: float, do: Callable[[], object]) -> None:
        if time.monotonic() >= self._due[name]:
            self._due[name] = time.monotonic() + seconds
            do()

    def _make_a_round(self) -> None:
        self.ledger.forget(7 * 86_400)
        self.ledger.announce_worker(self.name, ABOUT, 3 * ROUND)
        self.ledger.held()
        # The sweeper, and what advances the sweeps; both look at the store first.
        for lock in ("sweeper", "advancer"):
            self.ledger.ask(lambda redis: redis.get(f"{self.ledger.prefix}store"))
            self.ledger.lock(lock, self.name, 3 * ROUND)

    def _report(self, claim: Claim) -> None:
        self.ledger.progress(claim, PROGRESS | {"sent": time.time()})

    def _take(self) -> None:
        found = self.ledger.ask(lambda redis: redis.brpop(lists(), timeout=1))
        message = read(found[1]) if found else None
        if message is None:
            return
        tag, text = message.tag, found[1]
        # Kombu's book of messages that are not acknowledged yet.
        self.ledger.ask(lambda redis: redis.zadd("unacked_index", {tag: time.time()}))
        self.ledger.ask(lambda redis: redis.hset("unacked", tag, text))
        claim = self.ledger.claim(message.job_id, self.name, 1, secrets.token_hex(8))
        self.ledger.ask(lambda redis: redis.zrem("unacked_index", tag))
        self.ledger.ask(lambda redis: redis.hdel("unacked", tag))
        if claim is None:
            return
        self.ledger.log_event(claim, "running on the CPU")
        if self.hold:
            self._claim = claim
            return
        self._report(claim)
        self.ledger.finish(claim, "succeeded", finished=self.ledger.now(), folder=claim.job_id)


def watch(number: int, ledger: Ledger, job_id: str, heard: deque[tuple[int, float]]) -> None:
    """Follow a job without end, with all of the client that `quartet watch` uses; as `Watcher`."""
    for values in ledger.follow(job_id):
        if values:
            heard.append((number, time.time() - values["sent"]))
        ledger.record(job_id)


def _watchers(address: str, numbers: range, heard: deque[tuple[int, float]]) -> list[Callable[[], None]]:
    """What the threads of these watchers do: some are clients, the others share a thread."""
    ledger = Ledger(address, PATIENCE)
    running = ledger.ids("running")
    each = [(number, ledger, running[number % len(running)], heard) for number in numbers]
    others = [Watcher(*one) for one in each[REAL_WATCHERS:]]
    return [*(partial(watch, *one) for one in each[:REAL_WATCHERS]), partial(watch_all, others)]


def main() -> None:
    """Run as many stand-ins as the command line says, until the input ends."""
    role, address, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    heard: deque[tuple[int, float]] = deque()
    for target in (
        _watchers(address, range(first, first + count), heard)
        if role == "watchers"
        else [StandIn(address, number, hold=role == "holders").run for number in range(first, first + count)]
    ):
        threading.Thread(target=target, daemon=True).start()
    for _ in sys.stdin:
        print(json.dumps([heard.popleft() for _ in range(len(heard))]), flush=True)


if __name__ == "__main__":
    main()
