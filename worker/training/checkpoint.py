"""The checkpoint of a training run: its position, its history and all its variables, as plain arrays.

Ours, because `tf.train.Checkpoint` writes several files, which cannot be replaced atomically, and has no
place for the history.
"""

import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from jobs.errors import DamagedFolder
from jobs.store.atomic_files import whole_file

Array = NDArray[Any]


@dataclass
class Checkpoint:
    """How far a training run got.

    Attributes:
        epoch: epochs done.
        step: steps done of the next epoch.
        history: a row for each epoch done.
        variables: as `Trainable.variables` returns them.
        best_weights: of the model after its best epoch; empty where no best epoch is kept.
    """

    epoch: int = 0
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    variables: list[Array] = field(default_factory=list)
    best_weights: list[Array] = field(default_factory=list)

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

        Args:
            path: of the file.

        Raises:
            DamagedFolder: it is not a checkpoint, or it holds pickles.
        """
        with _open(path) as stored:
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
        """Read how far a training run got, without its arrays.

        Args:
            path: of the file.

        Returns:
            Epochs done, and steps done of the next one.

        Raises:
            DamagedFolder: it is not a checkpoint, or it holds pickles.
        """
        with _open(path) as stored:
            position = json.loads(str(stored["position"]))
            return int(position["epoch"]), int(position["step"])

    def restore(self, path: Path, variables: Sequence[Any]) -> None:
        """Assign the values of this checkpoint.

        Args:
            path: where it was read from, for the message.
            variables: Keras or TensorFlow variables, in the order in which they were saved.

        Raises:
            DamagedFolder: it belongs to another training job; no variable was changed.
        """
        saved = [(tuple(array.shape), str(array.dtype)) for array in self.variables]
        expected = [(tuple(variable.shape), _dtype(variable)) for variable in variables]
        if saved != expected:
            raise DamagedFolder(
                f"{path}: this checkpoint belongs to another training job: its arrays do not fit"
            )
        for variable, value in zip(variables, self.variables, strict=True):
            variable.assign(value)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """The arrays of a checkpoint; whatever is wrong with it becomes a DamagedFolder."""
    try:
        # Opened here: of a file that is no archive, `np.load` leaves the descriptor open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            yield stored
    except (LookupError, ValueError, TypeError, AttributeError, EOFError, BadZipFile, zlib.error) as error:
        raise DamagedFolder(f"{path}: this is not a checkpoint of Quartet ({type(error).__name__})") from None


def _dtype(variable: Any) -> str:
    """The name of a variable's dtype, which is text in Keras and an object in TensorFlow."""
    return str(getattr(variable.dtype, "name", variable.dtype))


def _row(columns: list[str], values: list[float]) -> dict[str, float]:
    row = dict(zip(columns, values, strict=True))
    return row | {"epoch": int(row["epoch"])}
