"""What a scrape reads from Redis: a fixed number of commands, however many jobs there are."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jobs.ledger.ledger import Ledger
from jobs.ledger.measured import Measured

MOST_WORKERS = 2_000
"""Workers that are told apart; a stranger in Redis could announce any number."""


class RedisMemory(NamedTuple):
    """In bytes; `most` is 0 where Redis has no limit."""

    used: int
    most: int


class Gpu(NamedTuple):
    """The GPU of a worker: memory in bytes; the load, from 0 to 1, is None where the driver does not tell."""

    load: float | None
    used: float
    total: float


@dataclass(frozen=True)
class LiveWorker:
    """A worker as it announced itself.

    Attributes:
        queues: what it takes, as `jobs.ledger.messages.QUEUES` names them; empty of an older version.
        waits: whether it takes no job for now: it has no GPU, no room or no store.
        free_bytes: on the volume of its results folder, where it knows.
    """

    name: str
    queues: tuple[str, ...]
    waits: bool
    free_bytes: float | None
    gpu: Gpu | None


@dataclass(frozen=True)
class Snapshot:
    """The numbers of one moment; `memory` is None where this user may not run INFO."""

    measured: Measured
    workers: list[LiveWorker]
    memory: RedisMemory | None


def take_snapshot(ledger: Ledger) -> Snapshot:
    """Read everything.

    Raises:
        RedisUnreachable: Redis cannot be reached.
    """
    announced = list(ledger.workers().items())[:MOST_WORKERS]
    return Snapshot(
        ledger.measure(), [_worker(name, about) for name, about in announced], ledger.ask(_memory)
    )


def _memory(redis: Any) -> RedisMemory | None:
    from redis.exceptions import NoPermissionError

    try:
        info = redis.info("memory")
    except NoPermissionError:
        return None
    return RedisMemory(int(info.get("used_memory", 0)), int(info.get("maxmemory", 0)))


def _worker(name: str, about: Mapping[str, str]) -> LiveWorker:
    queues = tuple(dict.fromkeys(filter(None, about.get("queues", "").split(","))))
    free = next(_numbers([about.get("free_bytes")]), None)
    return LiveWorker(name, queues, "waiting" in about, free, _gpu(about.get("gpu", "{}")))


def _gpu(text: str) -> Gpu | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # somebody else wrote there
        return None
    if not isinstance(found, dict):
        return None
    memory = list(_numbers([found.get("memory_used"), found.get("memory_total")]))
    load = next(_numbers([found.get("load")]), None)
    return Gpu(None if load is None else load / 100, *memory) if len(memory) == 2 else None


def _numbers(values: list[Any]) -> Iterator[float]:
    """Those that are numbers of something."""
    for value in values:
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            continue
        if 0 <= number < 1e18:
            yield number
