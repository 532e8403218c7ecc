"""One job's record in the ledger."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from jobs.claim import Claim
from jobs.errors import InvalidJob, QuartetError
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec

State = Literal["waiting", "queued", "running", "succeeded", "failed", "cancelled"]
STATES: tuple[State, ...] = ("waiting", "queued", "running", "succeeded", "failed", "cancelled")
ENDED: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})

LossReason = Literal["lease_expired", "process_killed", "process_hung", "process_ended"]
LOSS_REASONS: tuple[LossReason, ...] = ("lease_expired", "process_killed", "process_hung", "process_ended")
"""Why an attempt is lost."""

FIELDS = [
    "spec",
    "state",
    "attempt",
    "lost",
    "submitted",
    "started",
    "finished",
    "worker",
    "process",
    "token",
]
FIELDS += ["stop", "error", "folder", "headline", "continues", "retried", "declined", "sweep"]
"""The fields of a job in Redis, in the order in which they are read."""


@dataclass(frozen=True)
class Record:
    """One job's record in the ledger.

    Attributes:
        stored: the job as it was stored; `spec` is the same, checked against this installation's models.
        attempt: the number of the latest attempt, 0 before the first.
        lost: how many workers have died under it.
        submitted: milliseconds since 1970, as are `started` and `finished`, which are None while not reached.
        worker: the name of the worker that claimed it last.
        process: that worker's process id, on its own machine.
        token: identifies the latest claim.
        stop: the pending request: empty or `cancel`.
        error: why it failed or was cancelled.
        folder: the name of its published folder.
        headline: its most important metric: `label`, `value` and `unit`.
        continues: the id of the job whose checkpoint it resumes from.
        retried: the id of the job that continues this one since it failed or was cancelled.
        declined: each kind of worker that does not understand the job -> why.
        sweep: of a job of a sweep: that one's `name`, and what the sweep knows of the job, its `entry`.
    """

    id: str
    stored: StoredSpec
    state: State
    attempt: int
    lost: int
    submitted: int
    started: int | None
    finished: int | None
    worker: str | None
    process: int | None
    token: str
    stop: str
    error: str | None
    folder: str | None
    headline: dict[str, Any] | None
    continues: str | None
    retried: str | None
    declined: dict[str, str]
    sweep: dict[str, Any] | None = None

    @cached_property
    def spec(self) -> JobSpec:
        """The job, checked against this installation's models.

        Raises:
            InvalidJob: this version does not understand it.
            InvalidModel: the model's wing lacks part of its contract.
        """
        return self.stored.parse()

    @property
    def claim(self) -> Claim:
        """The latest claim."""
        return Claim(self.id, self.attempt, self.token)


@dataclass(frozen=True)
class FreshClaim(Claim):
    """A claim with the job's record at that moment."""

    values: list[Any] = field(repr=False, compare=False)

    def record(self) -> Record:
        """The job's record when it was claimed.

        Raises:
            InvalidJob: it is not a job's record.
        """
        return read_record(self.job_id, self.values)


@dataclass(frozen=True)
class Held:
    """A running job's claim, and a text that changes with each heartbeat."""

    claim: Claim
    heard: str


def read_record(job_id: str, values: list[Any]) -> Record:
    """Read the values of a job's `FIELDS` in Redis.

    Raises:
        InvalidJob: they are not a job's record.
    """
    try:
        return _parsed(job_id, dict(zip(FIELDS, values, strict=True)))
    except (InvalidJob, ValueError, TypeError, AttributeError, RecursionError) as error:
        why = error.explanation if isinstance(error, QuartetError) else error
        raise unreadable(job_id, why) from None


def unreadable(job_id: str, why: object) -> InvalidJob:
    """The error for a record in Redis that is not a job's."""
    return InvalidJob(
        f"job {job_id}",
        expected="a record in Redis that this version can read",
        given=f"one that it cannot ({why})",
    )


def _parsed(job_id: str, field: dict[str, Any]) -> Record:
    if field["state"] not in STATES:
        raise ValueError(f"its state is {str(field['state'])[:40]!r}")
    # Quartet 0.1 has the process id in the token, before a dot.
    process = field["process"] or (field["token"] or "").partition(".")[0]
    return Record(
        id=job_id,
        stored=StoredSpec.from_json(field["spec"]),
        state=field["state"],
        attempt=int(field["attempt"]),
        lost=int(field["lost"]),
        submitted=int(field["submitted"]),
        started=int(field["started"]) if field["started"] else None,
        finished=int(field["finished"]) if field["finished"] else None,
        worker=field["worker"] or None,
        process=int(process) if process.isdecimal() else None,
        token=field["token"] or "",
        stop=field["stop"] or "",
        error=field["error"] or None,
        folder=field["folder"] or None,
        headline=json.loads(field["headline"]) if field["headline"] else None,
        continues=field["continues"] or None,
        retried=field["retried"] or None,
        declined=dict(json.loads(field["declined"])) if field["declined"] else {},
        sweep=check_sweep(json.loads(field["sweep"])) if field["sweep"] else None,
    )


def check_sweep(value: Any) -> dict[str, Any] | None:
    """What a job's record says of its sweep, or None.

    Raises:
        ValueError: it is neither.
    """
    if value is None:
        return None
    named = isinstance(value, dict) and isinstance(value.get("name"), str) and len(value["name"]) <= 64
    if not named or not isinstance(value.get("entry"), dict):
        raise ValueError("what it says of its sweep cannot be read")
    return {"name": value["name"], "entry": value["entry"]}


def state_phrase(state: State) -> str:
    """A job's state, to be read after `which`: `failed`, `was cancelled`, `is running`."""
    if state in ("succeeded", "failed"):
        return state
    return "was cancelled" if state == "cancelled" else f"is {state}"
