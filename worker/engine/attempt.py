"""One attempt at one job, from claim to outcome."""

import contextlib
import logging
import math
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from jobs.errors import InvalidInput, LeaseLost, QuartetError, StoreUnreachable
from jobs.ledger.job_record import FreshClaim, Record, State
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from jobs.store.job_folder import LOG
from jobs.store.open_results import open_results
from worker.context import JobContext
from worker.engine import background, liveness
from worker.engine.ended_jobs import adopt
from worker.engine.failures import sentence
from worker.engine.fingerprinting import begun
from worker.engine.gpu import device
from worker.engine.heartbeat import LOST, Heartbeat
from worker.engine.held_job import HeldJob
from worker.engine.inputs import resumed_from, source_folders, take_checkpoint, take_further_checkpoint
from worker.engine.job_log import log_into
from worker.engine.kind_of_worker import kind_of_worker
from worker.engine.log_lines import lines_about
from worker.engine.outcome import Outcome, outcome_of, stopped
from worker.engine.publishing import conclude, fail_without_folder, write_first_record
from worker.engine.right_store import look_at_store
from worker.engine.room import lacking_room
from worker.engine.startup import load_keras, loaded
from worker.engine.uploads import uploading
from worker.engine.usage import Usage
from worker.engine.wings import checked_metrics, wing

log = logging.getLogger(__name__)

GIVE_UP_SECONDS = 120.0
"""How long concluding a job may take whose task does not stop."""


def execute(job_id: str, settings: Settings, worker: str) -> State | None:
    """Run one job if it is claimable. Its report may be rendered after this returns, by `background`.

    A message whose job is claimed, ended or unknown is dropped, so a second delivery does nothing. While the
    results volume has no room or is not the ledger's store, it is dropped as well, and the sweeper sends it
    again.

    Args:
        job_id: what the message names, which may be anything.
        settings: of this worker.
        worker: the name of this worker.

    Returns:
        The state in which its task ended; None if it was not run to its end.

    Raises:
        DamagedFolder: an earlier attempt published a folder that cannot be read.
    """
    lacking = lacking_room(settings)
    if lacking:
        log.warning("job %s stays queued: this worker waits %s", job_id, lacking)
        return None
    # However long Redis is away: a claim whose answer was lost would otherwise count as a lost worker.
    ledger = Ledger(settings.redis_address(), patience_seconds=math.inf)
    results = open_results(settings, in_pool=True)
    other = look_at_store(ledger, results)
    if other:
        log.warning("job %s stays queued: this worker waits %s", job_id, other)
        return None
    claim = None
    try:
        claim = _claim(ledger, job_id, worker)
        if claim is None:
            log.info("job %s is not claimable; its message is dropped", job_id)
            return None
        record = _understood(ledger, claim)
        if record is not None:
            with lines_about(claim):
                return Attempt(HeldJob(settings, ledger, claim, record, results)).run()
    except LeaseLost as error:
        log.warning("%s; nothing was published", error)
    except StoreUnreachable as error:
        log.warning("job %s is handed back: %s", job_id, error)
        if claim is not None:
            with contextlib.suppress(LeaseLost):
                ledger.hand_back(claim, error.explanation)
    except InvalidInput as error:  # its record is damaged, and the next job's is not
        log.error("job %s: %s", job_id, error)
    return None


def refuse(job_id: str, settings: Settings, worker: str) -> None:
    """Put back a job whose model this worker does not have; do nothing about any other job.

    Args:
        job_id: what a message names that Celery has no task for.
        settings: of this worker.
        worker: the name of this worker.

    Raises:
        RedisUnreachable: Redis cannot be reached; the sweeper sends the message again.
    """
    ledger = Ledger(settings.redis_address())
    with contextlib.suppress(InvalidInput):
        record = ledger.record(job_id)
        if record is None or record.spec:
            return  # a job that this worker understands has a task, so a stranger wrote this message
    claim = _claim(ledger, job_id, worker)
    if claim is not None:
        with contextlib.suppress(LeaseLost):
            _understood(ledger, claim)


def _claim(ledger: Ledger, job_id: str, worker: str) -> FreshClaim | None:
    return ledger.claim(job_id, worker, os.getpid(), secrets.token_hex(8))


def _understood(ledger: Ledger, claim: FreshClaim) -> Record | None:
    """The claimed job's record; None if it cannot be used here.

    A job that another version or another installation may understand waits for such a worker. One whose
    record is no job's at all has failed.

    Raises:
        LeaseLost: another attempt holds the job now.
        RedisUnreachable: Redis cannot be reached.
    """
    try:
        record = claim.record()
    except InvalidInput as error:
        log.error("%s", error)
        ledger.finish(claim, "failed", finished=ledger.now(), error=sentence(error))
        return None
    try:
        return record if record.spec else None
    except Exception as error:  # the code of a model may raise anything
        log.error("%s", error, exc_info=not isinstance(error, QuartetError))
        ledger.decline(claim, kind_of_worker(), sentence(error))
        return None


class Attempt:
    """One attempt at one job, held by this process."""

    def __init__(self, held: HeldJob) -> None:
        """Nothing is done before `run`."""
        self._held = held
        self._context: JobContext | None = None
        self._log: logging.Handler | None = None

    def run(self) -> State | None:
        """Run the job, and leave its conclusion to `background`.

        Returns:
            The state in which its task ended; None if the job was handed back.

        Raises:
            LeaseLost: another attempt holds the job now.
            DamagedFolder: an earlier attempt published a folder that cannot be read.
        """
        held = self._held
        published = held.results.find(held.claim.job_id)
        if published is not None:
            return adopt(held.ledger, held.results, held.claim, published)
        try:
            context = self._context = self._stage()
        except OSError as error:
            fail_without_folder(held, error)
            return "failed"
        limit = held.record.spec.seconds_allowed()
        with contextlib.ExitStack() as lease:
            heartbeat = lease.enter_context(
                Heartbeat(held.claim, held.settings, limit, context.stop, self._give_up)
            )
            uploads = uploading(held, context)
            with log_into(held.staging / LOG) as self._log, uploads, Usage() as usage:
                outcome = outcome_of(lambda: self._do_task(context), held.results.root)
            heartbeat.task_is_over()
            if heartbeat.lost:
                raise LeaseLost(f"job {held.claim.job_id}: attempt {held.claim.attempt} was superseded")
            if outcome.state == "cancelled":
                if heartbeat.asked == "hand back":
                    self._hand_back()
                    return None
                outcome = self._stopped(heartbeat.asked)
            outcome = replace(outcome, usage=usage.measured)
            background.finish(partial(self._end, context, outcome, lease.pop_all()))
            return outcome.state

    def _stage(self) -> JobContext:
        """Make the staging folder and the task's context.

        Raises:
            LeaseLost: another attempt holds the job now, whose folder must be left alone.
            OSError: the results volume is full, read-only or gone.
        """
        held = self._held
        held.ledger.renew(held.claim)
        staging = held.results.stage(held.claim)
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
        take_further_checkpoint(held.results, held.claim.job_id, context.checkpoint)
        take_checkpoint(context, held)
        if context.checkpoint.exists():
            held.ledger.log_event(held.claim, resumed_from(context))
        if not loaded():
            context.progress(force=True, stage="loading TensorFlow")
            load_keras()
        task = wing(spec.model).action(spec.action)
        device.prepare()
        held.ledger.log_event(held.claim, begun(device.in_words(device.describe()), spec.model))
        context.progress(force=True, stage="preparing")
        return checked_metrics(spec.model, spec.action, task(context))

    def _stopped(self, asked: str) -> Outcome:
        held = self._held
        return stopped(asked, held.record, held.settings, held.ledger.why_stopped(held.claim))

    def _hand_back(self) -> None:
        """Queue the job again, since its worker is shutting down."""
        self._held.ledger.hand_back(self._held.claim, f"{self._held.record.worker} is shutting down")

    def _end(self, context: JobContext, outcome: Outcome, lease: contextlib.ExitStack) -> None:
        """Conclude the job while its lease is renewed. No caller would catch an error."""
        with lease, lines_about(self._held.claim):
            try:
                conclude(self._held, context, outcome)
            except LeaseLost as error:
                log.warning("%s; nothing was published", error)
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
        end = threading.Timer(GIVE_UP_SECONDS, liveness.leave, [1])
        end.daemon = True
        try:
            end.start()
            if asked == LOST:
                return
            if asked == "hand back":
                self._hand_back()
            elif self._context is not None:
                outcome = self._stopped(asked)
                held = self._held.out_of_reach()
                if self._log is not None:  # its file is open, so it is still in reach
                    self._log.close()
                conclude(held, self._context, outcome)
                background.wait_for_index()
        finally:
            liveness.leave(1)
