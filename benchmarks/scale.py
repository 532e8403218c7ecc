"""How far one Redis goes: hundreds of workers, a hundred thousand jobs, a thousand watchers.

The workers and watchers are stand-ins (`benchmarks/crowd.py`): what they ask Redis is what real ones ask, and
they compute nothing; some of the watchers are real clients. docs/scaling.md says what follows from the
figures. Run: `python -m benchmarks.scale [--short]`.
"""

import math
import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from benchmarks.crowd import PROCESSES, ROUND, Crowd
from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import SECONDS_ALLOWED, folders
from jobs.ids import new_job_id
from jobs.ledger.ledger import Ledger
from jobs.local.redis_server import PrivateRedis
from jobs.spec import JobSpec

MESSAGE_SECONDS = 3.0
"""In which each watcher hears something new: its job reports several times a second."""

LOOKS = 500
"""At all leases, of which the cost is measured."""

CLIENTS = 4
"""Threads that fill the queue."""

CORE = "% of Redis' core"
SPEC = JobSpec.make("autoencoder", "train", data="digits", parameters={"epochs": 5})


class Sizes:
    """How many of each there are."""

    def __init__(self, *, short: bool) -> None:
        """A short run has so few that it takes seconds."""
        self.workers, self.jobs, self.watchers = (6, 1_000, 60) if short else (300, 100_000, 1_000)
        self.ended, self.submits, self.seconds = (300, 100, 2.0) if short else (6_000, 500, 15.0)


def measure(row: Row) -> None:
    """Put one Redis under each load in turn, and see what it costs."""
    sizes = Sizes(short=row.short)
    with folders(None) as settings:
        server = PrivateRedis(settings.private_socket(), settings.state_dir, keep=True)
        with server.running():
            ledger = Ledger(server.address)
            _submits(row, ledger, sizes, "nothing else goes on")
            ledger.redis.flushdb()
            _empty(row, server, ledger, sizes)
            _queue(row, ledger, sizes)
            _training(row, server, ledger, sizes)
    row.note(
        "One Redis on a Unix socket, which makes each change durable before it answers (`appendfsync "
        f"always`), beside all stand-ins on the same cores: {PROCESSES} processes share the workers of a "
        "load, as many the watchers. Where they want more than the cores have, they slow one another down; "
        "the processor time of Redis, which uses one core, moves less."
    )


def _empty(row: Row, server: PrivateRedis, ledger: Ledger, sizes: Sizes) -> None:
    """Jobs that compute nothing, as fast as the workers take them: each is claimed once, and ends."""
    _submit_some(ledger, sizes.ended)
    with _crowd("finishers", server.address, sizes.workers):
        # The first tenth is for their start.
        _until(lambda: _count(ledger, "succeeded") >= sizes.ended / 10, "a tenth of the jobs has ended")
        first, before, began = _count(ledger, "succeeded"), _processor_seconds(ledger), time.monotonic()
        _until(lambda: _count(ledger, "succeeded") == sizes.ended, "all jobs have ended")
        seconds, busy = time.monotonic() - began, _processor_seconds(ledger) - before
    count = sizes.ended - first
    each = busy / count
    row.figure(f"jobs claimed and ended, {sizes.workers} workers", "jobs/s", [count / seconds])
    row.figure("Redis' processor time for each", "ms", [each * 1_000])
    row.limit(
        "jobs",
        1 / each,
        "jobs/s",
        "fill one core of Redis; calculated from its time for each, which includes what idle workers ask",
    )


def _queue(row: Row, ledger: Ledger, sizes: Sizes) -> None:
    """Many jobs that wait: their memory, and what they cost others."""
    empty, began = _used(ledger), time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        for done in [clients.submit(_submit_some, ledger, sizes.jobs // CLIENTS) for _ in range(CLIENTS)]:
            done.result()
    row.figure(f"jobs submitted by {CLIENTS} threads", "jobs/s", [sizes.jobs / (time.monotonic() - began)])
    row.figure(f"{sizes.jobs:,} queued jobs", "MB", [(_used(ledger) - empty) / 1e6])
    _submits(row, ledger, sizes, f"{sizes.jobs:,} jobs are queued")
    began = time.monotonic()
    ledger.adopt()
    ledger.resend(10)
    row.figure("what a round asks of them, every 5 s", "s", [time.monotonic() - began])


def _training(row: Row, server: PrivateRedis, ledger: Ledger, sizes: Sizes) -> None:
    """Training jobs on all workers, watchers of all, and a Redis that dies."""
    holders = []
    with ExitStack() as crowds:
        for first, count in ((0, sizes.workers // 3), (sizes.workers // 3, sizes.workers * 2 // 3)):
            holders.append(crowds.enter_context(_crowd("holders", server.address, count, first)))
            workers = first + count
            _until(lambda: _count(ledger, "running") == workers, "all workers have a job")  # noqa: B023
            share = _share(ledger, sizes.seconds)
            row.figure(f"{workers} workers that train", CORE, [share * 100])
        leases = _cost_of_leases(ledger, holders)
        row.figure(f"to read the leases of {sizes.workers} jobs", "ms", [leases * 1_000])
        row.limit(
            "workers",
            _most_workers(sizes.workers, share, leases),
            "workers",
            f"that train fill one core of Redis; calculated from the share of {sizes.workers} and the "
            f"time to read the leases, since each worker reads those of all, every {ROUND:g} s",
        )
        _submits(row, ledger, sizes, f"{sizes.workers} workers train, too")
        watchers = crowds.enter_context(_crowd("watchers", server.address, sizes.watchers))
        _watched(row, ledger, sizes, watchers)
        _submits(row, ledger, sizes, f"{sizes.watchers:,} watchers, too")
        running = [f"{ledger.prefix}progress:{job_id}" for job_id in ledger.ids("running")]
        row.figure(
            "messages of a running job", "kB", [ledger.redis.memory_usage(key) / 1e3 for key in running]
        )
        row.figure("Redis' memory then", "MB", [_used(ledger) / 1e6])
        _restart(row, server, ledger, sizes, watchers)


def _watched(row: Row, ledger: Ledger, sizes: Sizes, watchers: Crowd) -> None:
    """What watchers cost, and how soon they hear of their jobs."""
    buffers, began = _buffers(ledger), time.monotonic()
    _until(lambda: _watching(watchers) == sizes.watchers, "all watchers watch")
    row.figure(
        f"{sizes.watchers:,} watchers, until all have read what was reported before",
        "s",
        [time.monotonic() - began],
    )
    watchers.heard()
    share = _share(ledger, sizes.seconds)
    ages = [age for _, age in watchers.heard()]
    row.figure(f"{sizes.watchers:,} watchers, too", CORE, [share * 100])
    row.figure("messages that reach them", "messages/s", [len(ages) / sizes.seconds])
    row.figure("a watcher's connection", "kB", [(_buffers(ledger) - buffers) / 1e3 / sizes.watchers])
    hundredths = statistics.quantiles(ages, n=100)
    for percent in (50, 95, 99):
        name = f"a message reaches its watcher, {percent}th percentile"
        row.figure(name, "ms", [hundredths[percent - 1] * 1_000])


def _submit_some(ledger: Ledger, count: int) -> None:
    for _ in range(count):
        ledger.submit(new_job_id(), SPEC)


def _cost_of_leases(ledger: Ledger, holders: list[Crowd]) -> float:
    """Redis' processor time to read all leases, in seconds; the workers are frozen for that moment."""
    for crowd in holders:
        crowd.send_signal(signal.SIGSTOP)
    before = _processor_seconds(ledger)
    for _ in range(LOOKS):
        ledger.held()
    busy = _processor_seconds(ledger) - before
    for crowd in holders:
        crowd.send_signal(signal.SIGCONT)
    return busy / LOOKS


def _most_workers(workers: int, share: float, leases: float) -> float:
    """How many workers use one core: `n` of them use `a n + b n²`, where `b n²` is for the leases.

    Args:
        workers: of which the share is known.
        share: of a core.
        leases: the seconds that Redis needs for the leases of so many.
    """
    b = leases / workers / ROUND
    a = share / workers - b * workers
    return (math.sqrt(a * a + 4 * b) - a) / (2 * b)


def _restart(row: Row, server: PrivateRedis, ledger: Ledger, sizes: Sizes, watchers: Crowd) -> None:
    """Kill Redis and start it again; all clients come back to it by themselves."""
    size = int(ledger.redis.info("persistence")["aof_current_size"])
    os.kill(int(ledger.redis.info("server")["process_id"]), signal.SIGKILL)
    time.sleep(0.5)
    began = time.monotonic()
    server.check()
    answers = time.monotonic() - began
    row.figure("Redis' append-only file", "MB", [size / 1e6])
    row.figure("Redis killed, until it answers again", "s", [answers])
    ledger.redis.delete(*(f"{ledger.prefix}worker:{name}" for name in ledger.workers()))
    heard: set[int] = set()
    watchers.heard()
    # Both every time, so that neither waits for the other.
    back: dict[str, float] = {}

    def all_back() -> bool:
        heard.update(number for number, _ in watchers.heard())
        for name, count, number in (
            ("watchers hear of their jobs", len(heard), sizes.watchers),
            ("workers have announced themselves", len(ledger.workers()), sizes.workers),
        ):
            if count == number:
                back.setdefault(name, time.monotonic() - began)
        return len(back) == 2

    _until(all_back, "all workers and watchers are back")
    for name, seconds in back.items():
        row.figure(f"and until all {name} again", "s", [seconds])
    row.judge("Redis is back", [answers], "≤", 30, "s")


@contextmanager
def _crowd(role: str, address: str, count: int, first: int = 0) -> Iterator[Crowd]:
    """Some stand-ins, for the length of the block."""
    crowd = Crowd(role, address, count, first)
    try:
        yield crowd
    finally:
        crowd.end()


def _watching(watchers: Crowd) -> int:
    """How many of them hear what their jobs report now, and not only what they have reported before."""
    watchers.heard()
    time.sleep(MESSAGE_SECONDS)
    return len({number for number, age in watchers.heard() if age < MESSAGE_SECONDS})


def _submits(row: Row, ledger: Ledger, sizes: Sizes, load: str) -> None:
    """How long each of some submissions takes, one after another."""
    taken = []
    for _ in range(sizes.submits):
        began = time.monotonic()
        ledger.submit(new_job_id(), SPEC)
        taken.append((time.monotonic() - began) * 1_000)
    row.figure(f"submit: {load}", "ms", taken)
    hundredths = statistics.quantiles(taken, n=100)
    for percent in (95, 99):
        row.figure(f"submit: {load}, {percent}th percentile", "ms", [hundredths[percent - 1]])


def _share(ledger: Ledger, seconds: float) -> float:
    """How much of a core Redis uses, over some seconds."""
    before, began = _processor_seconds(ledger), time.monotonic()
    time.sleep(seconds)
    return (_processor_seconds(ledger) - before) / (time.monotonic() - began)


def _processor_seconds(ledger: Ledger) -> float:
    cpu = ledger.redis.info("cpu")
    return float(cpu["used_cpu_user"] + cpu["used_cpu_sys"])


def _used(ledger: Ledger) -> int:
    return int(ledger.redis.info("memory")["used_memory"])


def _count(ledger: Ledger, state: str) -> int:
    return int(ledger.redis.zcard(f"{ledger.prefix}state:{state}"))


def _buffers(ledger: Ledger) -> int:
    """What Redis keeps for its connections, in bytes."""
    return int(ledger.redis.info("memory")["mem_clients_normal"])


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS_ALLOWED
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not after {SECONDS_ALLOWED} s")
        time.sleep(0.1)


if __name__ == "__main__":
    run("scale", "One Redis, many workers", measure)
