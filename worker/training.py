"""Fit with progress, checkpoints and exact resume.

Everything random in a training is a function of (seed, epoch), never of how far a process
got. A checkpoint holds the variables, the position and the history; a training that is
killed at any moment and goes on from its last checkpoint ends with the same bits.
"""

import json
import math
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from jobs.errors import DamagedFolder, JobFailed
from jobs.files import whole_file
from worker.run import Run

Array = NDArray[Any]

SAVE_SECONDS = 1.0
"""Shortest time between the checkpoints of two epochs: an epoch may take less than to write one."""


class Trainable(Protocol):
    """What `fit` drives: one model, its data and its way of making a step."""

    steps: int
    """Steps in one epoch."""

    chunk: int
    """Steps made in one call; a stop is noticed between two calls, so keep a call under a second."""

    def variables(self) -> Sequence[Any]:
        """Everything a step changes, as Keras or TensorFlow variables in a stable order: weights,
        optimizer, carried state."""
        ...

    def begin_epoch(self, epoch: int) -> None:
        """Prepare the order, the noise, … of epoch `epoch` (counted from 0) from (seed, epoch) alone."""
        ...

    def make_steps(self, first: int, count: int) -> None:
        """Make steps `first` to `first + count - 1` of the current epoch."""
        ...

    def measure(self) -> dict[str, float]:
        """Losses after an epoch, for the history: `loss` and `validation_loss` at least."""
        ...


@dataclass
class Checkpoint:
    """A training's position: epochs and steps done, the history so far, all variables."""

    epoch: int = 0
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    variables: list[Array] = field(default_factory=list)
    best_weights: list[Array] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write it whole or not at all, as plain arrays without pickles."""
        position = json.dumps(
            {
                "epoch": self.epoch,
                "step": self.step,
                "columns": list(self.history[0]) if self.history else [],
                "variables": len(self.variables),
                "best_weights": len(self.best_weights),
            }
        )
        arrays = {f"variable_{index}": array for index, array in enumerate(self.variables)}
        arrays |= {f"best_weight_{index}": array for index, array in enumerate(self.best_weights)}
        # As an array: a long history as text would make each epoch slower than the one before.
        history = np.array([list(row.values()) for row in self.history], np.float64)
        with whole_file(path) as file:
            np.savez(file, allow_pickle=False, position=np.array(position), history=history, **arrays)

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read what `write` wrote.

        Raises:
            DamagedFolder: it is not a checkpoint, or it holds pickles.
        """
        with _stored(path) as stored:
            position = json.loads(str(stored["position"]))
            return cls(
                epoch=int(position["epoch"]),
                step=int(position["step"]),
                history=[_row(position["columns"], values) for values in stored["history"].tolist()],
                variables=[stored[f"variable_{index}"] for index in range(position["variables"])],
                best_weights=[stored[f"best_weight_{index}"] for index in range(position["best_weights"])],
            )

    @staticmethod
    def position(path: Path) -> tuple[int, int]:
        """Epochs done, and steps of the next one, of a checkpoint that is not loaded.

        Raises:
            DamagedFolder: it is not a checkpoint, or it holds pickles.
        """
        with _stored(path) as stored:
            position = json.loads(str(stored["position"]))
            return int(position["epoch"]), int(position["step"])

    def restore(self, path: Path, variables: Sequence[Any]) -> None:
        """Give `variables` the values of this checkpoint, which was read from `path`.

        Raises:
            DamagedFolder: it belongs to another training; no variable was changed.
        """
        mine = [(tuple(array.shape), str(array.dtype)) for array in self.variables]
        wanted = [(tuple(variable.shape), _dtype(variable)) for variable in variables]
        if mine != wanted:
            raise DamagedFolder(f"{path}: this checkpoint belongs to another training: its arrays do not fit")
        for variable, value in zip(variables, self.variables, strict=True):
            variable.assign(value)


def fit(
    run: Run,
    trainable: Trainable,
    epochs: int,
    *,
    model: Any = None,
    keep_best: str | None = None,
    history_file: str = "history.csv",
) -> list[dict[str, float]]:
    """Train up to `epochs` epochs, from the checkpoint in the run's folder if there is one.

    Writes the checkpoint after each epoch, though hardly more often than once a second, and, within an
    epoch, each `checkpoint_seconds`; and the history when it ends. With `keep_best` (a column of the
    history, lower is better) `model` ends with its weights after the best epoch; without it, with those
    after the last. A job that trains something on the way gives another `history_file`, for the report
    draws `history.csv` as the job's own.

    Returns:
        The history: a row an epoch with `epoch` (counted from 1), what `measure` gave, and `seconds`.

    Raises:
        Cancelled: the run was asked to stop; the checkpoint has everything up to the last step.
        JobFailed: a loss is not a finite number any more.
        DamagedFolder: the checkpoint cannot be read, or belongs to another training.
    """
    position = Checkpoint()
    if run.checkpoint.exists():
        position = Checkpoint.read(run.checkpoint)
        position.restore(run.checkpoint, trainable.variables())

    def save() -> None:
        position.variables = [np.asarray(variable) for variable in trainable.variables()]
        position.write(run.checkpoint)

    saved, told = time.monotonic(), False
    while position.epoch < epochs:
        epoch_began = time.monotonic()
        trainable.begin_epoch(position.epoch)
        while position.step < trainable.steps:
            if run.stop.is_set():
                save()
                _write_history(run, history_file, position.history)
                run.check_stop()
            # The first step by itself: whoever watches sees at once that it has begun.
            count = min(trainable.chunk if told else 1, trainable.steps - position.step)
            trainable.make_steps(position.step, count)
            position.step += count
            _tell(run, position, epochs, trainable.steps, force=not told)
            told = True
            if time.monotonic() - saved >= run.settings.checkpoint_seconds:
                save()
                saved = time.monotonic()
        row = {"epoch": position.epoch + 1, **trainable.measure()}
        _check_finite(row)
        if keep_best is not None and all(row[keep_best] < before[keep_best] for before in position.history):
            position.best_weights = [np.asarray(weight) for weight in model.weights]
        position.history.append(row | {"seconds": round(time.monotonic() - epoch_began, 4)})
        position.epoch, position.step = position.epoch + 1, 0
        is_last = position.epoch == epochs
        if is_last or time.monotonic() - saved >= SAVE_SECONDS:
            save()
            saved = time.monotonic()
        _tell(run, position, epochs, trainable.steps, force=is_last)
    _write_history(run, history_file, position.history)
    if keep_best is not None:
        model.set_weights(position.best_weights)
    return position.history


@contextmanager
def _stored(path: Path) -> Iterator[Any]:
    """The arrays of a checkpoint; whatever is wrong with it becomes one sentence."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            yield stored
    except (LookupError, ValueError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error) as error:
        raise DamagedFolder(f"{path}: this is not a checkpoint of Quartet ({type(error).__name__})") from None


def _dtype(variable: Any) -> str:
    """The name of a variable's type: Keras' is text, TensorFlow's an object."""
    return str(getattr(variable.dtype, "name", variable.dtype))


def _row(columns: list[str], values: list[float]) -> dict[str, float]:
    row = dict(zip(columns, values, strict=True))
    return row | {"epoch": int(row["epoch"])}


def _tell(run: Run, position: Checkpoint, epochs: int, steps: int, force: bool = False) -> None:
    latest = position.history[-1] if position.history else {}
    losses = {name: value for name, value in latest.items() if name not in ("epoch", "seconds")}
    run.progress(force=force, epoch=position.epoch, epochs=epochs, step=position.step, steps=steps, **losses)


def _check_finite(row: dict[str, float]) -> None:
    for name, value in row.items():
        if not math.isfinite(value):
            raise JobFailed(
                f"the {name.replace('_', ' ')} of epoch {row['epoch']} is {value}: the training diverged; "
                "a smaller --learning-rate may help"
            )


def _write_history(run: Run, name: str, history: list[dict[str, float]]) -> None:
    if history:
        header = list(history[0])
        run.write_table(name, header, [[row[column] for column in header] for row in history])
