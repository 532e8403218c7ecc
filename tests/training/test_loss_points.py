"""Points within epochs are few, span the whole run, and depend on nothing but how far it got."""

from itertools import pairwise

import pytest

from worker.training.loss_points import (
    DENSE_EPOCHS,
    LATER_POINTS,
    LossPoint,
    is_mark,
    next_mark,
    with_point,
)


def marks(epoch: int, steps: int) -> list[int]:
    return [step for step in range(1, steps + 1) if is_mark(epoch, step, steps)]


def run(epochs: int, steps: int = 235, points: list[LossPoint] | None = None) -> list[LossPoint]:
    """The points of a run; `points` are those of an attempt before."""
    points = points or []
    for epoch in range(points[-1].epoch + 1 if points else 0, epochs):
        for step in marks(epoch, steps):
            points = with_point(points, LossPoint(epoch, step, steps, 0.5, 0.0))
    return points


@pytest.mark.parametrize("steps", [1, 2, 7, 15, 16, 17, 100, 235])
def test_a_run_reaches_each_point_from_wherever_it_resumes(steps: int) -> None:
    for epoch in (0, 1, 5, 30, 31, 4_000):
        points = marks(epoch, steps)
        assert points[-1] == steps
        for step in range(steps):
            assert next_mark(epoch, step, steps) == min(point for point in points if point > step)


def test_the_first_epochs_have_eighty_points() -> None:
    counts = [len(marks(epoch, 235)) for epoch in (0, 1, 2, 3, 6, 7, 30, 31, 32, 1_000)]
    assert counts == [16, 8, 8, 4, 4, 2, 1, 1, 1, 1]
    assert sum(len(marks(epoch, 235)) for epoch in range(DENSE_EPOCHS)) == 80


def test_points_span_a_run_of_any_length_and_their_number_is_bounded() -> None:
    points: list[LossPoint] = []
    for epochs in range(1, 3_000):
        points = run(epochs, 3, points)
        assert points[-1].epochs == epochs
        later = [0.0, *(point.epochs for point in points if point.step == point.steps)]
        gaps = [after - before for before, after in pairwise(later)]
        assert max(gaps) <= max(1, 2 * epochs / LATER_POINTS)
        assert len(points) <= 80 + LATER_POINTS + 1


def test_the_points_that_stay_do_not_depend_on_interruptions_or_on_how_long_the_run_was_meant_to_be() -> None:
    for end in (31, 32, 64, 65, 200, 339):
        assert run(400, points=run(end)) == run(400)


def test_a_run_whose_points_ended_early_goes_on_with_points() -> None:
    """An earlier version recorded none after the 31st epoch."""
    points = run(400, points=[*run(31), LossPoint(338, 235, 235, 0.5, 0.0)])
    assert points[:80] == run(31)
    assert points[-1].epochs == 400
