"""Restores the ledger from the results folder after Redis lost its data."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.errors import DamagedFolder, InvalidJob, InvalidModel
from jobs.ledger.job_record import ENDED
from jobs.ledger.ledger import Ledger
from jobs.spec import JobSpec
from jobs.store.results import Results


@dataclass(frozen=True)
class Rebuilt:
    """How many jobs were restored as finished and as queued, and the folders that cannot be read."""

    finished: int
    queued: int
    unreadable: list[Path]


def rebuild(ledger: Ledger, results: Results) -> Rebuilt:
    """Write every job that the ledger does not know into it.

    Finished jobs are restored as they ended. A job that was running is queued again: a training job resumes
    from its checkpoint, any other one starts from scratch. Jobs that had not started are lost with Redis.

    Raises:
        RedisUnreachable: Redis cannot be reached.
    """
    finished = queued = 0
    unreadable = []
    for folder in results.folders():
        try:
            job = folder.job
            if job["state"] not in ENDED:
                raise ValueError(f"{job['state']!r} is not a final state")
            finished += _restore(ledger, folder.id, job, job["state"], folder.id)
        except _UNREADABLE:
            unreadable.append(folder.path)
    for job_id in results.staged_ids():
        attempts = results.staged_attempts(job_id)
        if not attempts or results.find(job_id) is not None:
            continue
        staging = results.staging(job_id, attempts[-1])
        try:
            job = json.loads((staging / "job.json").read_bytes())
            queued += _restore(ledger, job_id, job, "queued", "", attempts[-1])
        except (OSError, *_UNREADABLE):
            unreadable.append(staging)
    return Rebuilt(finished, queued, unreadable)


_UNREADABLE = (DamagedFolder, InvalidJob, InvalidModel, LookupError, TypeError, ValueError, AttributeError)
"""The errors that reading a folder of unknown origin may raise."""


def _restore(
    ledger: Ledger, job_id: str, job: dict[str, Any], state: str, folder: str, attempt: int | None = None
) -> bool:
    spec = JobSpec.parse(job["spec"])
    ended = state in ENDED
    fields: dict[str, Any] = {
        "spec": spec.to_json(),
        "name": spec.name or "",
        "continues": job["continues"] or "",
        "worker": job["worker"] or "",
        "error": (job["error"] or "") if ended else "",
        "folder": folder,
        "headline": json.dumps(job["headline"]) if ended else "",
    }
    if ended:
        fields |= {name: _milliseconds(job["times"][name]) for name in ("started", "finished")}
    submitted = _milliseconds(job["times"]["submitted"])
    return ledger.restore(job_id, spec, state, submitted, int(attempt or job["attempt"]), fields)


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
