"""Writes training jobs as runs of TensorBoard, those that run as far as they have got.

What a running job has trained so far is in its checkpoint: in its staging folder, or in the object store
where another host runs it. Unlike its progress messages, which are few and soon forgotten, that is complete.
"""

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.errors import DamagedFolder, InvalidJob
from jobs.store.job_folder import CHECKPOINT, JobFolder
from jobs.store.results import Results
from jobs.store.saved_records import read_saved, saved_ids
from jobs.store.staging import progress_of_staging
from jobs.wording import shown
from worker.dashboards.event_run import EventRun, WithinEpoch
from worker.dashboards.hparams import end_summary, metric_of, start_summary, trial_of
from worker.training.checkpoint import Checkpoint
from worker.training.history_files import LOSS_WITHIN_EPOCHS

log = logging.getLogger(__name__)

DOWNLOAD_SECONDS = 30.0
"""Between two downloads of a job's checkpoint from the object store: it has all variables of the network."""

_WRONG = (DamagedFolder, InvalidJob, ArithmeticError, LookupError, TypeError, ValueError)
"""What the files of a job raise that somebody changed."""


class JobRuns:
    """The runs of all jobs, each called `<model>/<job id>`."""

    def __init__(self, results: Results, events: Path) -> None:
        """Nothing is written yet.

        Args:
            results: where the jobs are.
            events: the folder that TensorBoard reads.
        """
        self._results, self._events = results, events
        self._done: set[str] = set()
        self._open: dict[str, EventRun] = {}
        self._seen: dict[str, tuple[int, ...]] = {}
        self._downloaded: dict[str, float] = {}

    def write_new(self) -> None:
        """Write what has happened since the last call.

        Raises:
            QuartetError: the object store does not answer.
            OSError: the results folder cannot be read, or the runs cannot be written.
        """
        self._results.sync()
        for job_id in self._results.ids():
            folder = None if job_id in self._done else self._results.find(job_id)
            if folder is not None:
                self._done.add(job_id)
                self._finish(folder)
        staged = self._results.staged_by_job()
        for job_id in (each for each in staged.keys() - self._done if staged[each]):
            self._follow(job_id, max(staged[job_id], key=progress_of_staging))
        if self._results.checkpoints is not None:
            self._follow_elsewhere(staged.keys() | self._done)

    def _finish(self, folder: JobFolder) -> None:
        """Write what a run lacks of a published job, and close it."""
        try:
            job, history = folder.job, folder.history
            about = _About.of(job)
            trial = trial_of(about.sweep)
            if history or trial:
                ended = datetime.fromisoformat(job["times"]["finished"]).timestamp()
                run = self._run(folder.id, about)
                run.add_training(history, _points_in(folder), ended)
                if trial is not None:
                    metric = metric_of(self._results, trial[0])
                    if metric is not None and metric in folder.metrics:
                        tag = f"result/{metric.replace('_', ' ')}"
                        run.add_number(tag, folder.metrics[metric], len(history), ended)
                    run.add_summary(end_summary(str(job["state"]), ended), len(history), ended)
        except _WRONG as error:
            log.warning("job %s: cannot show its history (%s)", folder.id, error)
        if folder.id in self._open:
            self._open.pop(folder.id).close()
        self._seen.pop(folder.id, None)
        self._downloaded.pop(folder.id, None)

    def _follow(self, job_id: str, staging: Path) -> None:
        """Write what a run lacks of a job that has not ended, which may end at this moment."""
        with suppress(OSError, *_WRONG):
            about = (staging / CHECKPOINT).stat()
            stamp = (about.st_ino, about.st_size, about.st_mtime_ns)
            if self._seen.get(job_id) != stamp:
                self._add(job_id, _About.of(JobFolder(staging).job), staging / CHECKPOINT)
                self._seen[job_id] = stamp

    def _follow_elsewhere(self, known: set[str]) -> None:
        """Do the same for jobs that other hosts run, whose checkpoints are in the object store."""
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
            return
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


def _points_in(folder: JobFolder) -> list[WithinEpoch]:
    """The losses within epochs that a job published."""
    with suppress(DamagedFolder):
        rows = folder.numbers(LOSS_WITHIN_EPOCHS)
        return [WithinEpoch(row["epoch"], int(row["step"]), row["loss"]) for row in rows]
    return []
