"""What an evaluation measures, and by which reviews."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sk

from jobs.errors import InvalidData
from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import MARKUP, do, scored
from worker.tasks.sentiment import evaluation


def test_intervals_are_those_of_drawing_reviews_again_and_again() -> None:
    labels, probabilities = scored()
    found = evaluation.intervals(evaluation.measures(labels, probabilities, 0.5), seed=0)
    random = np.random.default_rng(1)
    accuracies, f1s = [], []
    for _ in range(2_000):
        drawn = random.integers(0, len(labels), len(labels))
        called = probabilities[drawn] >= 0.5
        accuracies.append((called == labels[drawn]).mean())
        f1s.append(sk.f1_score(labels[drawn], called))
    for name, values in (("accuracy", accuracies), ("f1", f1s)):
        low, high = np.percentile(values, [2.5, 97.5])
        assert found[f"{name}_low"] == pytest.approx(low, abs=0.01)
        assert found[f"{name}_high"] == pytest.approx(high, abs=0.01)


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


def test_classes_of_lengths_hold_all_reviews() -> None:
    labels, probabilities = scored()
    lengths = np.random.default_rng(2).integers(0, 700, len(labels)).astype(np.int32)
    rows = evaluation.by_length(labels, probabilities, 0.5, lengths)
    assert sum(row[2] for row in rows) == len(labels)
    shares = np.average([row[3] for row in rows], weights=[row[2] for row in rows])
    assert shares == pytest.approx(sk.accuracy_score(labels, probabilities >= 0.5))


def test_the_surest_errors_come_first() -> None:
    labels = np.array([1, 0, 1, 0, 1], np.uint8)
    probabilities = np.array([0.4, 0.99, 0.001, 0.2, 0.9])
    assert list(evaluation.surest_errors(labels, probabilities, 0.5, 9)) == [2, 1, 0]


def test_an_evaluation_measures_the_reviews_that_were_left_alone(evaluated: JobFolder) -> None:
    metrics = evaluated.metrics
    assert metrics["reviews"] == 300
    assert metrics["accuracy"] > 0.7
    assert metrics["accuracy_low"] < metrics["accuracy"] < metrics["accuracy_high"]
    counts = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    assert sum(metrics[name] for name in counts) == 300
    with (evaluated.path / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = [(float(row["probability"]) >= 0.5) == (row["label"] == "positive") for row in rows]
    assert np.mean(right) == pytest.approx(metrics["accuracy"])
    wrong = json.loads((evaluated.path / "surest_errors.json").read_bytes())
    assert len(wrong) == min(20, right.count(False))
    assert wrong
    assert all(error["text"].startswith(MARKUP) for error in wrong)


def test_other_data_are_measured_whole_with_a_note(tmp_path: Path, trained: JobFolder) -> None:
    context = do(tmp_path / "toy", "evaluate", "toy-reviews", trained)
    assert JobFolder(context.folder).metrics["reviews"] == 1_000
    assert context.notes == [
        "These reviews are made by a grammar; results on them say nothing about real text.",
        "The model was trained on other data. The test part of this data is measured.",
    ]
    (tmp_path / "own.csv").write_text("text,label\nThe plot is clever.,1\nThe plot is dull.,0\n")
    context = do(tmp_path / "own", "evaluate", tmp_path / "own.csv", trained)
    assert JobFolder(context.folder).metrics["reviews"] == 2
    assert "Every review of this data is measured." in context.notes[-1]


def test_reviews_of_one_label_cannot_be_measured_by(tmp_path: Path, trained: JobFolder) -> None:
    (tmp_path / "own.csv").write_text("text,label\nThe plot is clever.,1\n")
    with pytest.raises(InvalidData, match="expected test reviews of both labels, got only positive ones"):
        do(tmp_path / "run", "evaluate", tmp_path / "own.csv", trained)


def test_test_reviews_that_were_trained_on_are_counted(tmp_path: Path) -> None:
    for part, texts in (("train", "abcdefghijklmnop"), ("test", "aqrstuvwxyz")):
        for label, mood in (("pos", "good"), ("neg", "bad")):
            folder = tmp_path / "own" / part / label
            folder.mkdir(parents=True)
            for text in texts:
                (folder / f"{text}.txt").write_text(f"{mood} film {text}")
    context = do(tmp_path / "run", "train", tmp_path / "own", epochs=1)
    evaluation_context = do(tmp_path / "evaluation", "evaluate", source=JobFolder(context.folder))
    assert evaluation_context.notes == [
        "Of the 22 test reviews 2 also occur, word for word, among the training reviews; the data itself has these duplicates."
    ]
