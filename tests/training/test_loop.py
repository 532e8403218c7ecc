"""The loop reports and saves, resumes where it was, and ends when a loss is not finite or a stop is requested."""

import json
from typing import Any

import numpy as np
import pytest

from jobs.errors import Cancelled, DamagedFolder, JobFailed
from jobs.store.job_folder import LOSS_WITHIN_EPOCHS, JobFolder
from tests.training.counting import Counting, Watched
from worker.context import JobContext
from worker.training.checkpoint import Checkpoint
from worker.training.loop import fit


def test_the_first_step_is_made_by_itself_and_reported_at_once(context: JobContext) -> None:
    reports: list[dict[str, Any]] = []
    context.report_progress = reports.append
    trainable = Counting([1.0, 0.5])
    history = fit(context, trainable, 2)
    compiling, *calls = trainable.calls
    assert compiling == (0, 1)
    assert calls == [(0, 1), (1, 2), (0, 2), (2, 1)]
    assert reports[0].pop("step_seconds") > 0
    assert reports[0] == {"epoch": 0, "epochs": 2, "step": 1, "steps": 3}
    seconds = reports[-1].pop("epoch_seconds")
    assert seconds == history[-1]["seconds"]
    assert reports[-1].pop("step_seconds") == round(seconds / 3, 6)
    assert reports[-1] == {
        "epoch": 2, "epochs": 2, "step": 0, "steps": 3, "loss": 6.0, "validation_loss": 0.5,
    }  # fmt: skip


class Stopping(Counting):
    """Requests a stop in its fourth call, within the second epoch."""

    def __init__(self, context: JobContext) -> None:
        super().__init__([1.0, 0.5])
        self._context = context

    def make_steps(self, first: int, count: int) -> None:
        super().make_steps(first, count)
        if len(self.calls) == 4:
            self._context.stop.set()


def test_an_attempt_resumes_where_the_one_before_was_stopped_within_an_epoch(context: JobContext) -> None:
    with pytest.raises(Cancelled):
        fit(context, Stopping(context), 2)
    assert Checkpoint.position(context.checkpoint) == (1, 2)
    assert [row["epoch"] for row in JobFolder(context.folder).history] == [1]
    context.stop.clear()
    resumed = Counting([1.0, 0.5])
    history = fit(context, resumed, 2)
    assert resumed.calls == [(2, 1)] * 2  # the first of them compiled, and was undone
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


def interrupted(context: JobContext, losses: list[float]) -> None:
    """Train with a stop after every single call."""
    context.settings = context.settings.model_copy(update={"checkpoint_seconds": 0.0})

    for _ in range(200):
        context.stop.clear()
        try:
            fit(context, Watched(losses, context.stop.set), len(losses))
        except Cancelled:
            continue
        return
    raise AssertionError("it never ended")


def test_the_losses_within_epochs_are_the_same_however_often_a_run_is_interrupted(
    context: JobContext,
) -> None:
    losses = [0.5, 0.4, 0.3, 0.2]
    fit(context, Watched(losses), 4)
    undisturbed = (context.folder / LOSS_WITHIN_EPOCHS).read_text()
    assert len(undisturbed.splitlines()) == 1 + 10 + 8 + 8 + 4
    context.checkpoint.unlink()
    (context.folder / LOSS_WITHIN_EPOCHS).unlink()
    interrupted(context, losses)
    assert (context.folder / LOSS_WITHIN_EPOCHS).read_text() == undisturbed


def test_the_loss_is_reported_within_the_first_epoch_and_the_learning_rate_is_recorded(
    context: JobContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.context.PROGRESS_SECONDS", 0.0)
    reports: list[dict[str, Any]] = []
    context.report_progress = reports.append
    fit(context, Watched([1.0, 0.5]), 2)
    assert [report["loss"] for report in reports[:2]] == [1.0, 0.5]
    assert all("learning_rate" not in report for report in reports)
    assert [row["learning_rate"] for row in JobFolder(context.folder).history] == [0.5, 0.5]


def test_a_loss_that_is_not_finite_within_an_epoch_ends_the_run_at_once(context: JobContext) -> None:
    trainable = Watched([1.0])
    trainable.recent_loss = lambda *_: (float("inf"), 0.0)  # type: ignore[method-assign]
    with pytest.raises(JobFailed, match="the loss of epoch 1 is inf: training diverged"):
        fit(context, trainable, 1)
    assert trainable.calls == [(0, 1)] * 2


def test_a_run_that_the_version_before_began_goes_on(context: JobContext) -> None:
    """Its checkpoint has no time within the epoch, no losses within epochs and no learning rates."""
    position = {"epoch": 1, "step": 4, "columns": ["epoch", "loss", "validation_loss", "seconds"]}
    position |= {"variables": 2, "best_weights": 0}
    np.savez(
        context.checkpoint,
        position=np.array(json.dumps(position)),
        history=np.array([[1.0, 10.0, 0.5, 7.5]]),
        variable_0=np.float32(14),
        variable_1=np.float64(0.5),
    )
    trainable = Watched([0.5, 0.4, 0.3])
    history = fit(context, trainable, 3)
    assert float(trainable.counter) == 30
    assert [list(row) for row in history] == [position["columns"]] * 3
    assert history[0]["seconds"] == 7.5
    points = JobFolder(context.folder).numbers(LOSS_WITHIN_EPOCHS)
    assert points[0]["epoch"] == 1.5
    assert [row["step"] for row in points] == sorted({row["step"] for row in points})


def test_the_losses_within_epochs_span_a_long_run_that_was_interrupted_late(context: JobContext) -> None:
    losses = [0.5] * 90
    fit(context, Watched(losses), 90)
    undisturbed = (context.folder / LOSS_WITHIN_EPOCHS).read_text()
    assert [row["step"] for row in JobFolder(context.folder).numbers(LOSS_WITHIN_EPOCHS)][-1] == 900
    context.checkpoint.unlink()
    fit(context, Watched(losses), 70)
    fit(context, Watched(losses), 90)
    assert (context.folder / LOSS_WITHIN_EPOCHS).read_text() == undisturbed
