"""What there is to measure in a ledger, as `quartet exporter` shows it: numbers, whatever is in Redis."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from jobs.ledger.job_record import LOSS_REASONS
from jobs.ledger.messages import QUEUES, places, queue_of

MOST_KINDS = 1_000
"""Different kinds of jobs that are told apart; a stranger in Redis could write any number."""

_MOST = 2**63 - 1  # of what Redis counts


class Kind(NamedTuple):
    """What a job is counted as."""

    state: str
    model: str
    action: str
    priority: str


class Waiting(NamedTuple):
    """One list of messages.

    Attributes:
        messages: how many wait in it.
        oldest: for how many seconds the first job has waited, 0 if none waits.
    """

    queue: str
    priority: str
    messages: int
    oldest: float


class Pace(NamedTuple):
    """How fast a worker's training job is.

    Attributes:
        epoch: the seconds of its last epoch, None before that has ended.
        step: the mean seconds of a step of the current epoch.
    """

    worker: str
    model: str
    epoch: float | None
    step: float | None


@dataclass(frozen=True)
class Measured:
    """The numbers of one moment.

    Attributes:
        jobs: how many jobs the ledger knows of each kind.
        losses: how many attempts were lost for each reason, since Redis has its data.
        declined: queued jobs that no live worker understands.
        unpublished: ended jobs that have no folder yet.
        waiting: each list of messages.
        paces: of the training jobs that run.
    """

    jobs: dict[Kind, int]
    losses: dict[str, int]
    declined: int
    unpublished: int
    waiting: list[Waiting]
    paces: list[Pace]

    def open_jobs(self) -> dict[str, int]:
        """How many jobs of each queue are queued or running."""
        found = Counter(dict.fromkeys(QUEUES, 0))
        for kind, count in self.jobs.items():
            if kind.state in ("queued", "running"):
                found[queue_of(kind.action)] += count
        return dict(found)


def read_measured(text: str) -> Measured:
    """Read the answer of measure.lua.

    Raises:
        ValueError: it is none.
    """
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    losses, place = _object(found.get("losses")), places()
    return Measured(
        jobs=dict(_kinds(_object(found.get("counts")))),
        losses={reason: _whole(losses.get(reason)) for reason in LOSS_REASONS},
        declined=_whole(found.get("declined")),
        unpublished=_whole(found.get("unpublished")),
        waiting=[
            Waiting(*place[name], _whole(messages), _since(found.get("now"), first))
            for name, messages, first in found["queues"]
        ],
        paces=[pace for each in found["running"] for pace in _paces(*each)],
    )


def _kinds(counts: Mapping[str, Any]) -> Iterator[tuple[Kind, int]]:
    for text, count in sorted(counts.items())[:MOST_KINDS]:
        parts = text.split(" ")
        if len(parts) == 4 and _whole(count):
            state, action, priority, model = parts
            yield Kind(state, model, action, priority), _whole(count)


def _paces(worker: str, kind: str, progress: str) -> Iterator[Pace]:
    try:
        values = _object(json.loads(progress))
    except (ValueError, RecursionError):  # it has reported nothing yet
        return
    epoch, step = _seconds(values.get("epoch_seconds")), _seconds(values.get("step_seconds"))
    if epoch is not None or step is not None:
        yield Pace(worker, kind.split(" ")[-1], epoch, step)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}  # an empty table of Lua is an empty list or an object


def _whole(value: Any) -> int:
    try:
        return min(max(0, int(value)), _MOST)
    except (TypeError, ValueError, OverflowError):  # somebody else wrote there
        return 0


def _since(now: Any, first: Any) -> float:
    return max(0, _whole(now) - _whole(first)) / 1000 if _whole(first) else 0.0


def _seconds(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 <= value <= _MOST else None
