"""`WorkerView`: what a client sees of one worker, from its announcement."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from jobs.job import iso
from jobs.ledger.drain_record import DrainRecord

WorkerState = Literal["idle", "running", "waiting", "draining"]


@dataclass(frozen=True)
class WorkerView:
    """A live worker.

    Attributes:
        name: with its host.
        host: where it runs; in a container, the container's id.
        state: `waiting` takes no job for now, `draining` none any more.
        jobs: the ids of those that it runs, or ends in the background.
        waits: what it waits for, to be read after `waits`; None where it takes jobs.
        hand_back: whether, since it is being drained, its job goes back to the queue.
        device: the name of its GPU, or `CPU`; None where it does not say so: it waits for a GPU, or is of an
            older version.
        version: of Quartet.
        kind: the version and a digest of the models' parameters and code, which tells two images of one
            version apart; empty of an older version.
        queues: what it takes, as `jobs.ledger.messages.QUEUES` names them.
        since: when its process started, in ISO 8601; None of an older version.
        start: identifies its process; empty of an older version, which cannot be drained.
    """

    name: str
    host: str
    state: WorkerState
    jobs: tuple[str, ...]
    waits: str | None
    hand_back: bool
    device: str | None
    version: str
    kind: str
    queues: tuple[str, ...]
    since: str | None
    start: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def view(name: str, about: Mapping[str, str], jobs: Sequence[str], asked: DrainRecord | None) -> WorkerView:
    """A worker as its announcement and the ledger have it.

    Args:
        name: with its host.
        about: what it announced.
        jobs: the ids of those that it holds.
        asked: what a worker of that name was asked; it may have been an earlier process.
    """
    start, waits, draining = about.get("start", ""), about.get("waiting"), about.get("draining")
    if asked is not None and asked.start == start:
        draining = "hand back" if asked.hand_back else draining or "finish"
    state: WorkerState = "waiting" if waits else "running" if jobs else "idle"
    return WorkerView(
        name=name,
        host=name.rpartition("@")[2],
        state="draining" if draining else state,
        jobs=tuple(sorted(jobs)),
        waits=None if draining else waits,
        hand_back=draining == "hand back",
        device=about.get("device"),
        version=about.get("quartet", ""),
        kind=about.get("kind", ""),
        queues=tuple(filter(None, about.get("queues", "").split(","))),
        since=_moment(about.get("since", "")),
        start=start,
    )


def _moment(milliseconds: str) -> str | None:
    """As ISO 8601; None where somebody else wrote something else."""
    try:
        return iso(int(milliseconds))
    except (ValueError, OverflowError, OSError):
        return None
