"""Restores the ledger from `results/` after Redis was lost for good."""

import contextlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobs.errors import DamagedFolder, InvalidJob
from jobs.folder import CHECKPOINT, Results
from jobs.ledger import Ledger
from jobs.spec import JobSpec


@dataclass(frozen=True)
class Rebuilt:
    """How many jobs were restored, as finished and as queued; how many folders could not be read."""

    finished: int
    queued: int
    unreadable: int


def rebuild(ledger: Ledger, results: Results) -> Rebuilt:
    """Write every job into the ledger that it does not know.

    Finished jobs come back as they ended. A training that was running and has left a checkpoint is
    queued and goes on from there. Jobs that only waited in Redis are lost with it.

    Raises:
        RedisUnreachable: the new Redis cannot be reached.
    """
    finished = queued = unreadable = 0
    for folder in results.folders():
        try:
            finished += _restore(ledger, folder.job, folder.job["state"], folder.id)
        except (DamagedFolder, InvalidJob, KeyError, ValueError):
            unreadable += 1
    for job_id in results.staged_ids():
        staging = results.staging(job_id, results.staged_attempts(job_id)[-1])
        if results.find(job_id) is None and (staging / CHECKPOINT).is_file():
            with contextlib.suppress(OSError, InvalidJob, KeyError, ValueError):
                job = json.loads((staging / "job.json").read_bytes())
                queued += _restore(ledger, job, "queued", "")
    return Rebuilt(finished, queued, unreadable)


def _restore(ledger: Ledger, job: dict[str, Any], state: str, folder: str) -> bool:
    spec = JobSpec.parse(job["spec"])
    fields: dict[str, Any] = {
        "spec": spec.to_json(),
        "name": spec.name or "",
        "continues": job["continues"] or "",
        "worker": job["worker"] or "",
        "error": job["error"] or "",
        "folder": folder,
        "headline": json.dumps(job["headline"]),
    }
    if state != "queued":
        fields |= {name: _milliseconds(job["times"][name]) for name in ("started", "finished")}
    submitted = _milliseconds(job["times"]["submitted"])
    return ledger.restore(job["id"], spec, state, submitted, int(job["attempt"]), fields)


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
