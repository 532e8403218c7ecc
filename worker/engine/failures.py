"""Explains errors, and publishes the folder of a job that failed where none could be written."""

import errno
import time
from pathlib import Path

from jobs.errors import QuartetError
from jobs.ledger.job_record import Record
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from jobs.store.atomic_files import write_json
from jobs.store.results import Results
from worker.engine.background import write_index
from worker.engine.job_json import job_json
from worker.engine.wings import wing
from worker.report.job_page import render

_VOLUME_PROBLEMS = {errno.ENOSPC: "is full", errno.EDQUOT: "is full (quota)", errno.EROFS: "is read-only"}


def sentence(error: BaseException, volume: Path | None = None) -> str:
    """Explain an error to a person.

    Args:
        error: whatever a task, a report or a volume raised.
        volume: the results folder, where the error is about it; None for any other place.

    Returns:
        One sentence without a full stop, with its hint where there is one.
    """
    if isinstance(error, QuartetError):
        return error.explanation
    if isinstance(error, OSError):
        return _volume_problem(error, f"the results volume {volume}" if volume else "a volume")
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "out of memory (hint: reduce the batch size or the amount of data)"
    said = " ".join(str(error).split())[:500]
    return f"internal error, {type(error).__name__}: {said} (details in log.txt)"


def _volume_problem(error: OSError, place: str) -> str:
    if error.errno in _VOLUME_PROBLEMS:
        return f"{place} {_VOLUME_PROBLEMS[error.errno]}"
    file = f" ({error.filename})" if error.filename else ""
    return f"{place} cannot be used: {error.strerror or error}{file}"


def publish_failure(results: Results, ledger: Ledger, record: Record, settings: Settings) -> str:
    """Write the folder of a job that failed where no worker could write it.

    Args:
        results: where the folder is published.
        ledger: knows the job's timeline.
        record: the failed job.
        settings: of this worker.

    Returns:
        The folder's name.

    Raises:
        OSError: the results volume is full, read-only or gone.
        LeaseLost: a later attempt has published already.
        RedisUnreachable: Redis cannot be reached.
    """
    published = results.find(record.id)
    if published is not None:
        return published.id
    attempt = record.attempt + 1
    staging = results.stage(record.id, attempt)
    content = job_json(
        record,
        state=record.state,
        attempt=record.attempt,
        finished=(record.finished or record.submitted) / 1000,
        timeline=[*ledger.timeline(record.id), {"time": time.time() * 1000, "text": "published"}],
        data={},
        notes=[],
        error=record.error,
    )
    write_json(staging / "job.json", content)
    render(staging, wing(record.spec.model))
    folder = results.publish(record.id, attempt, settings.umask)
    write_index(results)
    return folder.id
