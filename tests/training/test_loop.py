"""The loop reports and saves, resumes where it was, and ends when a loss is not finite or a stop is requested."""

from typing import Any

import pytest

from jobs.errors import Cancelled, DamagedFolder, JobFailed
from jobs.store.job_folder import JobFolder
from tests.training.counting import Counting
from worker.context import JobContext
from worker.training.checkpoint import Checkpoint
from worker.training.loop import fit


def test_the_first_step_is_made_by_itself_and_reported_at_once(context: JobContext) -> None:
    reports: list[dict[str, Any]] = []
    context.report_progress = reports.append
    trainable = Counting([1.0, 0.5])
    fit(context, trainable, 2)
    assert trainable.calls == [(0, 1), (1, 2), (0, 2), (2, 1)]
    assert reports[0] == {"epoch": 0, "epochs": 2, "step": 1, "steps": 3}
    assert reports[-1] == {
        "epoch": 2, "epochs": 2, "step": 0, "steps": 3, "loss": 6.0, "validation_loss": 0.5,
    }  # fmt: skip


class Stopping(Counting):
    """Requests a stop in its third call, within the second epoch."""

    def __init__(self, context: JobContext) -> None:
        super().__init__([1.0, 0.5])
        self._context = context

    def make_steps(self, first: int, count: int) -> None:
        super().make_steps(first, count)
        if len(self.calls) == 3:
            self._context.stop.set()


def test_an_attempt_resumes_where_the_one_before_was_stopped_within_an_epoch(context: JobContext) -> None:
    with pytest.raises(Cancelled):
        fit(context, Stopping(context), 2)
    assert Checkpoint.position(context.checkpoint) == (1, 2)
    assert [row["epoch"] for row in JobFolder(context.folder).history] == [1]
    context.stop.clear()
    resumed = Counting([1.0, 0.5])
    history = fit(context, resumed, 2)
    assert resumed.calls == [(2, 1)]
    assert [row["loss"] for row in history] == [3.0, 6.0]


def test_a_loss_that_is_not_finite_fails_the_job_with_a_hint(context: JobContext) -> None:
    with pytest.raises(JobFailed) as caught:
        fit(context, Counting([1.0, float("nan")]), 3)
    assert str(caught.value) == "the validation loss of epoch 2 is nan: training diverged"
    assert caught.value.hint == "try a smaller --learning-rate"


def test_a_checkpoint_of_another_training_job_is_refused(context: JobContext) -> None:
    Checkpoint(variables=[]).write(context.checkpoint)
    trainable = Counting([1.0])
    with pytest.raises(DamagedFolder, match="belongs to another training job: its arrays do not fit"):
        fit(context, trainable, 1)
    assert float(trainable.counter) == 0


def test_the_weights_of_the_best_epoch_survive_a_resume(context: JobContext) -> None:
    losses = [0.5, 0.7, 0.6]
    fit(context, first := Counting(losses), 2, model=first.model, keep_best="validation_loss")
    fit(context, second := Counting(losses), 3, model=second.model, keep_best="validation_loss")
    assert float(second.counter) == 3.0


def test_a_history_may_have_a_name_of_its_own(context: JobContext) -> None:
    fit(context, Counting([1.0]), 1, history_file="other.csv")
    assert (context.folder / "other.csv").exists()
    assert not (context.folder / "history.csv").exists()
