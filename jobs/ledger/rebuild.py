"""Restores the ledger after Redis lost its data, from the saved records of jobs and from staging folders.

Published jobs stay where they are: they are read from their folders, and Redis need not know them.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.errors import DamagedFolder, InvalidJob, InvalidSetting
from jobs.ledger.job_record import ENDED, STATES
from jobs.ledger.ledger import Ledger
from jobs.ledger.store_of_ledger import join_store, remedy
from jobs.moments import milliseconds
from jobs.specs.stored_spec import StoredSpec
from jobs.store.history import History
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results
from jobs.store.saved_records import SavedRecord, needs_of, path_of, read_saved, remove_saved, saved_ids
from jobs.store.staging import attempt_of_staging
from jobs.sweeps.rebuild_sweeps import rebuild_sweeps
from jobs.wording import counted

_BATCH = 500


@dataclass
class Rebuilt:
    """What a rebuild did.

    Attributes:
        states: how many jobs were restored, by the state that each has now.
        sweeps: the names of the sweeps that go on.
        unreadable: the files and folders of unfinished jobs and sweeps that cannot be read.
    """

    states: Counter[str] = field(default_factory=Counter)
    sweeps: list[str] = field(default_factory=list)
    unreadable: list[Path] = field(default_factory=list)

    def __str__(self) -> str:
        """One line for a person."""
        parts = [f"{self.states[state]:,} {state}" for state in STATES if self.states[state]]
        jobs = counted(self.states.total(), "job") + (f": {', '.join(parts)}" if parts else "")
        sweeps = f"; {counted(len(self.sweeps), 'sweep')}: {', '.join(self.sweeps)}" if self.sweeps else ""
        return f"restored {jobs}{sweeps}"


def rebuild(ledger: Ledger, results: Results) -> Rebuilt:
    """Write every accepted job that the ledger does not know and that has no folder into it.

    Jobs that waited or were queued come back with their dependencies. A job that was running is queued
    again: a training job resumes from its checkpoint, any other one starts from scratch. A job that had
    failed or was cancelled before it got a folder comes back as it ended. A sweep that ran goes on. Workers
    may run and clients may submit meanwhile.

    Args:
        ledger: where jobs are restored.
        results: where saved records and staging folders are.

    Returns:
        What was restored, and what cannot be read.

    Raises:
        InvalidSetting: the jobs of this Redis are in another store; nothing was restored.
        RedisUnreachable: Redis cannot be reached.
        OSError: the results volume cannot be read.
    """
    other = join_store(ledger, results)
    if other is not None:
        expected, hint = "the store of this Redis", remedy(results)
        raise InvalidSetting("QUARTET_RESULTS_DIR", expected=expected, given=f"another: {other}", hint=hint)
    done = Rebuilt()
    restored: list[str] = []
    saved = set(saved_ids(results))
    lost = sorted({*saved, *results.staged_ids()} - set(ledger.ids()))
    for job_id in _dependencies_first(results, lost):
        if results.find(job_id) is not None:
            if job_id in saved:
                results.tell_again(job_id)
                remove_saved(results, job_id)
            continue
        try:
            if _restore(ledger, results, job_id):
                restored.append(job_id)
        except FileNotFoundError:  # a worker moved on while it was read
            continue
        except (DamagedFolder, InvalidJob):
            place = _place(results, job_id)
            if place is not None and not ledger.known([job_id]):
                done.unreadable.append(place)
    done.sweeps, unreadable = rebuild_sweeps(ledger, results)  # now that all their jobs are known
    done.unreadable += unreadable
    for start in range(0, len(restored), _BATCH):
        done.states.update(record.state for record in ledger.records(restored[start : start + _BATCH]))
    return done


def lost_jobs(ledger: Ledger, results: Results, most: int = 1_000) -> int:
    """How many accepted jobs the ledger does not know, though no folder says how they ended.

    Args:
        ledger: of which Redis may have lost the data.
        results: where the records of accepted jobs are saved.
        most: look at so many of the newest records.

    Raises:
        RedisUnreachable: Redis cannot be reached.
        OSError: the results volume cannot be read.
    """
    ids = saved_ids(results)[-most:]
    known = ledger.known(ids)
    return sum(job_id not in known and results.find(job_id) is None for job_id in ids)


def _dependencies_first(results: Results, job_ids: list[str]) -> list[str]:
    """The jobs, each after those that it needs, which ids need not tell: clients' clocks differ."""
    lost, order = set(job_ids), dict[str, None]()

    def add(job_id: str, above: frozenset[str]) -> None:
        if job_id in order or job_id in above:
            return
        try:
            record = read_saved(results, job_id)
        except DamagedFolder:
            record = None
        for needed in record.needs if record is not None else ():
            if needed in lost:
                add(needed, above | {job_id})
        order[job_id] = None

    for job_id in job_ids:
        add(job_id, frozenset())
    return list(order)


def _restore(ledger: Ledger, results: Results, job_id: str) -> bool:
    record, problem = None, None
    try:
        record = read_saved(results, job_id)
    except DamagedFolder as error:
        problem = error
    staged = results.staged(job_id)
    if record is None:
        if not staged:
            raise problem or FileNotFoundError(job_id)
        record = _of_staging(staged[-1], job_id)
    state, why = _state(ledger, results, record)
    ended = state in ENDED
    fields: dict[str, Any] = {
        "continues": record.continues or "",
        "retried": record.retried or "",
        "worker": record.worker or "",
        "lost": record.lost,
        "error": why if ended else "",
        "started": record.started or "",
        "finished": (record.finished or ledger.now()) if ended else "",
    }
    if record.sweep is not None:
        fields["sweep"] = json.dumps(record.sweep)
    return ledger.restore(
        job_id,
        record.stored(),
        state,
        submitted=record.submitted,
        attempt=max([record.attempt, *map(attempt_of_staging, staged)]),
        needs=record.needs,
        fields=fields,
    )


def _state(ledger: Ledger, results: Results, record: SavedRecord) -> tuple[str, str]:
    """The state in which a job comes back, and why it failed or was cancelled."""
    if record.state in ENDED and record.state != "succeeded":
        return record.state, record.error or ""
    history = History(results)
    for needed in set(record.needs) - ledger.known(record.needs):
        row = history.find(needed)
        if row is None:
            return "failed", f"job {needed}, which it depends on, was lost with Redis"
        if row.state in ("failed", "cancelled"):
            end = "failed" if row.state == "failed" else "was cancelled"
            return "failed", f"job {needed}, which it depends on, {end}"
    return "queued", ""


def _of_staging(staging: Path, job_id: str) -> SavedRecord:
    """The record of a job that was running, from what its worker wrote before it began."""
    job = JobFolder(staging).job
    try:
        stored = StoredSpec.of_folder(job)
        submitted = milliseconds(job["times"]["submitted"])
        content = {
            "id": job_id,
            "spec": stored.to_json(),
            "state": job["state"],
            "submitted": submitted,
            "attempt": attempt_of_staging(staging),
            "lost": job.get("lost_workers", 0),
            "needs": needs_of(stored),
            "started": None,
            "finished": None,
            "worker": job["worker"],
            "error": job["error"],
            "continues": job["continues"],
            "retried": None,
            "sweep": job.get("sweep"),
        }
        return SavedRecord.read(json.dumps(content).encode(), job_id)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, InvalidJob):
        raise DamagedFolder(f"{staging / 'job.json'} is not the record of a job") from None


def _place(results: Results, job_id: str) -> Path | None:
    """What there is of an unfinished job; None if it has gone meanwhile."""
    path = path_of(results, job_id)
    return next(iter(results.staged(job_id)), path if path.exists() else None)
