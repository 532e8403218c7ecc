"""A training run that diverges says so, whatever stops it, and leaves a checkpoint that can be read."""

from typing import Any

import numpy as np
import pytest

from jobs.errors import Cancelled, DamagedFolder, JobFailed
from tests.training.counting import Counting
from worker.context import JobContext
from worker.training.checkpoint import Checkpoint
from worker.training.loop import fit


class Diverging(Counting):
    """Its variable is no number any more from a step of the second epoch on."""

    def __init__(self, context: JobContext, *, stop: bool = False) -> None:
        super().__init__([1.0, 0.5, 0.25])
        self._context, self._stop = context, stop

    def make_steps(self, first: int, count: int) -> None:
        super().make_steps(first, count)
        if self._epoch == 1:
            self.counter.assign(float("nan"))
            if self._stop:
                self._context.stop.set()

    def measure(self) -> dict[str, float]:
        return {"loss": 1.0, "validation_loss": self._losses[self._epoch]}


def test_weights_that_are_not_finite_fail_the_job_and_are_never_saved(context: JobContext) -> None:
    context.settings = context.settings.model_copy(update={"checkpoint_seconds": 0.0})
    with pytest.raises(JobFailed) as caught:
        fit(context, Diverging(context), 3)
    assert str(caught.value) == "the variables are not finite numbers in epoch 2: training diverged"
    assert caught.value.hint == "try a smaller --learning-rate"


def test_a_run_that_is_stopped_after_it_diverged_comes_to_the_same_end_when_it_goes_on(
    context: JobContext,
) -> None:
    fit(context, Counting([1.0]), 1)
    with pytest.raises(Cancelled):
        fit(context, Diverging(context, stop=True), 3)
    assert Checkpoint.position(context.checkpoint) == (1, 0)
    assert np.isfinite(Checkpoint.read(context.checkpoint).variables[0])
    context.stop.clear()
    for _ in range(2):
        with pytest.raises(JobFailed, match="training diverged"):
            fit(context, Diverging(context), 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": 7},
        {"step": 4},
        {"best_weights": []},
        {"best_weights": [np.zeros(2, np.float32)]},
        {"history": []},
    ],
)
def test_a_checkpoint_whose_position_or_best_weights_do_not_fit_is_refused(
    context: JobContext, changes: dict[str, Any]
) -> None:
    trainable = Counting([1.0, 0.5])
    fit(context, trainable, 1, model=trainable.model, keep_best="validation_loss")
    saved = Checkpoint.read(context.checkpoint)
    for name, value in changes.items():
        setattr(saved, name, value)
    saved.write(context.checkpoint)
    with pytest.raises(DamagedFolder, match=r"not a checkpoint of Quartet|belongs to another training job"):
        fit(context, trainable, 2, model=trainable.model, keep_best="validation_loss")
