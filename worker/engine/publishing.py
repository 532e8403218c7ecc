"""From a task's outcome to a published folder: metrics, `job.json`, the report, and the ledger's entry."""

import contextlib
import logging
import time
import traceback
from typing import Any

from jobs.errors import LeaseLost, RedisUnreachable
from jobs.store.atomic_files import write_json
from jobs.store.job_folder import JobFolder
from jobs.store.results import keep_checkpoint_alone
from worker.context import JobContext
from worker.engine import background
from worker.engine.failures import sentence
from worker.engine.held_job import HeldJob
from worker.engine.job_json import job_json
from worker.engine.job_log import log_end, log_into
from worker.engine.outcome import Outcome
from worker.engine.wings import wing
from worker.report.job_page import render
from worker.report.metrics import headline

log = logging.getLogger(__name__)


def write_first_record(held: HeldJob) -> None:
    """Write a `job.json` before the task starts.

    If Redis is lost for good, this and the checkpoint are enough to queue the job again.

    Args:
        held: the job; its staging folder exists.

    Raises:
        OSError: the results volume is full, read-only or gone.
    """
    content = job_json(
        held.record,
        state="running",
        attempt=held.claim.attempt,
        finished=time.time(),
        timeline=[],
        data={},
        notes=[],
    )
    write_json(held.staging / "job.json", content)


def adopt(held: HeldJob, folder: JobFolder) -> None:
    """End a job whose folder an earlier attempt published before it died.

    Args:
        held: the job.
        folder: its published folder.

    Raises:
        LeaseLost: another attempt holds the job now.
        RedisUnreachable: Redis was away longer than the worker waits.
        DamagedFolder: the folder's `job.json` cannot be read.
    """
    job = folder.job
    held.ledger.finish(
        held.claim, job["state"], error=job["error"], folder=folder.id, headline=job["headline"]
    )


def conclude(held: HeldJob, context: JobContext, outcome: Outcome) -> None:
    """Write what the folder still lacks, publish it, and tell the ledger.

    If the report cannot be rendered, the job fails; its folder is published with its metrics and the reason.

    Args:
        held: the job.
        context: what its task was given, and has noted in it.
        outcome: how its task ended.

    Raises:
        LeaseLost: another attempt holds the job now; nothing was published.
        RedisUnreachable: Redis was away longer than the worker waits; the sweeper will find the job.
    """
    context.progress(force=True, stage="writing the report")
    best = None
    try:
        try:
            best = _headline(held, outcome)
            folder = _publish(held, context, outcome, best)
        except (LeaseLost, RedisUnreachable, OSError):
            raise
        except Exception as error:
            with log_into(held.staging / "log.txt"):
                log.error("%s", traceback.format_exc())
            why = f"the report could not be rendered: {sentence(error)}"
            outcome = Outcome("failed", outcome.metrics, why)
            folder = _publish(held, context, outcome, best)
    except OSError as error:
        fail_without_folder(held, error)
        return
    held.ledger.finish(held.claim, outcome.state, error=outcome.error, folder=folder.id, headline=best)
    background.update_index(held.results)


def fail_without_folder(held: HeldJob, error: OSError) -> None:
    """Fail a job whose folder the results volume does not take: only the ledger knows of it, for now.

    The checkpoint stays in staging; the sweeper publishes it with the failure when the volume takes
    a folder again.

    Args:
        held: the job.
        error: what the volume raised; the ledger records it as the reason.

    Raises:
        LeaseLost: another attempt holds the job now.
        RedisUnreachable: Redis was away longer than the worker waits.
    """
    with contextlib.suppress(OSError):
        keep_checkpoint_alone(held.staging)
    held.ledger.finish(held.claim, "failed", error=sentence(error, held.results.root))


def _headline(held: HeldJob, outcome: Outcome) -> dict[str, Any] | None:
    if not outcome.metrics:
        return None
    return headline(wing(held.record.spec.model).metrics, outcome.metrics)


def _publish(held: HeldJob, context: JobContext, outcome: Outcome, best: dict[str, Any] | None) -> JobFolder:
    if outcome.metrics:
        write_json(held.staging / "metrics.json", dict(outcome.metrics), durable=False)
    write_json(held.staging / "job.json", _final_record(held, context, outcome, best))
    render(held.staging, wing(held.record.spec.model))
    held.ledger.renew(held.claim, held.settings.lease_seconds)
    return held.results.publish(held.claim.job_id, held.claim.attempt, held.settings.umask)


def _final_record(
    held: HeldJob, context: JobContext, outcome: Outcome, best: dict[str, Any] | None
) -> dict[str, Any]:
    """The content of `job.json` as it is to be published, with the two events that are still to come."""
    finished = time.time()
    end = outcome.state if outcome.error is None else f"{outcome.state}: {outcome.error}"
    last = [{"time": finished * 1000, "text": text} for text in ("published", end)]
    return job_json(
        held.record,
        state=outcome.state,
        attempt=held.claim.attempt,
        finished=finished,
        timeline=[*held.ledger.timeline(held.claim.job_id), *last],
        data=context.data,
        notes=context.notes,
        headline=best,
        error=outcome.error,
        log_end=log_end(held.staging / "log.txt") if outcome.error else None,
    )
