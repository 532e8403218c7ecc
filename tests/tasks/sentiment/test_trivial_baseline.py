"""Models that are no better than a constant answer say so."""

from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sk

from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import SOURCE
from worker.context import JobContext
from worker.tasks.sentiment import task
from worker.tasks.sentiment.confusion import Confusion
from worker.tasks.sentiment.trivial_baseline import baselines, warn_if_no_better


@pytest.fixture
def context(tmp_path: Path) -> JobContext:
    spec = JobSpec.make("sentiment", "evaluate", **{"from": SOURCE})
    return JobContext(spec=spec, folder=tmp_path, settings=read_settings())


def test_baselines_are_those_of_the_best_constant_answers() -> None:
    labels = np.repeat([0, 1], [95, 5])
    found = baselines(Confusion(95, 0, 5, 0), "validation_")
    assert found["baseline_validation_accuracy"] == sk.accuracy_score(labels, np.zeros(100))
    assert found["baseline_validation_loss"] == pytest.approx(sk.log_loss(labels, np.full(100, 0.05)))
    assert found["baseline_validation_balanced_accuracy"] == 0.5


@pytest.mark.parametrize(
    ("counts", "loss", "warning"),
    [
        (
            Confusion(95, 0, 5, 0),
            0.15,
            "no better than one answer for all reviews: its balanced accuracy on the",
        ),
        (Confusion(0, 95, 0, 5), 0.15, "no better than one answer for all reviews"),
        (Confusion(52, 48, 46, 54), 0.6, "not clearly better than one answer for all reviews"),
        (Confusion(1, 0, 0, 1), 0.1, "not clearly better than one answer"),
        (Confusion(900, 50, 20, 30), 0.15, "right no more often than calling every review negative"),
        (Confusion(30, 20, 50, 900), 0.15, "right no more often than calling every review positive"),
        (Confusion(400, 100, 100, 400), 41.0, "probabilities are no better than 0.500 for every review"),
        (Confusion(400, 100, 100, 400), 0.5, None),
        (Confusion(940, 10, 20, 30), 0.15, None),
    ],
)
def test_a_model_no_better_than_a_constant_answer_is_called_so(
    context: JobContext, counts: Confusion, loss: float, warning: str | None
) -> None:
    warn_if_no_better(context, counts, {"loss": loss}, "test")
    assert len(context.warnings) == (warning is not None)
    assert warning is None or warning in context.warnings[0]


def test_a_threshold_that_was_asked_for_may_cost_accuracy(context: JobContext) -> None:
    counts = Confusion(900, 50, 20, 30)
    warn_if_no_better(context, counts, {"loss": 0.15, "target_recall": 0.6}, "test")
    assert context.warnings == []


class Learned:
    """A training run whose model knows nothing of these labels."""

    labels = np.repeat([0, 1], [95, 5]).astype(np.uint8)

    def validate(self) -> tuple[np.ndarray, np.ndarray]:
        return self.labels, np.full(100, -40, np.float32)


def test_a_training_job_that_learned_nothing_says_so(context: JobContext) -> None:
    metrics = task._validate(context, Learned())  # type: ignore[arg-type]
    constant, probabilities = context.warnings
    assert "its balanced accuracy on the 100 validation reviews is 0.5000" in constant
    assert "their cross-entropy on the 100 validation reviews is 2.0000 nats" in probabilities
    assert metrics["validation_loss"] == pytest.approx(2)
    assert metrics["validation_accuracy"] == metrics["baseline_validation_accuracy"] == 0.95
    assert (metrics["validation_reviews"], metrics["positive_validation_reviews"]) == (100, 5)


def test_a_training_job_that_learned_something_warns_of_nothing(trained: JobFolder) -> None:
    assert trained.job["warnings"] == []
    metrics = trained.metrics
    assert metrics["validation_balanced_accuracy"] > 0.7
    assert metrics["validation_loss"] < metrics["baseline_validation_loss"]
