"""The training loss within epochs: a bounded number of points, however often a run resumes the same.

The first epochs have several points each, since the loss falls fastest then. Each later epoch has one at its
end; of these, evenly spaced ones stay, fewer as training goes on, and always the latest.
"""

from collections.abc import Sequence
from typing import NamedTuple

FIRST_EPOCH_POINTS = 16
"""Points of the first epoch; the next two have half as many each, the next four a quarter, and so on: 80 of
the first 31 epochs in all."""

DENSE_EPOCHS = 2 * FIRST_EPOCH_POINTS - 1
"""Epochs whose points all stay."""

LATER_POINTS = 64
"""The most points of later epochs that stay, besides the latest: half as many at least, once there are so
many epochs."""


class LossPoint(NamedTuple):
    """The training loss after a step.

    Attributes:
        epoch: epochs done before.
        step: steps done of this epoch.
        steps: in one epoch.
        loss: since the point before in the same epoch.
        total: what the trainable had summed up, for the next point.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    total: float

    @property
    def epochs(self) -> float:
        """Epochs done, the fraction of the present one included."""
        return self.epoch + self.step / self.steps


def next_mark(epoch: int, step: int, steps: int) -> int:
    """The next step of an epoch after which there is a point.

    Args:
        epoch: counted from 0.
        step: steps done of it.
        steps: in one epoch.
    """
    points = _points_of(epoch, steps)
    return -(-(step * points // steps + 1) * steps // points)


def is_mark(epoch: int, step: int, steps: int) -> bool:
    """Whether there is a point after the first `step` steps of an epoch, counted from 0."""
    return next_mark(epoch, step - 1, steps) == step


def _points_of(epoch: int, steps: int) -> int:
    return max(1, min(steps, FIRST_EPOCH_POINTS >> ((epoch + 1).bit_length() - 1)))


def latest_of(points: Sequence[LossPoint], epoch: int, steps: int) -> LossPoint:
    """The latest point of an epoch; its beginning where it has none yet."""
    if points and points[-1].epoch == epoch:
        return points[-1]
    return LossPoint(epoch, 0, steps, 0.0, 0.0)


def with_point(points: Sequence[LossPoint], latest: LossPoint) -> list[LossPoint]:
    """Add the latest point to those before it, of which fewer stay the longer the run is.

    Which ones stay depends on the latest epoch alone, not on when a run was interrupted.
    """
    spacing = 1
    while (latest.epoch + 1) // spacing > LATER_POINTS:
        spacing *= 2
    stay = [point for point in points if point.epoch < DENSE_EPOCHS or not (point.epoch + 1) % spacing]
    return [*stay, latest]
