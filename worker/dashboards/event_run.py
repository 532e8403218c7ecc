"""One job as a run of TensorBoard: an event file that grows as far as the job has got."""

import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

WITHIN_EPOCHS = "loss within epochs"
"""The tag of the losses whose steps are those of the training; of all others a step is an epoch."""

_NOT_SHOWN = ("epoch", "seconds")
_MOST_PENDING = 1 << 20
"""Bytes that are not written yet."""


class WithinEpoch(NamedTuple):
    """The training loss between two epochs' ends.

    Attributes:
        epochs: done by then, the fraction of the present one included.
        step: of the whole training.
        loss: since the point before.
    """

    epochs: float
    step: int
    loss: float


class EventRun:
    """A run that is only ever added to, so that no step is in it twice, however often a job is resumed.

    Its file is open only while it is written: there may be thousands of runs, and TensorBoard's own writer
    keeps a file open and a thread running for each.
    """

    def __init__(self, folder: Path) -> None:
        """Make its folder.

        Args:
            folder: of the run; the folder of all runs, two above it, is there.

        Raises:
            OSError: it cannot be made.
        """
        folder.parent.mkdir(exist_ok=True)
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._file = folder / f"events.out.tfevents.{time.time_ns()}"
        self._written = 0
        self._pending = io.BytesIO()
        self._epochs = self._step = 0
        self._time = 0.0
        self._add(Event(wall_time=time.time(), file_version="brain.Event:2"))

    def add_training(
        self, history: Sequence[dict[str, float]], points: Sequence[WithinEpoch], until: float
    ) -> None:
        """Add what the run lacks.

        The time of each epoch is computed backwards, by the seconds that the epochs took.

        Args:
            history: a row for each epoch done.
            points: the losses within epochs, oldest first.
            until: when the last of all this was known, in seconds since 1970.

        Raises:
            KeyError: a row lacks its epoch or its seconds.
            OSError: the event file cannot be written; `write` tries again.
        """
        ends = _ends([row["seconds"] for row in history], until)
        for row, end in zip(history, ends, strict=True):
            if row["epoch"] > self._epochs:
                self._epochs = int(row["epoch"])
                for name, value in row.items():
                    if name not in _NOT_SHOWN:
                        self.add_number(name.replace("_", " "), value, self._epochs, end)
        fresh = [point for point in points if point.step > self._step]
        if fresh:
            begin = ends[0] - history[0]["seconds"] if history else until
            done = [*range(len(history) + 1), max(len(history), fresh[-1].epochs) + 1e-9]
            times = np.interp([point.epochs for point in fresh], done, [begin, *ends, until])
            for point, when in zip(fresh, times, strict=True):
                self.add_number(WITHIN_EPOCHS, point.loss, point.step, float(when))
            self._step = fresh[-1].step
        self.write()

    def add_number(self, tag: str, value: float, step: int, time: float) -> None:
        """Add one number.

        Args:
            tag: what it is.
            value: of it.
            step: of the run.
            time: when it was known, in seconds since 1970.
        """
        self.add_summary(Summary(value=[Summary.Value(tag=tag, simple_value=value)]), step, time)

    def add_summary(self, summary: Summary, step: int, time: float) -> None:
        """Add a summary, to be written by `write`."""
        self._time = max(self._time, time)  # a clock that was set back draws no curve that goes back
        self._add(Event(summary=summary, step=step, wall_time=self._time))
        if self._pending.tell() > _MOST_PENDING:
            self.write()

    def write(self) -> None:
        """Write what was added.

        Raises:
            OSError: the event file cannot be written; the next call tries again.
        """
        with self._file.open("ab") as file:
            file.truncate(self._written)  # what a full volume took of a record
            file.write(self._pending.getvalue())
        self._written += self._pending.tell()
        self._pending = io.BytesIO()

    def _add(self, event: Event) -> None:
        RecordWriter(self._pending).write(event.SerializeToString())


def _ends(seconds: Sequence[float], until: float) -> list[float]:
    """When each epoch ended, if the last ended at `until`."""
    after = np.cumsum([0.0, *reversed(seconds[1:])])[::-1] if seconds else np.zeros(0)
    return [float(until - left) for left in after]
