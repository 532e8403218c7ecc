"""One job's record in the ledger, and the claim that a worker has on it."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from jobs.errors import InvalidJob, InvalidModel, QuartetError
from jobs.spec import JobSpec

State = Literal["waiting", "queued", "running", "succeeded", "failed", "cancelled"]
STATES: tuple[State, ...] = ("waiting", "queued", "running", "succeeded", "failed", "cancelled")
ENDED: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})

FIELDS = ["spec", "state", "attempt", "lost", "submitted", "started", "finished"]
FIELDS += ["worker", "token", "stop", "error", "folder", "headline", "continues"]
"""The fields of a job in Redis, in the order in which they are read."""


@dataclass(frozen=True)
class Record:
    """One job's record in the ledger.

    Attributes:
        attempt: the number of the latest attempt, 0 before the first.
        lost: how many workers have died under it.
        submitted: milliseconds since 1970, as are `started` and `finished`, which are None while not reached.
        worker: the name of the worker that claimed it last.
        process: that worker's process id, on its own machine.
        stop: the pending request: empty, `cancel` or `hand back`.
        error: why it failed or was cancelled.
        folder: the name of its published folder.
        headline: its most important metric: `label`, `value` and `unit`.
        continues: the id of the job whose checkpoint it resumes from.
    """

    id: str
    spec: JobSpec
    state: State
    attempt: int
    lost: int
    submitted: int
    started: int | None
    finished: int | None
    worker: str | None
    process: int | None
    stop: str
    error: str | None
    folder: str | None
    headline: dict[str, Any] | None
    continues: str | None


@dataclass(frozen=True)
class Claim:
    """A job that a worker holds, and the number of the attempt."""

    job_id: str
    attempt: int


@dataclass(frozen=True)
class FreshClaim(Claim):
    """A claim with the job's record at that moment."""

    values: list[Any] = field(repr=False, compare=False)

    def record(self) -> Record:
        """The job's record when it was claimed.

        Raises:
            InvalidJob: this version cannot read the record.
        """
        return read_record(self.job_id, self.values)


def read_record(job_id: str, values: list[Any]) -> Record:
    """Parse the values of a job's `FIELDS` in Redis.

    Raises:
        InvalidJob: this version cannot read the record.
    """
    try:
        return _parsed(job_id, dict(zip(FIELDS, values, strict=True)))
    except (InvalidJob, InvalidModel, ValueError, TypeError, AttributeError) as error:
        why = error.explanation if isinstance(error, QuartetError) else error
        raise InvalidJob(
            f"job {job_id}",
            expected="a record in Redis that this version can read",
            given=f"one that it cannot ({why})",
        ) from None


def _parsed(job_id: str, field: dict[str, Any]) -> Record:
    process = (field["token"] or "").partition(".")[0]
    if field["state"] not in STATES:
        raise ValueError(f"its state is {str(field['state'])[:40]!r}")
    return Record(
        id=job_id,
        spec=JobSpec.from_json(field["spec"]),
        state=field["state"],
        attempt=int(field["attempt"]),
        lost=int(field["lost"]),
        submitted=int(field["submitted"]),
        started=int(field["started"]) if field["started"] else None,
        finished=int(field["finished"]) if field["finished"] else None,
        worker=field["worker"],
        process=int(process) if process.isdecimal() else None,
        stop=field["stop"] or "",
        error=field["error"] or None,
        folder=field["folder"] or None,
        headline=json.loads(field["headline"]) if field["headline"] else None,
        continues=field["continues"] or None,
    )


def state_phrase(state: State) -> str:
    """A job's state, to be read after `which`: `failed`, `was cancelled`, `is running`."""
    if state in ("succeeded", "failed"):
        return state
    return "was cancelled" if state == "cancelled" else f"is {state}"
