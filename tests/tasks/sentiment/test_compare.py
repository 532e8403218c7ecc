"""What the page of a comparison shows of review models: precision-recall curves overlaid."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from tests.tasks.comparing import compared
from worker.report.blocks import Figure
from worker.report.theme import themed
from worker.tasks.sentiment.compare import compare


def training(seed: int) -> dict[str, str | bytes]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 400)
    scores = np.clip(0.5 * labels + rng.uniform(0, 0.6, 400), 0, 1)
    lines = [f"{label},{score}" for label, score in zip(labels, scores, strict=True)]
    return {"validation.csv": "\n".join(["label,probability", *lines])}


def evaluation(average: float) -> dict[str, str | bytes]:
    metrics = {
        "average_precision": average,
        "true_positives": 40, "false_negatives": 10, "true_negatives": 45, "false_positives": 5,
    }  # fmt: skip
    rows = [f"{t},{0.5 + t / 2},{1 - t},0.5,{0.5 * (1 - t)}" for t in (0, 0.25, 0.5, 0.75, 0.99)]
    return {
        "metrics.json": json.dumps(metrics),
        "curves.csv": "\n".join(["threshold,precision,recall,f1,false_positive_rate", *rows]),
    }


def test_curves_of_evaluations_are_overlaid(tmp_path: Path) -> None:
    runs = [
        compared(tmp_path, f"run {n}", train=training(n), evaluate=evaluation(0.9 - n / 100))
        for n in range(2)
    ]
    with themed():
        (figure,) = compare(runs)
    assert isinstance(figure, Figure)
    assert figure.alt.endswith("Average precision: run 0: units 5 0.9000; run 1: units 5 0.8900.")
    assert max(len(line.get_xdata()) for line in figure.drawing.axes[0].lines) == 4, "enough are called"
    assert "test reviews" in figure.caption


def test_without_evaluations_the_validation_reviews_are_taken(tmp_path: Path) -> None:
    runs = [compared(tmp_path, f"run {n}", train=training(n)) for n in range(2)]
    with themed():
        (figure,) = compare(runs)
    assert isinstance(figure, Figure)
    assert "validation reviews" in figure.caption
    content = str(training(0)["validation.csv"]).splitlines()[1:]
    labels, scores = np.array([line.split(",") for line in content], float).T
    assert f"{average_precision_score(labels, scores):.4f}" in figure.alt
    recalls = np.asarray(figure.drawing.axes[0].lines[0].get_xdata(), float)
    assert recalls.max() == pytest.approx(1)


def test_a_run_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    runs = [
        compared(tmp_path, "a", evaluate=evaluation(0.9)),
        compared(tmp_path, "b", evaluate={"curves.csv": "x"}),
    ]
    assert list(compare(runs)) == []
