"""What only review models have to compare: their precision-recall curves, overlaid."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve

from jobs.store.job_folder import JobFolder
from worker.report.blocks import Blocks, Compared, Figure
from worker.report.comparing import line_look, read_each
from worker.report.formatting import number
from worker.report.theme import new_drawing
from worker.tasks.sentiment import artifacts
from worker.tasks.sentiment.figures import FEWEST_CALLED, enough_called

Curve = tuple[Sequence[float], Sequence[float], float]
"""Recalls, precisions and the average precision."""

_MOST_POINTS = 300


def compare(runs: Sequence[Compared]) -> Blocks:
    """Yield what the page of a comparison shows of review models.

    Evaluations are compared on their test reviews; where there are not two of them, training jobs on their
    validation reviews.

    Args:
        runs: the best first.
    """
    for action, noun, read in (("evaluate", "test", _of_test), ("train", "validation", _of_validation)):
        curves = {run.legend: curve for run, curve in read_each(runs, action, read)}
        if len(curves) > 1:
            yield _overlaid(curves, noun)
            return


def _of_test(folder: JobFolder) -> Curve:
    metrics = folder.metrics
    rows = enough_called(folder.numbers(artifacts.CURVES), metrics)
    return [row["recall"] for row in rows], [row["precision"] for row in rows], metrics["average_precision"]


def _of_validation(folder: JobFolder) -> Curve:
    labels, probabilities = artifacts.validation_scores(folder)
    precisions, recalls, _ = precision_recall_curve(labels, probabilities)
    called = recalls * labels.sum() >= min(FEWEST_CALLED, len(labels)) * precisions
    shown = np.flatnonzero(called)
    shown = shown[
        np.unique(np.linspace(0, len(shown) - 1, min(_MOST_POINTS, len(shown))).round().astype(int))
    ]
    average = float(average_precision_score(labels, probabilities))
    return recalls[shown].tolist(), precisions[shown].tolist(), average


def _overlaid(curves: dict[str, Curve], noun: str) -> Figure:
    drawing = new_drawing(6.0, 4.6 + 0.2 * len(curves))
    axes = drawing.add_subplot(
        xlabel="recall: share of positive reviews found",
        ylabel="precision: share right of those called positive",
        xlim=(0, 1.01),
    )
    axes.grid(visible=True)
    for place, (legend, (recalls, precisions, average)) in enumerate(curves.items()):
        look = line_look(place) | {"marker": ""}
        axes.plot(recalls, precisions, **look, linewidth=1.6, label=f"{number(average, 4)}  {legend}")
    axes.set_ylim(top=1.005)
    legend_box = drawing.legend(
        loc="outside lower left", fontsize="small", title="average precision", alignment="left"
    )
    for text in legend_box.get_texts():
        text.set_parse_math(False)
    averages = "; ".join(f"{legend} {number(average, 4)}" for legend, (_, _, average) in curves.items())
    return Figure(
        "precision_recall_curves",
        "Precision-recall curves",
        f"On the {noun} reviews of each run, where at least {FEWEST_CALLED} reviews are called positive. "
        "Reviews may differ between runs where data or seeds do.",
        f"Precision against recall of {len(curves)} models. Average precision: {averages}.",
        drawing,
    )
