"""Writes training jobs as runs of TensorBoard, those that run as far as they have got.

What a running job has trained so far is in its checkpoint: in its staging folder, or in the object store
where another host runs it. Unlike its progress messages, which are few and soon forgotten, that is complete.
"""

import logging
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.errors import DamagedFolder, InvalidJob, QuartetError
from jobs.store.job_folder import CHECKPOINT, LOSS_WITHIN_EPOCHS, JobFolder
from jobs.store.results import Results
from jobs.store.saved_records import read_saved, saved_ids
from jobs.store.staging import STAGING, job_of_staging, progress_of_staging
from jobs.wording import shown
from worker.dashboards.event_run import EventRun, WithinEpoch
from worker.dashboards.hparams import end_summary, metric_of, start_summary, trial_of
from worker.training.checkpoint import Checkpoint

log = logging.getLogger(__name__)

DOWNLOAD_SECONDS = 30.0
"""Between two downloads of a job's checkpoint from the object store: it has all variables of the network."""

MOVING_SECONDS = 10.0
"""For so long a job may be in no place: it moves from one attempt to the next, or to its published folder."""

_WRONG = (DamagedFolder, InvalidJob, ArithmeticError, LookupError, TypeError, ValueError)
"""What the files of a job raise that somebody changed."""


class JobRuns:
    """The runs of all jobs, each called `<model>/<job id>`."""

    def __init__(self, results: Results, events: Path) -> None:
        """Make the folder; nothing is written there yet.

        Args:
            results: where the jobs are.
            events: the folder that TensorBoard reads.
        """
        self._results, self._events = results, events
        events.mkdir(parents=True, exist_ok=True)
        self._done: set[str] = set()
        self._open: dict[str, EventRun] = {}
        self._folders: dict[str, Path] = {}
        self._missed: dict[str, float] = {}
        self._metrics: dict[str, str | None] = {}
        self._seen: dict[str, tuple[int, ...]] = {}
        self._downloaded: dict[str, float] = {}

    def write_new(self) -> None:
        """Write what has happened since the last call, in spite of what cannot be read or written.

        Raises:
            QuartetError: the object store does not answer.
            OSError: the results folder cannot be read, or the runs cannot be written.
        """
        errors: list[QuartetError | OSError] = []
        self._metrics.clear()
        shared = self._results.checkpoints is not None
        try:
            self._results.sync()
        except (QuartetError, OSError) as error:  # what this host knows already is shown all the same
            errors.append(error)
            shared = False
        published = self._results.ids()
        for job_id in (each for each in published if each not in self._done):
            folder = self._results.here(job_id)
            try:
                if folder is not None:
                    self._finish(folder)
                    self._done.add(job_id)
            except OSError as error:  # the next call tries again
                errors.append(error)
            except QuartetError as error:  # the object store does not answer, nor would it for the next job
                errors.append(error)
                break
        staged = _staged(self._results)
        for job_id in staged.keys() - self._done:
            self._follow(job_id, staged[job_id])
        elsewhere = self._follow_elsewhere(staged.keys() | self._done) if shared else set()
        if errors:
            raise errors[0]
        self._forget(self._folders.keys() | self._done, {*published, *staged, *elsewhere})

    def _forget(self, known: set[str], present: set[str]) -> None:
        """Remove the runs of jobs that were deleted."""
        now = time.monotonic()
        self._missed = {job_id: self._missed.get(job_id, now) for job_id in known - present}
        for job_id in [each for each, since in self._missed.items() if now - since > MOVING_SECONDS]:
            if job_id in self._folders:  # an evaluation has no run
                shutil.rmtree(self._folders.pop(job_id), ignore_errors=True)
            self._done.discard(job_id)
            for remembered in (self._open, self._seen, self._downloaded):
                remembered.pop(job_id, None)

    def _finish(self, folder: JobFolder) -> None:
        """Write what a run lacks of a published job."""
        try:
            job, history = folder.job, folder.history
            about = _About.of(job)
            trial = trial_of(about.sweep)
            if history or trial:
                ended = datetime.fromisoformat(job["times"]["finished"]).timestamp()
                run = self._run(folder.id, about)
                run.add_training(history, _points_in(folder), ended)
                if trial is not None:
                    metric = self._metric_of(trial[0])
                    if metric is not None and metric in folder.metrics:
                        tag = f"result/{metric.replace('_', ' ')}"
                        run.add_number(tag, folder.metrics[metric], len(history), ended)
                    run.add_summary(end_summary(str(job["state"]), ended), len(history), ended)
                    run.write()
        except _WRONG as error:
            log.warning("job %s: cannot show its history (%s)", folder.id, error)
        for remembered in (self._open, self._seen, self._downloaded):
            remembered.pop(folder.id, None)

    def _metric_of(self, sweep: str) -> str | None:
        """As `hparams.metric_of`; an object store is asked once for all trials that have ended."""
        if sweep not in self._metrics:
            self._metrics[sweep] = metric_of(self._results, sweep)
        return self._metrics[sweep]

    def _follow(self, job_id: str, staging: Path) -> None:
        """Write what a run lacks of a job that has not ended, which may end at this moment."""
        with suppress(OSError, *_WRONG):
            about = (staging / CHECKPOINT).stat()
            stamp = (about.st_ino, about.st_size, about.st_mtime_ns)
            if self._seen.get(job_id) != stamp:
                self._add(job_id, _About.of(JobFolder(staging).job), staging / CHECKPOINT)
                self._seen[job_id] = stamp

    def _follow_elsewhere(self, known: set[str]) -> set[str]:
        """Do the same for jobs that other hosts run, whose checkpoints are in the object store: these."""
        checkpoints = self._results.checkpoints
        assert checkpoints is not None
        furthest = {job: at for job, at in checkpoints.positions().items() if job not in known}
        due = time.monotonic() - DOWNLOAD_SECONDS
        fresh = [
            job_id
            for job_id, position in furthest.items()
            if self._seen.get(job_id) != position and self._downloaded.get(job_id, due) <= due
        ]
        if not fresh:
            return set(furthest)
        saved_ids(self._results)  # brings the records
        fetched = self._events.parent / CHECKPOINT
        for job_id in fresh:
            with suppress(*_WRONG):
                record = read_saved(self._results, job_id)
                self._downloaded[job_id] = time.monotonic()
                if record is not None and checkpoints.take(job_id, fetched, None):
                    about = _About(record.stored().model, record.sweep, (record.started or 0) / 1000)
                    self._add(job_id, about, fetched)
                    self._seen[job_id] = furthest[job_id]
        return set(furthest)

    def _add(self, job_id: str, about: "_About", checkpoint: Path) -> None:
        history, points = Checkpoint.losses(checkpoint)
        if not history and not points:
            return
        now = checkpoint.stat().st_mtime
        within = [WithinEpoch(each.epochs, each.epoch * each.steps + each.step, each.loss) for each in points]
        self._run(job_id, about).add_training(history, within, now)

    def _run(self, job_id: str, about: "_About") -> EventRun:
        """The run of a job, begun if it has none."""
        if job_id not in self._open:
            if not about.model.isidentifier():
                raise ValueError(f"expected a model's name, got {shown(about.model)}")
            trial = trial_of(about.sweep)
            self._open[job_id] = run = EventRun(self._events / about.model / job_id)
            self._folders[job_id] = run.folder
            if trial is not None:
                run.add_summary(start_summary(*trial, about.started), 0, about.started)
        return self._open[job_id]


@dataclass(frozen=True)
class _About:
    """What a run needs to know of its job; `started` is in seconds since 1970."""

    model: str
    sweep: Any
    started: float

    @classmethod
    def of(cls, job: Mapping[str, Any]) -> "_About":
        """As `job.json` has it."""
        started = datetime.fromisoformat(job["times"]["started"] or job["times"]["submitted"])
        return cls(str(job["spec"]["model"]), job.get("sweep"), started.timestamp())


def _staged(results: Results) -> dict[str, Path]:
    """The staging folder of each job that has got furthest; links stay, unlike in `staged_by_job`."""
    found: dict[str, Path] = {}
    folder = results.root / STAGING
    for path in folder.iterdir() if folder.is_dir() else ():
        job_id = job_of_staging(path)
        if job_id is not None and path.is_dir() and not path.is_symlink():
            found[job_id] = max(found.get(job_id, path), path, key=progress_of_staging)
    return found


def _points_in(folder: JobFolder) -> list[WithinEpoch]:
    """The losses within epochs that a job published."""
    with suppress(DamagedFolder):
        rows = folder.numbers(LOSS_WITHIN_EPOCHS)
        return [WithinEpoch(row["epoch"], int(row["step"]), row["loss"]) for row in rows]
    return []
