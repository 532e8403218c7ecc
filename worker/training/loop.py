"""Fits a model with progress, checkpoints and exact resume.

Everything random in a training run is a function of (seed, epoch), never of how far a process got. A
checkpoint holds the variables, the position and the history; a run that is killed at any moment and resumed
from its last checkpoint ends with the same bits. Ours, because Keras' `BackupAndRestore` restores
neither the order of the data nor the history, so that a resumed run ends with other bits.
"""

import logging
import math
import os
import time
from contextlib import suppress
from typing import Any

import numpy as np

from jobs.errors import DamagedFolder, JobFailed
from jobs.store.job_folder import HISTORY
from worker.context import JobContext
from worker.training.checkpoint import Checkpoint
from worker.training.history_files import write_history
from worker.training.loss_points import LossPoint, is_mark, latest_of, next_mark, with_point
from worker.training.stopwatch import Stopwatch
from worker.training.trainable import Trainable

log = logging.getLogger(__name__)

SAVE_SECONDS = 1.0
"""Shortest time between the checkpoints of two epochs: writing one may take longer than an epoch."""

LOG_SECONDS = 1.0
"""Shortest time between two epochs that are logged, except for the last."""

NOT_LOSSES = ("epoch", "learning_rate", "seconds")
"""Columns of a history that are no loss."""

_SMALLER = "try a smaller --learning-rate"


def fit(
    context: JobContext,
    trainable: Trainable,
    epochs: int,
    *,
    model: Any = None,
    keep_best: str | None = None,
    history_file: str = HISTORY,
) -> list[dict[str, float]]:
    """Train up to `epochs` epochs, from the checkpoint in the job's folder if there is one.

    A checkpoint is written after each epoch, though no more than about once a second, and every
    `checkpoint_seconds` within an epoch. The history is written at the end.

    Args:
        context: of the job; its checkpoint, progress, settings and stop are used.
        trainable: what is trained.
        epochs: how many in all, those of the checkpoint included.
        model: the Keras model that `keep_best` is about.
        keep_best: a column of the history, lower is better: `model` ends with its weights after the best
            epoch. Without it, it ends with those after the last.
        history_file: where the history is written. The report draws `history.csv` as the job's own, so a job
            that trains something else on the way gives another name.

    Returns:
        The history: a row for each epoch with `epoch` (counted from 1), what `measure` returned,
        `learning_rate` where the trainable has one, and `seconds`: what preparing the epoch and making its
        steps took in all attempts, without compiling, measuring, and writing checkpoints.

    Raises:
        Cancelled: a stop was requested; the checkpoint has everything up to the last step.
        JobFailed: a loss or a weight is no longer a finite number. Nothing of the kind is ever saved, so
            the checkpoint stays that of before.
        DamagedFolder: the checkpoint cannot be read, or belongs to another training job.
    """
    run = _TrainingRun(context, trainable, epochs, history_file)
    if keep_best is not None:
        run.check_best(model, keep_best)
    while run.position.epoch < epochs:
        run.train_epoch(model, keep_best)
    run.write_history()
    if keep_best is not None:
        model.set_weights(run.position.best_weights)
    return run.position.history


class _TrainingRun:
    """One call of `fit`: where it is, and when it last saved."""

    def __init__(self, context: JobContext, trainable: Trainable, epochs: int, history_file: str) -> None:
        self._context, self._trainable = context, trainable
        self._epochs, self._history_file = epochs, history_file
        self._compiled = self._reported = False
        self.position = Checkpoint()
        if os.path.lexists(context.checkpoint):
            self.position = Checkpoint.read(context.checkpoint, trainable.variables())
            if len(self.position.history) != self.position.epoch or self.position.step > trainable.steps:
                raise self._of_another_job("its position does not fit")
            self.position.restore(context.checkpoint, trainable.variables())
        self._saved = time.monotonic()
        self._logged = -math.inf
        self._stopwatch = Stopwatch(self.position.seconds)

    def check_best(self, model: Any, keep_best: str) -> None:
        """Refuse a checkpoint whose best weights are not those of the model."""
        position = self.position
        shapes = [tuple(weight.shape) for weight in model.weights] if position.history else []
        if [weight.shape for weight in position.best_weights] != shapes or any(
            keep_best not in row for row in position.history[:1]
        ):
            raise self._of_another_job("its best weights do not fit")

    def _of_another_job(self, why: str) -> DamagedFolder:
        return DamagedFolder(
            f"{self._context.checkpoint}: this checkpoint belongs to another training job: {why}"
        )

    def train_epoch(self, model: Any, keep_best: str | None) -> None:
        """Make the remaining steps of an epoch, measure, and move on to the next one."""
        position = self.position
        self._begin_epoch()
        while position.step < self._trainable.steps:
            self._check_stop()
            self._compile()
            self._make_steps()
            self._save_every(self._context.settings.checkpoint_seconds)
        row = {"epoch": position.epoch + 1, **self._trainable.measure()}
        rate = getattr(self._trainable, "learning_rate", None)
        if rate is not None:
            row["learning_rate"] = rate
        _check_finite(row)
        if keep_best is not None and all(row[keep_best] < before[keep_best] for before in position.history):
            position.best_weights = [np.asarray(weight) for weight in model.weights]
        self._append(row | {"seconds": round(self._stopwatch.seconds, 4)})
        position.epoch, position.step, self._stopwatch = position.epoch + 1, 0, Stopwatch()
        is_last = position.epoch == self._epochs
        self._save_every(0 if is_last else SAVE_SECONDS)
        self._report(force=is_last)
        self._log(is_last)

    def _append(self, row: dict[str, float]) -> None:
        """Add an epoch to the history; a run that an earlier version began keeps that version's columns."""
        history = self.position.history
        columns = history[0] if history else row
        if not columns.keys() <= row.keys():
            raise self._of_another_job("its history does not fit")
        history.append({name: row[name] for name in columns})

    def write_history(self) -> None:
        """Write the history so far into the job's folder, if there is any."""
        write_history(self._context.folder, self.position, self._history_file)

    def _begin_epoch(self) -> None:
        """Prepare an epoch; that it is prepared again after an interruption is no part of its time."""
        with (self._stopwatch if self.position.step == 0 else Stopwatch()).running():
            self._trainable.begin_epoch(self.position.epoch)

    def _compile(self) -> None:
        """Make a step and undo it, so that no step that counts, and no time, includes compiling."""
        if self._compiled:
            return
        before = [np.array(variable) for variable in self._trainable.variables()]
        self._trainable.make_steps(self.position.step, 1)
        for variable, value in zip(self._trainable.variables(), before, strict=True):
            variable.assign(value)
        self._compiled = True

    def _make_steps(self) -> None:
        """Make the steps of one call; the very first step is a call of its own, so progress shows at once.

        No call goes beyond a step after which the loss is recorded, so that the points are the same however
        often the run was interrupted.
        """
        position, steps = self.position, self._trainable.steps
        watched = hasattr(self._trainable, "recent_loss")
        last = next_mark(position.epoch, position.step, steps) if watched else steps
        count = min(self._trainable.chunk if self._reported else 1, last - position.step)
        with self._stopwatch.running():
            self._trainable.make_steps(position.step, count)
            np.asarray(self._trainable.variables()[0])  # a GPU may still be computing
        position.step += count
        if watched and is_mark(position.epoch, position.step, steps):
            self._record_loss(self._trainable)
        self._report(force=not self._reported)
        self._reported = True

    def _record_loss(self, trainable: Any) -> None:
        position, steps = self.position, self._trainable.steps
        before = latest_of(position.loss_points, position.epoch, steps)
        loss, total = trainable.recent_loss(before.step, position.step, before.total)
        _check_finite({"epoch": position.epoch + 1, "loss": loss})
        latest = LossPoint(position.epoch, position.step, steps, loss, total)
        position.loss_points = with_point(position.loss_points, latest)

    def _check_stop(self) -> None:
        """Save and leave if a stop was requested.

        Of a training run that has diverged, the last sound checkpoint stays: the next attempt comes from
        there to the same end, and then says so.
        """
        if self._context.stop.is_set():
            with suppress(JobFailed):
                self._save()
            self.write_history()
            self._context.check_stop()

    def _save_every(self, seconds: float) -> None:
        """Save if the last checkpoint is at least this old."""
        if time.monotonic() - self._saved >= seconds:
            self._save()
            self._saved = time.monotonic()

    def _save(self) -> None:
        self.position.seconds = self._stopwatch.seconds if self.position.step else 0.0
        self.position.variables = [np.asarray(variable) for variable in self._trainable.variables()]
        diverged = self.position.not_finite()
        if diverged is not None:
            epoch = self.position.epoch + (self.position.step > 0)
            raise JobFailed(
                f"the {diverged} are not finite numbers in epoch {epoch}: training diverged", hint=_SMALLER
            )
        self.position.write(self._context.checkpoint)

    def _log(self, is_last: bool) -> None:
        """Log the epoch that ended, unless another one was logged a moment ago."""
        if is_last or time.monotonic() - self._logged >= LOG_SECONDS:
            self._logged, row = time.monotonic(), self.position.history[-1]
            values = (f"{name.replace('_', ' ')} {row[name]:.4g}" for name in row if name != "epoch")
            log.info("epoch %d/%d: %s", row["epoch"], self._epochs, ", ".join(values))

    def _report(self, force: bool) -> None:
        position = self.position
        latest: dict[str, float] = position.history[-1] if position.history else {}
        if not latest and position.loss_points:
            latest = {"loss": position.loss_points[-1].loss}
        losses = {name: value for name, value in latest.items() if name not in NOT_LOSSES}
        self._context.progress(
            force=force,
            epoch=position.epoch,
            epochs=self._epochs,
            step=position.step,
            steps=self._trainable.steps,
            **losses,
            **self._pace(),
        )

    def _pace(self) -> dict[str, float]:
        """The seconds of the last epoch, and of a step of this one or else of that."""
        position, steps = self.position, self._trainable.steps
        found = {}
        if position.history and "seconds" in position.history[-1]:
            found["epoch_seconds"] = position.history[-1]["seconds"]
            found["step_seconds"] = found["epoch_seconds"] / steps
        if position.step:
            found["step_seconds"] = self._stopwatch.seconds / position.step
        return {name: round(seconds, 6) for name, seconds in found.items()}


def _check_finite(row: dict[str, float]) -> None:
    for name, value in row.items():
        if not math.isfinite(value):
            raise JobFailed(
                f"the {name.replace('_', ' ')} of epoch {row['epoch']} is {value}: training diverged",
                hint=_SMALLER,
            )
