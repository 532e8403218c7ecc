"""What a failure means for a person, and the folder of a job that failed where nobody could write it."""

import errno
import logging
import time
from pathlib import Path

from jobs.errors import DamagedFolder
from jobs.files import write_json
from jobs.folder import Results
from jobs.ledger import Ledger
from jobs.record import Record
from jobs.settings import Settings
from worker.record import job_record
from worker.report import index
from worker.report.page import render

log = logging.getLogger(__name__)


def sentence(error: BaseException, where: Path | None = None) -> str:
    """What an unexpected error means for a person."""
    place = f"the results volume {where}" if where else "a volume"
    if isinstance(error, OSError):
        known = {errno.ENOSPC: "is full", errno.EDQUOT: "is full (quota)", errno.EROFS: "is read-only"}
        if error.errno in known:
            return f"{place} {known[error.errno]}"
        return f"{place} cannot be used: {error.strerror or error}" + (
            f" ({error.filename})" if error.filename else ""
        )
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "the memory was not enough; a smaller batch size or less data may help"
    return f"internal error, {type(error).__name__}: {str(error)[:500]}; log.txt has the details"


def publish_failure(results: Results, ledger: Ledger, record: Record, settings: Settings) -> str:
    """Write the folder of a job that failed where no worker could write it; return the folder's name.

    Raises:
        OSError: the results volume is full, read-only or gone.
    """
    published = results.find(record.id)
    if published is not None:
        return published.id
    attempt = record.attempt + 1
    staging = results.stage(record.id, attempt)
    write_json(
        staging / "job.json",
        job_record(
            record,
            state=record.state,
            attempt=record.attempt,
            finished=(record.finished or record.submitted) / 1000,
            timeline=[*ledger.timeline(record.id), {"time": time.time() * 1000, "text": "published"}],
            data={},
            notes=[],
            error=record.error,
        ),
    )
    render(staging)
    folder = results.publish(record.id, attempt, settings.umask)
    write_index(results)
    return folder.id


def write_index(results: Results) -> None:
    """The index is a convenience: that it cannot be written is no reason to fail a job."""
    try:
        index.write_index(results)
    except (OSError, DamagedFolder) as error:
        log.warning("results/index.html was not written: %s", error)
