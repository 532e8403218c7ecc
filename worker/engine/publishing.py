"""From a task's outcome to a published folder: metrics, `job.json`, the report, and the ledger's entry."""

import contextlib
import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from jobs.errors import LeaseLost, RedisUnreachable
from jobs.reuse import Fingerprint
from jobs.store.atomic_files import write_json
from jobs.store.fingerprints import Fingerprints
from jobs.store.job_folder import LOG, JobFolder
from jobs.store.staging import keep_checkpoint_alone
from worker.context import JobContext
from worker.engine import background
from worker.engine.drawing import draw
from worker.engine.failures import sentence
from worker.engine.fingerprinting import fingerprint_of
from worker.engine.held_job import HeldJob
from worker.engine.job_json import job_json
from worker.engine.job_log import log_end, log_into
from worker.engine.loaded_code import loaded_code
from worker.engine.outcome import Outcome
from worker.engine.wings import wing
from worker.report.job_page import render
from worker.report.metrics import headline, in_order

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
        finished=held.record.started or held.record.submitted,
        timeline=[],
        data={},
        notes=[],
        code=loaded_code(held.record.spec.model),  # before the files can change
    )
    write_json(held.staging / "job.json", content)


def conclude(held: HeldJob, context: JobContext, outcome: Outcome) -> None:
    """Write what the folder still lacks, publish it, and tell the ledger.

    If the report cannot be rendered, the job fails; its folder is published with its metrics and the reason.
    A job whose folder another attempt took over is queued again.

    Args:
        held: the job.
        context: what its task was given, and has noted in it.
        outcome: how its task ended.

    Raises:
        LeaseLost: another attempt holds the job now; nothing was published.
    """
    context.progress(force=True, stage="writing the report")
    finished, best = held.ledger.now(), None
    try:
        try:
            if outcome.metrics:
                named = wing(held.record.spec.model).metrics
                best = headline(named, outcome.metrics)
                outcome = replace(outcome, metrics=in_order(named, outcome.metrics))
            folder = _publish(held, context, outcome, best, finished)
        except (LeaseLost, RedisUnreachable, OSError):
            raise
        except Exception as error:
            with log_into(held.staging / LOG):
                log.error("%s", traceback.format_exc())
            why = f"the report could not be rendered: {sentence(error)}"
            outcome = replace(outcome, state="failed", error=why)
            folder = _publish(held, context, outcome, best, finished)
    except OSError as error:
        if held.folder_was_taken_over():  # each goes by a primary of its own while Redis changes over
            held.ledger.hand_back(held.claim, "another attempt took its folder over")
        else:
            fail_without_folder(held, error)
        return
    held.ledger.finish(
        held.claim, outcome.state, finished=finished, error=outcome.error, folder=folder.id, headline=best
    )
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
    """
    with contextlib.suppress(OSError):
        keep_checkpoint_alone(held.staging)
    why = sentence(error, held.results.root)
    held.ledger.finish(held.claim, "failed", finished=held.ledger.now(), error=why)


def _publish(
    held: HeldJob, context: JobContext, outcome: Outcome, best: dict[str, Any] | None, finished: int
) -> JobFolder:
    if outcome.metrics:
        write_json(held.staging / "metrics.json", dict(outcome.metrics), durable=False)
    timeline = held.ledger.timeline(held.claim.job_id)
    fingerprint = fingerprint_of(held, timeline)
    content = _final_record(held, context, outcome, best, finished, timeline, fingerprint)
    write_json(held.staging / "job.json", content)
    if outcome.state == "failed":  # its page has no figures, and the process that draws may be what failed
        render(held.staging, wing(held.record.spec.model))
    else:
        draw(held.staging, held.record.spec.model)
    if held.settings.store:  # which may be away, for as long as it likes
        context.progress(force=True, stage=f"publishing to {held.settings.store}")
    folder = held.results.publish(
        held.staged_as, held.settings.umask, fence=lambda: held.ledger.renew(held.claim)
    )
    if fingerprint is not None and outcome.state == "succeeded":
        Fingerprints(held.results.root).add(fingerprint.key, folder.id)
    return folder


def _final_record(
    held: HeldJob,
    context: JobContext,
    outcome: Outcome,
    best: dict[str, Any] | None,
    finished: int,
    timeline: Sequence[Mapping[str, Any]],
    fingerprint: Fingerprint | None,
) -> dict[str, Any]:
    """The content of `job.json` as it is to be published, with the two events that are still to come."""
    end = outcome.state if outcome.error is None else f"{outcome.state}: {outcome.error}"
    last = [{"time": finished, "text": text} for text in ("published", end)]
    return job_json(
        held.record,
        state=outcome.state,
        attempt=held.claim.attempt,
        finished=finished,
        timeline=[*timeline, *last],
        data=context.data,
        notes=context.notes,
        warnings=context.warnings,
        headline=best,
        code=loaded_code(held.record.spec.model),
        fingerprint=fingerprint,
        usage=outcome.usage,
        error=outcome.error,
        log_end=log_end(held.staging / LOG) if outcome.state == "failed" else None,
    )
