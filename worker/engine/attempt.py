"""One attempt at one job, from claim to outcome."""

import contextlib
import logging
import os
import threading
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from jobs.errors import InvalidInput, LeaseLost, QuartetError, RedisUnreachable
from jobs.ledger.job_record import FreshClaim, Record
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from jobs.store.results import Results
from worker.context import JobContext
from worker.engine import background
from worker.engine.failures import sentence
from worker.engine.gpu import device
from worker.engine.heartbeat import LOST, Heartbeat
from worker.engine.held_job import HeldJob
from worker.engine.inputs import resumed_from, source_folders, take_checkpoint
from worker.engine.job_log import log_into
from worker.engine.outcome import Outcome, outcome_of, stopped
from worker.engine.publishing import adopt, conclude, fail_without_folder, write_first_record
from worker.engine.startup import load_keras, loaded
from worker.engine.wings import checked_metrics, wing

log = logging.getLogger(__name__)

GIVE_UP_SECONDS = 120.0
"""How long concluding a job may take whose task does not stop."""


def execute(job_id: str, settings: Settings, worker: str) -> None:
    """Run one job if it is claimable. Its report may be rendered after this returns, by `background`.

    A message whose job is claimed, ended or unknown is dropped, so a second delivery does nothing.

    Args:
        job_id: what the message names, which may be anything.
        settings: of this worker.
        worker: the name of this worker.

    Raises:
        RedisUnreachable: Redis was away longer than the worker waits; the sweeper will find the job.
        DamagedFolder: an earlier attempt published a folder that cannot be read.
    """
    ledger = Ledger(settings.redis_address(), settings.redis_patience_seconds)
    claim = _claim(ledger, job_id, settings, worker)
    if claim is None:
        log.info("job %s is not claimable; its message is dropped", job_id)
        return
    try:
        record = _record_or_failure(ledger, claim)
        if record is not None:
            results = Results(settings.results_dir.absolute())
            Attempt(HeldJob(settings, ledger, claim, record, results)).run()
    except LeaseLost as error:
        log.warning("%s; nothing was published", error)


def refuse(job_id: str, settings: Settings, worker: str) -> None:
    """Fail a job whose model this worker does not have; do nothing about any other job.

    Args:
        job_id: what a message names that Celery has no task for.
        settings: of this worker.
        worker: the name of this worker.

    Raises:
        RedisUnreachable: Redis cannot be reached; the sweeper sends the message again.
    """
    ledger = Ledger(settings.redis_address())
    with contextlib.suppress(InvalidInput):
        ledger.record(job_id)
        return  # a readable job has a task, so a stranger wrote this message
    claim = _claim(ledger, job_id, settings, worker)
    if claim is not None:
        with contextlib.suppress(LeaseLost):
            _record_or_failure(ledger, claim)


def _claim(ledger: Ledger, job_id: str, settings: Settings, worker: str) -> FreshClaim | None:
    token = f"{os.getpid()}.{uuid.uuid4().hex}"
    return ledger.claim(job_id, worker, settings.lease_seconds, token)


def _record_or_failure(ledger: Ledger, claim: FreshClaim) -> Record | None:
    """The claimed job's record; None if it, or its model, cannot be used here: the job has then failed.

    Raises:
        LeaseLost: another attempt holds the job now.
        RedisUnreachable: Redis cannot be reached.
    """
    try:
        return claim.record()
    except Exception as error:  # written by another version; or its model is missing or broken
        log.error("%s", error, exc_info=not isinstance(error, QuartetError))
        ledger.finish(claim, "failed", error=sentence(error))
        return None


class Attempt:
    """One attempt at one job, held by this process."""

    def __init__(self, held: HeldJob) -> None:
        """Nothing is done before `run`."""
        self._held = held
        self._context: JobContext | None = None

    def run(self) -> None:
        """Run the job, and leave its conclusion to `background`.

        Raises:
            LeaseLost: another attempt holds the job now.
            RedisUnreachable: Redis was away longer than the worker waits.
            DamagedFolder: an earlier attempt published a folder that cannot be read.
        """
        held = self._held
        published = held.results.find(held.claim.job_id)
        if published is not None:
            adopt(held, published)
            return
        try:
            context = self._context = self._stage()
        except OSError as error:
            fail_without_folder(held, error)
            return
        limit = held.record.spec.seconds_allowed()
        with contextlib.ExitStack() as lease:
            heartbeat = lease.enter_context(
                Heartbeat(held.claim, held.settings, limit, context.stop, self._give_up)
            )
            with log_into(held.staging / "log.txt"):
                outcome = outcome_of(lambda: self._do_task(context), held.results.root)
            heartbeat.task_is_over()
            if heartbeat.lost:
                raise LeaseLost(f"job {held.claim.job_id}: attempt {held.claim.attempt} was superseded")
            if outcome.state == "cancelled":
                if heartbeat.asked == "hand back":
                    self._hand_back()
                    return
                outcome = stopped(heartbeat.asked, held.record, held.settings)
            background.finish(partial(self._end, context, outcome, lease.pop_all()))

    def _stage(self) -> JobContext:
        """Make the staging folder and the task's context.

        Raises:
            OSError: the results volume is full, read-only or gone.
        """
        held = self._held
        staging = held.results.stage(held.claim.job_id, held.claim.attempt)
        write_first_record(held)
        progress = Ledger(held.settings.redis_address())  # without patience

        def report_progress(values: dict[str, Any]) -> None:
            try:
                progress.progress(held.claim, values)
            except QuartetError as error:
                log.debug("progress was not sent: %s", error)

        return JobContext(
            spec=held.record.spec, folder=staging, settings=held.settings, report_progress=report_progress
        )

    def _do_task(self, context: JobContext) -> Mapping[str, float]:
        """Collect the inputs, load TensorFlow and the model's wing, and call its task.

        Raises:
            Cancelled: the job was asked to stop.
            Exception: whatever the inputs or the task raise.
        """
        held, spec = self._held, context.spec
        context.sources = source_folders(spec, held.results)
        context.check_stop()
        take_checkpoint(context, held.record.continues, held.results)
        if context.checkpoint.exists():
            held.ledger.log_event(held.claim, resumed_from(context))
        if not loaded():
            context.progress(force=True, stage="loading TensorFlow")
            load_keras()
        task = wing(spec.model).action(spec.action)
        device.prepare()
        held.ledger.log_event(held.claim, f"running on {device.in_words(device.describe())}")
        context.progress(force=True, stage="preparing")
        return checked_metrics(spec.model, spec.action, task(context))

    def _hand_back(self) -> None:
        """Queue the job again, since its worker is shutting down."""
        self._held.ledger.hand_back(self._held.claim, f"{self._held.record.worker} is shutting down")

    def _end(self, context: JobContext, outcome: Outcome, lease: contextlib.ExitStack) -> None:
        """Conclude the job while its lease is renewed. No caller would catch an error."""
        with lease:
            try:
                conclude(self._held, context, outcome)
            except LeaseLost as error:
                log.warning("%s; nothing was published", error)
            except RedisUnreachable as error:
                log.warning("%s; the sweeper will find job %s", error, self._held.claim.job_id)
            except Exception:
                log.exception(
                    "job %s could not be concluded; the sweeper will find it", self._held.claim.job_id
                )

    def _give_up(self, asked: str) -> None:
        """The task was asked to stop and does not: end this process; Celery starts another.

        The job is concluded here, with what its folder has so far. A job to be handed back is resumed
        elsewhere from its last checkpoint; one that another attempt holds is left to that attempt.
        """
        log.warning("job %s does not stop; its process ends", self._held.claim.job_id)
        # The stuck task may hold a lock that this thread needs: the process ends all the same.
        end = threading.Timer(GIVE_UP_SECONDS, os._exit, [1])
        end.daemon = True
        end.start()
        try:
            if asked == LOST:
                return
            if asked == "hand back":
                self._hand_back()
            elif self._context is not None:
                outcome = stopped(asked, self._held.record, self._held.settings)
                conclude(self._held, self._context, outcome)
                background.wait_for_index()
        finally:
            os._exit(1)
