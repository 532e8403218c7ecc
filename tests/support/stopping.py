"""Training jobs that are stopped and resumed, for the tests of the models."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.errors import Cancelled
from jobs.store.job_folder import MODEL
from worker.context import JobContext
from worker.training.compile_cache import forget


def train_with_stops(
    context: JobContext, train: Callable[[JobContext], Any], trainable: type[Any], after: set[int]
) -> int:
    """Train until the model is there, and return how many attempts it took.

    Args:
        context: what `train` is handed.
        train: of a wing's `task.py`.
        trainable: the class whose `make_steps` is counted.
        after: stop after these calls of it, counted from 0 over all attempts.
    """
    calls = iter(range(1_000))
    make_steps = trainable.make_steps

    def make_some(self: Any, first: int, count: int) -> None:
        make_steps(self, first, count)
        if next(calls) in after:
            context.stop.set()

    attempts = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainable, "make_steps", make_some)
        while not (context.folder / MODEL).exists():
            attempts += 1
            forget()  # as a process that has not seen the job before
            context.stop.clear()
            try:
                train(context)
            except Cancelled:
                assert context.checkpoint.exists()
    return attempts
