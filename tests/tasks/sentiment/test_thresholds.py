"""Thresholds that are chosen for a precision or a recall."""

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sk

from jobs.errors import InvalidJob
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import SOURCE, do, scored
from worker.report.blocks import Text
from worker.tasks.sentiment import report, thresholds


@pytest.mark.parametrize("target", [0.6, 0.75, 0.9, 0.95, 0.999])
def test_a_threshold_is_the_best_of_all_that_reach_the_target(target: float) -> None:
    labels, probabilities = scored()
    every = {
        threshold: (
            sk.precision_score(labels, probabilities >= threshold),
            sk.recall_score(labels, probabilities >= threshold),
        )
        for threshold in np.unique(probabilities)
    }
    choice = thresholds.threshold_for_precision(labels, probabilities, target)
    reaching = [recall for precision, recall in every.values() if precision >= target]
    assert choice.reached == bool(reaching)
    assert every[choice.threshold] == pytest.approx((choice.precision, choice.recall))
    if reaching:
        assert choice.recall == max(reaching)
    else:
        assert choice.precision == max(precision for precision, _ in every.values())
    choice = thresholds.threshold_for_recall(labels, probabilities, target)
    assert choice.reached
    assert choice.recall >= target
    assert choice.precision == max(precision for precision, recall in every.values() if recall >= target)


@pytest.mark.parametrize("name", ["precision", "recall"])
def test_a_target_is_reached_where_the_threshold_is_chosen(
    tmp_path: Path, trained: JobFolder, name: str
) -> None:
    context = do(tmp_path / "run", "evaluate", source=trained, **{f"target_{name}": 0.9})
    metrics = JobFolder(context.folder).metrics
    assert metrics[f"validation_{name}"] >= 0.9
    assert metrics[f"target_{name}"] == 0.9
    with (trained.path / "validation.csv").open(newline="") as file:
        rows = [(int(row["label"]), float(row["probability"])) for row in csv.DictReader(file)]
    labels, probabilities = map(np.array, zip(*rows, strict=True))
    score = {"precision": sk.precision_score, "recall": sk.recall_score}[name]
    assert score(labels, probabilities >= metrics["threshold"]) == pytest.approx(
        metrics[f"validation_{name}"]
    )
    assert "The threshold was chosen on only 120 validation reviews, so it is approximate." in context.notes
    (text,) = [part for part in report.present(JobFolder(context.folder)) if isinstance(part, Text)]
    assert f"The target was a {name} of 90.0%" in text.body


def test_one_target_is_enough() -> None:
    targets = {"target_precision": 0.9, "target_recall": 0.9}
    with pytest.raises(
        InvalidJob, match=r"target_recall: expected either target_precision or target_recall, got 0\.9"
    ):
        JobSpec.make("sentiment", "evaluate", parameters=targets, **{"from": SOURCE})
