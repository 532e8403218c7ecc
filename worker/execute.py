"""One job from claim to published folder: all that is the same for every job."""

import contextlib
import logging
import os
import shutil
import threading
import time
import traceback
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from jobs.errors import Cancelled, InvalidData, InvalidJob, LeaseLost, QuartetError, RedisUnreachable
from jobs.files import whole_file, write_json
from jobs.folder import CHECKPOINT, JobFolder, Results, keep_checkpoint_alone
from jobs.ledger import Ledger
from jobs.record import Claim, Record, State
from jobs.settings import Settings
from worker import finishing, gpu, indexing
from worker.failure import sentence
from worker.heartbeat import LOST, Heartbeat
from worker.job_log import log_end, log_into
from worker.kept import forget
from worker.loading import load_keras, loaded
from worker.record import job_record
from worker.report.page import headline as headline_of
from worker.report.page import render
from worker.run import Run
from worker.training import Checkpoint

log = logging.getLogger(__name__)
GIVE_UP_SECONDS = 120.0
"""How long concluding a job may take whose task does not stop."""


def execute(job_id: str, settings: Settings, worker: str) -> None:
    """Do one job if it is there to be taken. Its report may be made after this returns: see `finishing`.

    A message whose job is taken, ended or unknown is dropped: a second delivery does nothing.

    Raises:
        RedisUnreachable: Redis was away longer than the worker waits; the sweeper will find the job.
    """
    ledger = Ledger(settings.redis_address(), settings.redis_patience_seconds)
    token = f"{os.getpid()}.{uuid.uuid4().hex}"
    claim = ledger.claim(job_id, worker, settings.lease_seconds, token)
    if claim is None:
        log.info("job %s is not there to be taken; its message is dropped", job_id)
        return
    try:
        Attempt(settings, ledger, claim, claim.record()).run()
    except LeaseLost as error:
        log.warning("%s; nothing was published", error)
    except InvalidJob as error:  # submitted by another version of Quartet, for one
        ledger.finish(claim, "failed", error=str(error))


@dataclass
class Outcome:
    """How a task ended."""

    state: State
    metrics: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None


class Attempt:
    """One attempt at one job, held by this process."""

    def __init__(self, settings: Settings, ledger: Ledger, claim: Claim, record: Record) -> None:
        """Nothing is done before `run`."""
        self.settings = settings
        self.ledger = ledger
        self.claim = claim
        self.record = record
        self.results = Results(settings.results_dir.absolute())
        self.staging = self.results.staging(claim.job_id, claim.attempt)
        self.task: Run | None = None

    def run(self) -> None:
        """Do the job, and leave its end to `finishing`.

        Raises:
            LeaseLost: another attempt holds the job by now.
        """
        published = self.results.find(self.claim.job_id)
        if published is not None:
            self._adopt(published)
            return
        try:
            task = self.task = self._prepare()
        except OSError as error:
            self._fail_without_folder(error)
            return
        limit = self.record.spec.seconds_allowed()
        with contextlib.ExitStack() as held:
            heartbeat = held.enter_context(
                Heartbeat(self.claim, self.settings, limit, task.stop, self._give_up)
            )
            with log_into(self.staging / "log.txt"):
                outcome = self._perform(self.task)
            heartbeat.task_is_over()
            if heartbeat.lost:
                raise LeaseLost(f"job {self.claim.job_id}: attempt {self.claim.attempt} was superseded")
            if outcome.state == "cancelled" and heartbeat.asked == "hand back":
                self.ledger.hand_back(self.claim, f"{self.record.worker} is shutting down")
                return
            if outcome.state == "cancelled":
                outcome = self._stopped(heartbeat.asked)
            finishing.finish(partial(self._end, task, outcome, held.pop_all()))

    def _end(self, task: Run, outcome: Outcome, held: contextlib.ExitStack) -> None:
        """Conclude the job while its lease is `held`. Nobody is there to catch an error."""
        with held:
            try:
                self._conclude(task, outcome)
            except LeaseLost as error:
                log.warning("%s; nothing was published", error)
            except RedisUnreachable as error:
                log.warning("%s; the sweeper will find job %s", error, self.claim.job_id)
            except Exception:
                log.exception("the end of job %s failed; the sweeper will find it", self.claim.job_id)

    def _stopped(self, asked: str) -> Outcome:
        """What it means that the task was stopped for this reason."""
        if asked == "time limit":
            limit = self.record.spec.seconds_allowed()
            return Outcome("failed", error=f"it ran longer than its time limit of {limit} seconds")
        if asked == "memory limit":
            limit_gb = self.settings.memory_limit_gb
            return Outcome("failed", error=f"it needed more memory than the limit of {limit_gb:g} GB")
        return Outcome("cancelled")

    def _adopt(self, folder: JobFolder) -> None:
        """An attempt before this one published and died before it could say so."""
        job = folder.job
        self.ledger.finish(
            self.claim, job["state"], error=job["error"], folder=folder.id, headline=job["headline"]
        )

    def _prepare(self) -> Run:
        staging = self.results.stage(self.claim.job_id, self.claim.attempt)
        # If Redis is lost for good, this and the checkpoint are enough to queue the job again.
        begun = job_record(
            self.record,
            state="running",
            attempt=self.claim.attempt,
            finished=time.time(),
            timeline=[],
            data={},
            notes=[],
        )
        write_json(staging / "job.json", begun)
        progress = Ledger(self.settings.redis_address())

        def report_progress(values: dict[str, Any]) -> None:
            # Nobody may be watching, and a training does not wait for a Redis that is away.
            try:
                progress.progress(self.claim, values)
            except QuartetError as error:
                log.debug("progress was not sent: %s", error)

        return Run(
            spec=self.record.spec, folder=staging, settings=self.settings, report_progress=report_progress
        )

    def _perform(self, run: Run) -> Outcome:
        spec = run.spec
        try:
            run.sources = self._sources()
            run.check_stop()
            self._take_checkpoint(run)
            if run.checkpoint.exists():
                self.ledger.tell(self.claim, _going_on_from(run))
            if not loaded():
                run.progress(force=True, stage="loading TensorFlow")
                load_keras()
            task = import_module(f"worker.tasks.{spec.model}")
            gpu.prepare()
            self.ledger.tell(self.claim, _computing_on(gpu.describe()))
            run.progress(force=True, stage="preparing")
            return Outcome("succeeded", getattr(task, spec.action)(run))
        except Cancelled:
            return Outcome("cancelled")
        except (LeaseLost, RedisUnreachable):
            raise
        except QuartetError as error:
            log.error("%s", error)
            return Outcome("failed", error=str(error))
        except Exception as error:
            forget()
            log.error("%s", traceback.format_exc())
            return Outcome("failed", error=sentence(error, self._volume_of(error)))

    def _take_checkpoint(self, run: Run) -> None:
        """A job that continues another starts from that one's checkpoint, if it left one."""
        before = self.results.find(self.record.continues) if self.record.continues else None
        if before is not None and (before.path / CHECKPOINT).exists() and not run.checkpoint.exists():
            before.check()
            with (before.path / CHECKPOINT).open("rb") as old, whole_file(run.checkpoint) as new:
                shutil.copyfileobj(old, new)

    def _sources(self) -> dict[str, JobFolder]:
        """The finished trainings this job reads, their files checked against their manifests."""
        found = {}
        for name, (job_id, model) in self.record.spec.needs().items():
            folder = self.results.find(job_id)
            if folder is None:
                raise InvalidData(f"{name}: job {job_id} has no folder in {self.results.root}")
            spec, state = folder.job["spec"], folder.job["state"]
            if (spec["model"], spec["action"], state) != (model, "train", "succeeded"):
                kind = f"{spec['model']} {spec['action']} that {state}"
                raise InvalidData(
                    f"{name}: job {job_id} is a {kind}; allowed: a training of {model} that succeeded"
                )
            folder.check()
            found[name] = folder
        return found

    def _conclude(self, run: Run, outcome: Outcome) -> None:
        """Write what the folder lacks, publish it, and tell the ledger."""
        run.progress(force=True, stage="making the report")
        try:
            try:
                folder, headline = self._publish(run, outcome)
            except (LeaseLost, RedisUnreachable, OSError):
                raise
            except Exception as error:
                # The task is well but its report is not: the job says so, with what there is.
                with log_into(self.staging / "log.txt"):
                    log.error("%s", traceback.format_exc())
                outcome = Outcome(
                    "failed", outcome.metrics, f"the report could not be made: {sentence(error)}"
                )
                folder, headline = self._publish(run, outcome)
        except OSError as error:
            self._fail_without_folder(error)
            return
        self.ledger.finish(
            self.claim, outcome.state, error=outcome.error, folder=folder.id, headline=headline
        )
        indexing.update(self.results)

    def _publish(self, run: Run, outcome: Outcome) -> tuple[JobFolder, dict[str, Any] | None]:
        headline = headline_of(run.spec.model, outcome.metrics) if outcome.metrics else None
        if outcome.metrics:
            write_json(self.staging / "metrics.json", dict(outcome.metrics), durable=False)
        self._write_record(run, outcome, headline)
        render(self.staging)
        self.ledger.renew(self.claim, self.settings.lease_seconds)
        return self.results.publish(self.claim.job_id, self.claim.attempt, self.settings.umask), headline

    def _write_record(self, run: Run, outcome: Outcome, headline: dict[str, Any] | None) -> None:
        """Write `job.json`, as it is to be published."""
        finished = time.time()
        end = outcome.state if outcome.error is None else f"{outcome.state}: {outcome.error}"
        last = [{"time": finished * 1000, "text": text} for text in ("published", end)]
        timeline = [*self.ledger.timeline(self.claim.job_id), *last]
        write_json(
            self.staging / "job.json",
            job_record(
                self.record,
                state=outcome.state,
                attempt=self.claim.attempt,
                finished=finished,
                timeline=timeline,
                data=run.data,
                notes=run.notes,
                headline=headline,
                error=outcome.error,
                log_end=log_end(self.staging / "log.txt") if outcome.error else None,
            ),
        )

    def _fail_without_folder(self, error: OSError) -> None:
        """The results volume takes no folder: the ledger's word is what is left.

        The checkpoint stays in staging; the sweeper publishes it with the failure when the volume takes
        a folder again.
        """
        with contextlib.suppress(OSError):
            keep_checkpoint_alone(self.staging)
        self.ledger.finish(self.claim, "failed", error=sentence(error, self.results.root))

    def _volume_of(self, error: Exception) -> Path | None:
        """The results volume, unless the error names a file elsewhere: a full disk names none."""
        name = error.filename if isinstance(error, OSError) else None
        root = self.results.root
        return root if not isinstance(name, (str, os.PathLike)) or Path(name).is_relative_to(root) else None

    def _give_up(self, asked: str) -> None:
        """The task was asked to stop and does not: end this process; Celery starts another.

        The job is concluded here, with what its folder has by now; one to be handed back goes on
        elsewhere from its last checkpoint; one that another attempt holds is left to it.
        """
        log.warning("job %s does not stop by itself; its process ends", self.claim.job_id)
        # Whatever the stuck task holds, a lock that this thread needs for one: the process ends.
        end = threading.Timer(GIVE_UP_SECONDS, os._exit, [1])
        end.daemon = True
        end.start()
        try:
            if asked == LOST:
                return
            if asked == "hand back":
                self.ledger.hand_back(self.claim, f"{self.record.worker} is shutting down")
            elif self.task is not None:
                self._conclude(self.task, self._stopped(asked))
                indexing.wait()
        finally:
            os._exit(1)


def _going_on_from(run: Run) -> str:
    epoch, step = Checkpoint.position(run.checkpoint)
    if epoch == getattr(run.spec.parameters, "epochs", None):
        return f"goes on from the end of epoch {epoch}"
    return f"goes on from epoch {epoch + 1}" + (f", step {step + 1}" if step else "")


def _computing_on(device: Mapping[str, Any]) -> str:
    return f"computing on {'the GPU ' if device['kind'] == 'gpu' else 'the processor '}{device['name']}"
