"""The checkpoint of a training run: its position, its history and all its variables, as plain arrays.

Ours, because `tf.train.Checkpoint` writes several files, which cannot be replaced atomically, and has no
place for the history.
"""

import json
import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.errors import DamagedFolder
from jobs.store.atomic_files import whole_file
from jobs.store.job_folder import is_finite as is_finite_number
from worker.training.loss_points import LossPoint
from worker.training.plain_arrays import PlainArrays, is_finite, open_arrays

Array = NDArray[Any]

MOST_BYTES = 64 * 2**30
"""Of a checkpoint whose network is not known yet."""

HISTORY_BYTES = 2**28
"""Of a history: a million epochs with thirty columns."""

MOST_LOSS_POINTS = 2**12
"""In a checkpoint that is read; a run has less than a twentieth of it."""

_MOST_POSITION = 2**16
_MOST_COUNT = 2**40


@dataclass
class Checkpoint:
    """How far a training run got.

    Attributes:
        epoch: epochs done.
        step: steps done of the next epoch.
        history: a row for each epoch done.
        variables: as `Trainable.variables` returns them.
        best_weights: of the model after its best epoch; empty where no best epoch is kept.
        seconds: that preparing the next epoch and the steps done of it took, in all attempts.
        loss_points: the training loss within epochs.
    """

    epoch: int = 0
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    variables: list[Array] = field(default_factory=list)
    best_weights: list[Array] = field(default_factory=list)
    seconds: float = 0.0
    loss_points: list[LossPoint] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write it atomically, as plain arrays without pickles.

        Args:
            path: of the file.

        Raises:
            OSError: it cannot be written.
        """
        position = json.dumps(
            {
                "epoch": self.epoch,
                "step": self.step,
                "seconds": self.seconds,
                "columns": list(self.history[0]) if self.history else [],
                "variables": len(self.variables),
                "best_weights": len(self.best_weights),
            }
        )
        arrays = {f"variable_{index}": array for index, array in enumerate(self.variables)}
        arrays |= {f"best_weight_{index}": array for index, array in enumerate(self.best_weights)}
        arrays["loss_points"] = np.array(self.loss_points, np.float64)
        # As an array: a long history as text would make each epoch slower than the one before.
        history = np.array([list(row.values()) for row in self.history], np.float64)
        with whole_file(path) as file:
            np.savez(file, allow_pickle=False, position=np.array(position), history=history, **arrays)

    @classmethod
    def read(cls, path: Path, variables: Sequence[Any] | None = None) -> "Checkpoint":
        """Read what `write` wrote.

        Args:
            path: of the file.
            variables: Keras or TensorFlow variables that it must fit, which is checked before any is read.

        Raises:
            DamagedFolder: it is not a checkpoint, belongs to another training job, holds pickles, or has
                numbers that are not finite.
        """
        most = MOST_BYTES
        if variables is not None:
            # The best weights are at most as large as all variables.
            most = 2 * sum(int(np.prod(variable.shape)) * 16 for variable in variables) + HISTORY_BYTES
        with _open(path, most) as stored:
            position = _Position.read(stored)
            names = [f"variable_{index}" for index in range(position.variables)]
            best = [f"best_weight_{index}" for index in range(position.best_weights)]
            # Earlier versions wrote no loss within epochs.
            if stored.names | {"loss_points"} != {"position", "history", "loss_points", *names, *best}:
                raise ValueError("it has other arrays")
            if variables is not None:
                _check_fit(path, [stored.header(name) for name in names], variables)
            return cls(
                epoch=position.epoch,
                step=position.step,
                history=_history(position, stored.read_finite("history")),
                variables=[stored.read_finite(name) for name in names],
                best_weights=[stored.read_finite(name) for name in best],
                seconds=position.seconds,
                loss_points=_loss_points(stored) if "loss_points" in stored.names else [],
            )

    @staticmethod
    def position(path: Path) -> tuple[int, int]:
        """Read how far a training run got, without its arrays.

        Args:
            path: of the file.

        Returns:
            Epochs done, and steps done of the next one.

        Raises:
            DamagedFolder: it is not a checkpoint, or it holds pickles.
        """
        with _open(path, MOST_BYTES) as stored:
            position = _Position.read(stored)
            return position.epoch, position.step

    @staticmethod
    def losses(path: Path) -> tuple[list[dict[str, float]], list[LossPoint]]:
        """Read how a training run went, without its variables.

        Args:
            path: of the file.

        Returns:
            A row for each epoch done, and the training loss within epochs.

        Raises:
            DamagedFolder: it is not a checkpoint, holds pickles, or has numbers that are not finite.
            OSError: there is no such file, or its volume cannot be read.
        """
        with _open(path, MOST_BYTES) as stored:
            shape, dtype = stored.header("history")
            if math.prod(shape) * dtype.itemsize > HISTORY_BYTES:
                raise ValueError("its history is too large")
            history = _history(_Position.read(stored), stored.read_finite("history"))
            return history, _loss_points(stored) if "loss_points" in stored.names else []

    def not_finite(self) -> str | None:
        """What has NaN or infinities, so that it must not be written; None if nothing has."""
        for what, arrays in (("variables", self.variables), ("best weights", self.best_weights)):
            if not all(map(is_finite, arrays)):
                return what
        return None

    def restore(self, path: Path, variables: Sequence[Any]) -> None:
        """Assign the values of this checkpoint.

        Args:
            path: where it was read from, for the message.
            variables: Keras or TensorFlow variables, in the order in which they were saved.

        Raises:
            DamagedFolder: it belongs to another training job; no variable was changed.
        """
        _check_fit(path, [(array.shape, array.dtype) for array in self.variables], variables)
        for variable, value in zip(variables, self.variables, strict=True):
            variable.assign(value)


class _Position(NamedTuple):
    """What a checkpoint says of itself, as JSON."""

    epoch: int
    step: int
    columns: list[str]
    variables: int
    best_weights: int
    seconds: float

    @classmethod
    def read(cls, stored: PlainArrays) -> "_Position":
        """Read it.

        Raises:
            ValueError: a number is out of range or none.
            LookupError, TypeError, RecursionError: it is something else.
        """
        shape, dtype = stored.header("position")
        if shape != () or dtype.kind != "U" or dtype.itemsize > 4 * _MOST_POSITION:
            raise ValueError("its position is not a text")
        values = {"seconds": 0.0} | json.loads(str(stored.read("position")))  # earlier versions wrote none
        position = cls(*(values[name] for name in cls._fields))
        counts = (position.epoch, position.step, position.variables, position.best_weights)
        columns = position.columns
        if not all(type(count) is int and 0 <= count < _MOST_COUNT for count in counts):
            raise ValueError("its position is out of range")
        if not (is_finite_number(position.seconds) and 0 <= position.seconds < _MOST_COUNT):
            raise ValueError("its time is out of range")
        named = isinstance(columns, list) and all(isinstance(name, str) for name in columns)
        if not named or len(set(columns)) != len(columns):
            raise ValueError("its columns are not names")
        # So many members it cannot have, and their names are made next.
        if max(position.variables, position.best_weights) > len(stored.names):
            raise ValueError("it lacks arrays")
        return position


def _open(path: Path, most_bytes: int) -> AbstractContextManager[PlainArrays]:
    return open_arrays(path, most_bytes, "a checkpoint of Quartet")


def _check_fit(
    path: Path, found: Sequence[tuple[tuple[int, ...], np.dtype[Any]]], variables: Sequence[Any]
) -> None:
    saved = [(shape, str(dtype)) for shape, dtype in found]
    if saved != [(tuple(variable.shape), _dtype(variable)) for variable in variables]:
        raise DamagedFolder(f"{path}: this checkpoint belongs to another training job: its arrays do not fit")


def _dtype(variable: Any) -> str:
    """The name of a variable's dtype, which is text in Keras and an object in TensorFlow."""
    return str(getattr(variable.dtype, "name", variable.dtype))


def _history(position: _Position, table: Array) -> list[dict[str, float]]:
    """The rows of a history, which is empty or has one for each epoch done."""
    if not len(table):
        return []
    columns = position.columns
    if table.dtype != np.float64 or table.shape != (position.epoch, len(columns)):
        raise ValueError("its history has another shape")
    if not np.array_equal(table[:, columns.index("epoch")], np.arange(1, len(table) + 1)):
        raise ValueError("its history lacks epochs")
    rows = (dict(zip(columns, values, strict=True)) for values in table.tolist())
    return [row | {"epoch": int(row["epoch"])} for row in rows]


def _loss_points(stored: PlainArrays) -> list[LossPoint]:
    shape, dtype = stored.header("loss_points")
    if shape == (0,):
        return []
    if dtype != np.float64 or len(shape) != 2 or shape[0] > MOST_LOSS_POINTS or shape[1] != 5:
        raise ValueError("its losses within epochs have another shape")
    points = [
        LossPoint(int(epoch), int(step), int(steps), loss, total)
        for epoch, step, steps, loss, total in stored.read_finite("loss_points").tolist()
    ]
    if not all(
        0 <= point.epoch < _MOST_COUNT and 0 < point.step <= point.steps < _MOST_COUNT for point in points
    ):
        raise ValueError("its losses within epochs are out of range")
    return points
