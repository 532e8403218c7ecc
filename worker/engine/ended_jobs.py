"""Publishes the folders of jobs that ended where no worker could write one.

A job is cancelled in the queue, fails because of another one, or because the results volume is full, or loses
its last worker: it gets a folder all the same, with the newest checkpoint that one of its attempts left.
"""

import contextlib
import logging
import secrets
from datetime import datetime
from pathlib import Path

from jobs.claim import Claim
from jobs.errors import DamagedFolder, LeaseLost, QuartetError
from jobs.job import job_from_folder
from jobs.ledger.job_record import LossReason, Record, State
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from jobs.store.atomic_files import write_json
from jobs.store.job_folder import CHECKPOINT, JobFolder
from jobs.store.results import Results
from worker.engine.inputs import take_further_checkpoint
from worker.engine.job_json import job_json
from worker.engine.wings import wing
from worker.report.job_page import render
from worker.training.checkpoint import Checkpoint
from worker.training.history_files import write_history

log = logging.getLogger(__name__)


def publish_ended(results: Results, ledger: Ledger, record: Record, settings: Settings) -> str:
    """Write the folder of a job that ended where no worker could write it, with its newest checkpoint.

    Args:
        results: where the folder is published.
        ledger: knows the job's timeline.
        record: the job, which has ended.
        settings: of this worker.

    Returns:
        The folder's name.

    Raises:
        OSError: the results volume is full, read-only or gone.
        LeaseLost: another process publishes it at this moment.
        RedisUnreachable: Redis cannot be reached.
        StoreUnreachable: the object store does not answer.
    """
    published = results.find(record.id)
    if published is not None:
        results.tell_again(published.id)
        return published.id
    claim = Claim(record.id, record.attempt + 1, secrets.token_hex(8))
    try:
        return _publish(results, ledger, record, settings, claim)
    except FileNotFoundError:
        if results.root.is_dir() and not results.staging(claim).exists():
            raise LeaseLost(f"job {record.id} is being published by another process") from None
        raise


def record_loss(
    ledger: Ledger,
    results: Results,
    claim: Claim,
    max_losses: int,
    why: str,
    reason: LossReason = "lease_expired",
) -> State | None:
    """Record that a job's worker died, unless it had published the folder before.

    Args:
        ledger: knows the job.
        results: where its folder may be.
        claim: what the worker held.
        max_losses: how many deaths fail the job.
        why: how the worker died, for the timeline.
        reason: as what it is counted.

    Returns:
        The job's new state, None if the claim does not hold it.

    Raises:
        RedisUnreachable: Redis cannot be reached.
        StoreUnreachable: an object store does not say whether it has the folder; nothing was recorded.
    """
    with contextlib.suppress(LeaseLost, DamagedFolder):
        folder = results.find(claim.job_id)
        if folder is not None:
            return adopt(ledger, results, claim, folder)
    return ledger.record_loss(claim, max_losses, why, reason)


def adopt(ledger: Ledger, results: Results, claim: Claim, folder: JobFolder) -> State:
    """End a job whose folder an attempt published before it died.

    Args:
        ledger: knows the job.
        results: the store.
        claim: what holds the job.
        folder: its published folder.

    Returns:
        The state in which it ended.

    Raises:
        LeaseLost: another attempt holds the job now.
        RedisUnreachable: Redis cannot be reached.
        DamagedFolder: the folder's `job.json` cannot be read.
    """
    results.tell_again(folder.id)
    job = job_from_folder(folder)
    finished = round(datetime.fromisoformat(job.finished or job.submitted).timestamp() * 1000)
    ledger.finish(
        claim, job.state, finished=finished, error=job.error, folder=folder.id, headline=job.headline
    )
    return job.state


def _publish(results: Results, ledger: Ledger, record: Record, settings: Settings, claim: Claim) -> str:
    staging = results.stage(claim)
    take_further_checkpoint(results, claim.job_id, staging / CHECKPOINT)
    content = job_json(
        record,
        state=record.state,
        attempt=record.attempt,
        finished=record.finished or record.submitted,
        timeline=[*ledger.timeline(record.id), {"time": ledger.now(), "text": "published"}],
        data={},
        notes=[],
        error=record.error,
    )
    write_json(staging / "job.json", content)
    _write_history(staging)
    try:
        render(staging, wing(record.stored.model))
    except QuartetError as error:  # the page cannot be drawn without the code of its model
        log.warning("job %s: its folder has no page: %s", record.id, error)
    return results.publish(claim, settings.umask).id


def _write_history(staging: Path) -> None:
    """Write the losses in a checkpoint, as its training job would have at its end."""
    if not (staging / CHECKPOINT).exists():
        return
    try:
        position = Checkpoint.read(staging / CHECKPOINT)
    except DamagedFolder as error:
        log.warning("%s; its history is not written", error)
        return
    write_history(staging, position)
