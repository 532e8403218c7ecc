"""Fits a model with progress, checkpoints and exact resume.

Everything random in a training run is a function of (seed, epoch), never of how far a process got. A
checkpoint holds the variables, the position and the history; a run that is killed at any moment and resumed
from its last checkpoint ends with the same bits. Ours, because Keras' `BackupAndRestore` restores
neither the order of the data nor the history, so that a resumed run ends with other bits.
"""

import math
import time
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from jobs.errors import JobFailed
from worker.context import JobContext
from worker.training.checkpoint import Checkpoint

SAVE_SECONDS = 1.0
"""Shortest time between the checkpoints of two epochs: writing one may take longer than an epoch."""


class Trainable(Protocol):
    """What `fit` drives: a model, its data and its way of making a step."""

    steps: int
    """Steps in one epoch."""

    chunk: int
    """Steps made in one call. A stop is noticed between two calls, so keep a call under a second."""

    def variables(self) -> Sequence[Any]:
        """Return all that a step changes, as Keras or TensorFlow variables in a stable order.

        Weights, the optimizer's variables, carried state.
        """
        ...

    def begin_epoch(self, epoch: int) -> None:
        """Prepare the order, the noise, … of an epoch (counted from 0) from (seed, epoch) alone."""
        ...

    def make_steps(self, first: int, count: int) -> None:
        """Make steps `first` to `first + count - 1` of the current epoch."""
        ...

    def measure(self) -> dict[str, float]:
        """Return the losses after an epoch: `loss` and `validation_loss` at least."""
        ...


def fit(
    context: JobContext,
    trainable: Trainable,
    epochs: int,
    *,
    model: Any = None,
    keep_best: str | None = None,
    history_file: str = "history.csv",
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
        The history: a row for each epoch with `epoch` (counted from 1), what `measure` returned, and
        `seconds`.

    Raises:
        Cancelled: a stop was requested; the checkpoint has everything up to the last step.
        JobFailed: a loss is no longer a finite number.
        DamagedFolder: the checkpoint cannot be read, or belongs to another training job.
    """
    run = _TrainingRun(context, trainable, epochs, history_file)
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
        self._reported = False
        self.position = Checkpoint()
        if context.checkpoint.exists():
            self.position = Checkpoint.read(context.checkpoint)
            self.position.restore(context.checkpoint, trainable.variables())
        self._saved = time.monotonic()

    def train_epoch(self, model: Any, keep_best: str | None) -> None:
        """Make the remaining steps of an epoch, measure, and move on to the next one."""
        position = self.position
        began = time.monotonic()
        self._trainable.begin_epoch(position.epoch)
        while position.step < self._trainable.steps:
            self._check_stop()
            self._make_steps()
            self._save_every(self._context.settings.checkpoint_seconds)
        row = {"epoch": position.epoch + 1, **self._trainable.measure()}
        _check_finite(row)
        if keep_best is not None and all(row[keep_best] < before[keep_best] for before in position.history):
            position.best_weights = [np.asarray(weight) for weight in model.weights]
        position.history.append(row | {"seconds": round(time.monotonic() - began, 4)})
        position.epoch, position.step = position.epoch + 1, 0
        is_last = position.epoch == self._epochs
        self._save_every(0 if is_last else SAVE_SECONDS)
        self._report(force=is_last)

    def write_history(self) -> None:
        """Write the history so far into the job's folder, if there is any."""
        history = self.position.history
        if history:
            header = list(history[0])
            rows = [[row[column] for column in header] for row in history]
            self._context.write_table(self._history_file, header, rows)

    def _make_steps(self) -> None:
        """Make the steps of one call; the very first step is a call of its own, so progress shows at once."""
        position, steps = self.position, self._trainable.steps
        count = min(self._trainable.chunk if self._reported else 1, steps - position.step)
        self._trainable.make_steps(position.step, count)
        position.step += count
        self._report(force=not self._reported)
        self._reported = True

    def _check_stop(self) -> None:
        """Save and leave if a stop was requested."""
        if self._context.stop.is_set():
            self._save()
            self.write_history()
            self._context.check_stop()

    def _save_every(self, seconds: float) -> None:
        """Save if the last checkpoint is at least this old."""
        if time.monotonic() - self._saved >= seconds:
            self._save()
            self._saved = time.monotonic()

    def _save(self) -> None:
        self.position.variables = [np.asarray(variable) for variable in self._trainable.variables()]
        self.position.write(self._context.checkpoint)

    def _report(self, force: bool) -> None:
        position = self.position
        latest = position.history[-1] if position.history else {}
        losses = {name: value for name, value in latest.items() if name not in ("epoch", "seconds")}
        self._context.progress(
            force=force,
            epoch=position.epoch,
            epochs=self._epochs,
            step=position.step,
            steps=self._trainable.steps,
            **losses,
        )


def _check_finite(row: dict[str, float]) -> None:
    for name, value in row.items():
        if not math.isfinite(value):
            raise JobFailed(
                f"the {name.replace('_', ' ')} of epoch {row['epoch']} is {value}: training diverged",
                hint="try a smaller --learning-rate",
            )
