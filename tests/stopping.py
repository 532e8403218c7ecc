"""Trainings that are stopped and go on, for the tests of the models."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.errors import Cancelled
from worker.kept import forget
from worker.run import Run


def train_with_stops(run: Run, train: Callable[[Run], Any], trainable: type[Any], after: set[int]) -> int:
    """Train until the model is there, and return how many attempts it took.

    Args:
        run: what `train` is handed.
        train: of a task module.
        trainable: the class whose `make_steps` is counted.
        after: stop after these calls of it, counted from 0 over all attempts.
    """
    calls = iter(range(1_000))
    make_steps = trainable.make_steps

    def make_some(self: Any, first: int, count: int) -> None:
        make_steps(self, first, count)
        if next(calls) in after:
            run.stop.set()

    attempts = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainable, "make_steps", make_some)
        while not (run.folder / "model.keras").exists():
            attempts += 1
            forget()  # as a process that has not seen the job before
            run.stop.clear()
            try:
                train(run)
            except Cancelled:
                assert run.checkpoint.exists()
    return attempts
