"""One job as a run of TensorBoard: an event file that grows as far as the job has got."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

WITHIN_EPOCHS = "loss within epochs"
"""The tag of the losses whose steps are those of the training; of all others a step is an epoch."""

_NOT_SHOWN = ("epoch", "seconds")


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
    """A run that is only ever added to, so that no step is in it twice, however often a job is resumed."""

    def __init__(self, folder: Path) -> None:
        """Open its event file.

        Args:
            folder: of the run; made if need be.

        Raises:
            OSError: it cannot be written to.
        """
        self._writer = EventFileWriter(str(folder))
        self._epochs = self._step = 0
        self._time = 0.0

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
            for point, time in zip(fresh, times, strict=True):
                self.add_number(WITHIN_EPOCHS, point.loss, point.step, float(time))
            self._step = fresh[-1].step
        self._writer.flush()

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
        """Add a summary; it is written before the run is closed, or more is added of the training."""
        self._time = max(self._time, time)  # a clock that was set back draws no curve that goes back
        self._writer.add_event(Event(summary=summary, step=step, wall_time=self._time))

    def close(self) -> None:
        """Write all and close the event file."""
        self._writer.close()


def _ends(seconds: Sequence[float], until: float) -> list[float]:
    """When each epoch ended, if the last ended at `until`."""
    after = np.cumsum([0.0, *reversed(seconds[1:])])[::-1] if seconds else np.zeros(0)
    return [float(until - left) for left in after]
