"""What the scores of test reviews say: thresholds and what they cost, intervals, accuracy by length."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from worker.data.reviews import LABEL_NAMES

RESAMPLES = 10_000

INTERVAL = (2.5, 97.5)
"""Percentiles: 95 % of the resamples lie between."""

CURVE_POINTS = 400
"""Of the many thresholds there are, as many as a figure can show."""

PRECISIONS = (0.8, 0.85, 0.9, 0.95, 0.98)
"""For the table of what precision costs."""

LENGTHS = (0, 50, 100, 150, 200, 300, 500)
"""Words at which a class of review lengths begins."""

Labels = NDArray[np.uint8]
Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Choice:
    """A threshold that was chosen, and what it gave where it was chosen."""

    threshold: float
    precision: float
    recall: float
    reached: bool


def threshold_for_precision(labels: Labels, probabilities: Probabilities, target: float) -> Choice:
    """The threshold with the highest recall among those that reach a precision.

    Where none does, the one with the highest precision. A review is called positive from the threshold up.
    """
    precision, recall, thresholds = metrics.precision_recall_curve(labels, probabilities)
    # The last point stands for no review at all being called positive; there is no threshold for it.
    precision, recall = precision[:-1], recall[:-1]
    reaching = np.flatnonzero(precision >= target)
    # Recall falls with the threshold, so the first is the one with most of it.
    best = int(reaching[0]) if len(reaching) else int(np.argmax(precision))
    return Choice(float(thresholds[best]), float(precision[best]), float(recall[best]), len(reaching) > 0)


def threshold_for_recall(labels: Labels, probabilities: Probabilities, target: float) -> Choice:
    """The threshold with the highest precision among those that reach a recall, of equal ones the highest."""
    precision, recall, thresholds = metrics.precision_recall_curve(labels, probabilities)
    reaching = np.flatnonzero(recall[:-1] >= target)
    best = int(reaching[-1] - np.argmax(precision[reaching][::-1]))
    return Choice(float(thresholds[best]), float(precision[best]), float(recall[best]), reached=True)


def measures(labels: Labels, probabilities: Probabilities, threshold: float) -> dict[str, float]:
    """Everything that is a single number, by scikit-learn; `positive` is the class that is looked for."""
    predicted = probabilities >= threshold
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        labels, predicted, average="binary", zero_division=0.0
    )
    confusion = metrics.confusion_matrix(labels, predicted, labels=(0, 1)).ravel()
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    return {
        "accuracy": float(metrics.accuracy_score(labels, predicted)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": float(metrics.roc_auc_score(labels, probabilities)),
        "average_precision": float(metrics.average_precision_score(labels, probabilities)),
        "threshold": threshold,
        **{name: int(count) for name, count in zip(names, confusion, strict=True)},
    }


def intervals(counts: dict[str, float], seed: int) -> dict[str, float]:
    """95 % confidence intervals of accuracy and F1, by the percentile bootstrap (Efron, 1979).

    To draw as many reviews as there are, with replacement, is to draw the four counts of the confusion
    matrix from a multinomial distribution, so no review needs to be touched.

    Args:
        counts: with the four counts that `measures` gives.
        seed: of the resamples.
    """
    names = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    observed = np.array([counts[name] for name in names])
    total = observed.sum()
    drawn = np.random.default_rng([seed, 3]).multinomial(int(total), observed / total, RESAMPLES)
    right, wrong = drawn[:, 0], drawn[:, 1] + drawn[:, 2]
    samples = {
        "accuracy": (right + drawn[:, 3]) / total,
        # Nothing found and nothing missed happens in tiny sets only, and counts as zero there.
        "f1": 2 * right / np.maximum(2 * right + wrong, 1),
    }
    found = {}
    for name, values in samples.items():
        found[f"{name}_low"], found[f"{name}_high"] = (
            float(value) for value in np.percentile(values, INTERVAL)
        )
    return found


def class_report(labels: Labels, probabilities: Probabilities, threshold: float) -> list[tuple[Any, ...]]:
    """scikit-learn's classification report: class, precision, recall, F1, reviews."""
    report = metrics.classification_report(
        labels,
        probabilities >= threshold,
        labels=(0, 1),
        target_names=LABEL_NAMES,
        output_dict=True,
        zero_division=0.0,
    )
    rows = (*LABEL_NAMES, "macro avg", "weighted avg")
    columns = ("precision", "recall", "f1-score", "support")
    return [(row, *(float(report[row][column]) for column in columns)) for row in rows]


def curves(labels: Labels, probabilities: Probabilities) -> list[tuple[float, ...]]:
    """Threshold, precision, recall, F1 and false positive rate, from the lowest threshold up."""
    precision, recall, thresholds = metrics.precision_recall_curve(labels, probabilities)
    false_positives, _, _ = metrics.roc_curve(labels, probabilities, drop_intermediate=False)
    # roc_curve goes from the highest threshold down, after one that no review reaches.
    false_positives = false_positives[1:][::-1]
    points = np.unique(np.linspace(0, len(thresholds) - 1, CURVE_POINTS).round().astype(int))
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    columns = (thresholds, precision, recall, f1, false_positives)
    return list(zip(*(column[points].tolist() for column in columns), strict=True))


def by_length(
    labels: Labels, probabilities: Probabilities, threshold: float, lengths: NDArray[np.int32]
) -> list[tuple[int, int, int, float]]:
    """Shortest and longest length, reviews, and accuracy, for classes of lengths that hold reviews."""
    right = (probabilities >= threshold) == labels
    rows = []
    for begin, end in zip(LENGTHS, [*LENGTHS[1:], np.inf], strict=True):
        inside = (lengths >= begin) & (lengths < end)
        if inside.any():
            shortest, longest = int(lengths[inside].min()), int(lengths[inside].max())
            rows.append((shortest, longest, int(inside.sum()), float(right[inside].mean())))
    return rows


def price_of_precision(
    validation: tuple[Labels, Probabilities], test: tuple[Labels, Probabilities], threshold: float
) -> list[tuple[float, ...]]:
    """What thresholds chosen on validation data give on test data.

    Returns:
        Rows of the precision asked for (0 for the threshold in use), the threshold, and on the test data
        precision, recall, false positives and false negatives. A precision out of reach has no row.
    """
    choices = [(target, threshold_for_precision(*validation, target)) for target in PRECISIONS]
    thresholds = [
        (0.0, threshold),
        *((target, choice.threshold) for target, choice in choices if choice.reached),
    ]
    rows = []
    for target, value in thresholds:
        found = measures(*test, value)
        names = ("precision", "recall", "false_positives", "false_negatives")
        rows.append((target, value, *(found[name] for name in names)))
    return rows


def surest_errors(
    labels: Labels, probabilities: Probabilities, threshold: float, count: int
) -> Sequence[int]:
    """The reviews that are on the wrong side of the threshold, those with the surest probabilities first."""
    wrong = np.flatnonzero((probabilities >= threshold) != labels)
    doubt = np.where(labels[wrong] == 1, probabilities[wrong], 1 - probabilities[wrong])
    return [int(review) for review in wrong[np.argsort(doubt, kind="stable")][:count]]
