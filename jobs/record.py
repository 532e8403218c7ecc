"""What the ledger knows of one job, and the claim that a worker has on it."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from jobs.errors import InvalidJob
from jobs.spec import JobSpec

State = Literal["waiting", "queued", "running", "succeeded", "failed", "cancelled"]
STATES: tuple[State, ...] = ("waiting", "queued", "running", "succeeded", "failed", "cancelled")
ENDED: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})

FIELDS = ["spec", "state", "attempt", "lost", "submitted", "started", "finished"]
FIELDS += ["worker", "token", "stop", "error", "folder", "headline", "continues"]
"""Of a job in Redis, in the order in which they are read."""


@dataclass(frozen=True)
class Record:
    """What the ledger knows of one job. Times are milliseconds since 1970, None while not reached.

    `process` is the id of the worker's process that took it last, on that worker's machine.
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
    """A job that this worker now holds."""

    job_id: str
    attempt: int


@dataclass(frozen=True)
class FreshClaim(Claim):
    """A claim with what the ledger knew of the job when it was made."""

    values: list[Any] = field(repr=False, compare=False)

    def record(self) -> Record:
        """What the ledger knew of the job.

        Raises:
            InvalidJob: what lies in Redis is not a job that this version knows.
        """
        return read_record(self.job_id, self.values)


def read_record(job_id: str, values: list[Any]) -> Record:
    """A job from the values of its `FIELDS` in Redis.

    Raises:
        InvalidJob: what lies in Redis is not a job that this version knows.
    """
    try:
        return _parsed(job_id, dict(zip(FIELDS, values, strict=True)))
    except (InvalidJob, ValueError, TypeError, AttributeError) as error:
        raise InvalidJob(f"job {job_id}: its record in Redis cannot be read ({error})") from None


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
