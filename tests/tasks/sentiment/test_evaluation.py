"""What an evaluation measures, and by which reviews."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from jobs.errors import InvalidData
from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import MARKUP, TEXTS, do, scored
from worker.report.metrics import headline, shown_metrics
from worker.tasks.sentiment import evaluation
from worker.tasks.sentiment.confusion import MEASURES
from worker.tasks.sentiment.metrics import METRICS


def test_a_threshold_of_its_own_has_the_measures_at_one_half_beside_it() -> None:
    labels, probabilities = scored()
    found = evaluation.measures(labels, probabilities, 0.7)
    at_half = evaluation.measures(labels, probabilities, 0.5)
    for name in MEASURES:
        assert found[f"{name}_at_half"] == at_half[name] != found[name]
    assert not [name for name in at_half if name.endswith("at_half")]
    assert found["threshold"] == 0.7
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(labels, probabilities))
    assert found["average_precision"] == pytest.approx(sk.average_precision_score(labels, probabilities))


def test_curves_hold_what_each_threshold_gives() -> None:
    labels, probabilities = scored()
    rows = evaluation.curves(labels, probabilities)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    for threshold, precision, recall, f1, false_positives in rows[:: len(rows) // 7]:
        called = probabilities >= threshold
        assert precision == pytest.approx(sk.precision_score(labels, called))
        assert recall == pytest.approx(sk.recall_score(labels, called))
        assert f1 == pytest.approx(sk.f1_score(labels, called))
        assert false_positives == pytest.approx(called[labels == 0].mean())


def test_curves_of_many_scores_keep_the_highest_f1() -> None:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 2, 5_000).astype(np.uint8)
    probabilities = np.clip(labels * 0.3 + rng.normal(0.35, 0.25, 5_000), 0, 1)
    rows = evaluation.curves(labels, probabilities)
    assert len(rows) <= evaluation.CURVE_POINTS + 1
    precision, recall, _ = sk.precision_recall_curve(labels, probabilities)
    assert max(row[3] for row in rows) == pytest.approx(np.max(2 * precision * recall / (precision + recall)))


def test_a_class_that_nothing_is_called_has_no_precision() -> None:
    labels = np.repeat([0, 1], [95, 5]).astype(np.uint8)
    rows = evaluation.class_report(labels, np.full(100, 0.3), 0.5)
    assert [row[0] for row in rows] == ["negative", "positive", "macro avg", "weighted avg"]
    assert [row[1] for row in rows] == [0.95, "", "", ""]
    assert [row[2] for row in rows] == [1.0, 0.0, 0.5, 0.95]
    assert [row[4] for row in rows] == [95, 5, 100, 100]
    labels, probabilities = scored()
    expected = sk.classification_report(labels, probabilities >= 0.6, output_dict=True)
    for (_, *values), key in zip(
        evaluation.class_report(labels, probabilities, 0.6),
        ("0", "1", "macro avg", "weighted avg"),
        strict=True,
    ):
        assert values == pytest.approx(list(expected[key].values()))


def test_classes_of_lengths_hold_all_reviews() -> None:
    labels, probabilities = scored()
    lengths = np.random.default_rng(2).integers(0, 700, len(labels)).astype(np.int32)
    rows = evaluation.by_length(labels, probabilities, 0.6, lengths)
    assert sum(row[2] for row in rows) == len(labels)
    shares = np.average([row[3] for row in rows], weights=[row[2] for row in rows])
    assert shares == pytest.approx(sk.accuracy_score(labels, probabilities >= 0.6))


def test_the_surest_errors_come_first() -> None:
    labels = np.array([1, 0, 1, 0, 1], np.uint8)
    probabilities = np.array([0.4, 0.99, 0.001, 0.2, 0.9])
    assert list(evaluation.surest_errors(labels, probabilities, 0.5, 9)) == [2, 1, 0]
    assert list(evaluation.surest_errors(labels, probabilities, 0.3, 9)) == [2, 1]


def test_an_evaluation_measures_the_reviews_that_were_left_alone(evaluated: JobFolder) -> None:
    metrics = evaluated.metrics
    assert metrics["reviews"] == 300
    assert metrics["accuracy"] > 0.7
    with (evaluated.path / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = [(float(row["probability"]) >= 0.5) == (row["label"] == "positive") for row in rows]
    wrong = json.loads((evaluated.path / "surest_errors.json").read_bytes())
    assert len(wrong) == min(20, right.count(False))
    assert wrong
    assert all(error["text"].startswith(MARKUP) for error in wrong)


def test_every_number_of_an_evaluation_can_be_computed_again_from_its_scores(evaluated: JobFolder) -> None:
    metrics = evaluated.metrics
    with (evaluated.path / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    labels = np.array([row["label"] == "positive" for row in rows])
    probabilities = np.array([float(row["probability"]) for row in rows])
    called = probabilities >= metrics["threshold"]
    positives, right = int(labels.sum()), int((called == labels).sum())
    hits = int((labels & called).sum())
    expected = {
        "balanced_accuracy": sk.balanced_accuracy_score(labels, called),
        "accuracy": sk.accuracy_score(labels, called),
        "precision": sk.precision_score(labels, called),
        "recall": sk.recall_score(labels, called),
        "f1": sk.f1_score(labels, called),
        "roc_auc": sk.roc_auc_score(labels, probabilities),
        "average_precision": sk.average_precision_score(labels, probabilities),
        "loss": sk.log_loss(labels, probabilities),
        "baseline_accuracy": max(labels.mean(), 1 - labels.mean()),
        "baseline_balanced_accuracy": 0.5,
        "baseline_loss": sk.log_loss(labels, np.full(len(labels), labels.mean())),
        "reviews": 300,
        "positive_reviews": positives,
        "true_positives": hits,
        "false_positives": int((~labels & called).sum()),
        "true_negatives": int((~labels & ~called).sum()),
        "false_negatives": int((labels & ~called).sum()),
    }
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value, rel=1e-4), name
    for name, count, of in (
        ("accuracy", right, 300), ("precision", hits, int(called.sum())), ("recall", hits, positives)
    ):  # fmt: skip
        ends = stats.binomtest(count, of).proportion_ci(method="wilson")
        assert (metrics[f"{name}_low"], metrics[f"{name}_high"]) == pytest.approx(tuple(ends)), name


def test_the_headline_is_one_that_no_constant_answer_wins(
    evaluated: JobFolder, trained: JobFolder, tmp_path: Path
) -> None:
    labelled = JobFolder(do(tmp_path, "generate", source=trained, text=TEXTS).folder)
    heads = {
        "balanced_accuracy": evaluated,
        "validation_balanced_accuracy": trained,
        "reviews": labelled,
    }
    for name, folder in heads.items():
        assert shown_metrics(METRICS, folder.metrics)[0].metric.name == name
        tiles = [metric for metric in METRICS if metric.tile and metric.name in folder.metrics]
        assert 0 < len(tiles) <= 4
        assert all(metric.definition for metric in tiles)
        if folder is not labelled:
            assert {"accuracy", "baseline_accuracy"} <= {
                each.name.replace("validation_", "") for each in tiles
            }
    assert headline(METRICS, labelled.metrics) == {"label": "Reviews", "value": 3, "unit": ""}
    assert not [name for name in labelled.metrics if name.endswith("_low")], "chosen texts are no sample"


def test_other_data_are_measured_whole_with_a_note(tmp_path: Path, trained: JobFolder) -> None:
    context = do(tmp_path / "toy", "evaluate", "toy-reviews", trained)
    assert JobFolder(context.folder).metrics["reviews"] == 1_000
    assert any("another file or dataset. The test part" in note for note in context.notes)
    (tmp_path / "own.csv").write_text("text,label\nThe plot is clever.,1\nThe plot is dull.,0\n")
    context = do(tmp_path / "own", "evaluate", tmp_path / "own.csv", trained)
    assert JobFolder(context.folder).metrics["reviews"] == 2
    assert any("another file or dataset. Every review" in note for note in context.notes)
    assert "on the 2 test reviews is 1.0000, 95 % interval 0." in context.warnings[0]


def test_reviews_of_one_label_cannot_be_measured_by(tmp_path: Path, trained: JobFolder) -> None:
    (tmp_path / "own.csv").write_text("text,label\nThe plot is clever.,1\n")
    with pytest.raises(
        InvalidData, match="expected test reviews of both labels, got only positive ones"
    ) as caught:
        do(tmp_path / "run", "evaluate", tmp_path / "own.csv", trained)
    assert "`quartet submit sentiment generate` tells" in str(caught.value.hint)
