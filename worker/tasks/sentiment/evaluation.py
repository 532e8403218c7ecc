"""Measures a classifier by the scores of test reviews: metrics, intervals, curves, accuracy by length."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from worker.tasks.sentiment.reviews import LABEL_NAMES

RESAMPLES = 10_000

INTERVAL = (2.5, 97.5)
"""Percentiles: 95 % of the resamples lie between them."""

CURVE_POINTS = 400
"""Of all thresholds, as many as a figure can show."""

LENGTHS = (0, 50, 100, 150, 200, 300, 500)
"""Words at which each class of review lengths begins."""

Labels = NDArray[np.uint8]
Probabilities = NDArray[np.float64]


def measures(labels: Labels, probabilities: Probabilities, threshold: float) -> dict[str, float]:
    """Compute every metric that is a single number, by scikit-learn; precision and recall are of `positive`.

    Args:
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.
        threshold: the probability from which a review is called positive.

    Returns:
        Metrics by the names of METRICS: those of an evaluation but the loss, the intervals and the target.
    """
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
    """Compute 95 % confidence intervals of accuracy and F1 by the percentile bootstrap.

    After Efron (1979), https://doi.org/10.1214/aos/1176344552. Drawing all reviews again with replacement is
    drawing the four counts of the confusion matrix from a multinomial distribution, so no review is touched.

    Args:
        counts: with the four counts that `measures` returns.
        seed: of the resamples.

    Returns:
        `accuracy_low`, `accuracy_high`, `f1_low` and `f1_high`.
    """
    names = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    observed = np.array([counts[name] for name in names])
    total = observed.sum()
    drawn = np.random.default_rng([seed, 3]).multinomial(int(total), observed / total, RESAMPLES)
    right, wrong = drawn[:, 0], drawn[:, 1] + drawn[:, 2]
    samples = {
        "accuracy": (right + drawn[:, 3]) / total,
        # No positive reviews and none called so, which only tiny sets have, count as zero.
        "f1": 2 * right / np.maximum(2 * right + wrong, 1),
    }
    found = {}
    for name, values in samples.items():
        found[f"{name}_low"], found[f"{name}_high"] = (
            float(value) for value in np.percentile(values, INTERVAL)
        )
    return found


def class_report(labels: Labels, probabilities: Probabilities, threshold: float) -> list[tuple[Any, ...]]:
    """Compute scikit-learn's classification report.

    Args:
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.
        threshold: the probability from which a review is called positive.

    Returns:
        Rows of class, precision, recall, F1 and reviews: the two classes, then the two averages.
    """
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
    """Compute what each threshold gives, for the precision-recall and ROC curves.

    Args:
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.

    Returns:
        At most CURVE_POINTS rows of threshold, precision, recall, F1 and false positive rate, from the lowest
        threshold up.
    """
    precision, recall, thresholds = metrics.precision_recall_curve(labels, probabilities)
    false_positives, _, _ = metrics.roc_curve(labels, probabilities, drop_intermediate=False)
    # roc_curve begins with a threshold that no review reaches, and goes down from there.
    false_positives = false_positives[1:][::-1]
    points = np.unique(np.linspace(0, len(thresholds) - 1, CURVE_POINTS).round().astype(int))
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    columns = (thresholds, precision, recall, f1, false_positives)
    return list(zip(*(column[points].tolist() for column in columns), strict=True))


def by_length(
    labels: Labels, probabilities: Probabilities, threshold: float, lengths: NDArray[np.int32]
) -> list[tuple[int, int, int, float]]:
    """Compute the accuracy by length of the review.

    Args:
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.
        threshold: the probability from which a review is called positive.
        lengths: (reviews,), in words.

    Returns:
        Rows of shortest and longest length, reviews and accuracy, for each class of lengths that has reviews.
    """
    right = (probabilities >= threshold) == labels
    rows = []
    for begin, end in zip(LENGTHS, [*LENGTHS[1:], np.inf], strict=True):
        inside = (lengths >= begin) & (lengths < end)
        if inside.any():
            shortest, longest = int(lengths[inside].min()), int(lengths[inside].max())
            rows.append((shortest, longest, int(inside.sum()), float(right[inside].mean())))
    return rows


def surest_errors(
    labels: Labels, probabilities: Probabilities, threshold: float, count: int
) -> Sequence[int]:
    """Find the reviews on the wrong side of the threshold, those with the surest probabilities first.

    Args:
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.
        threshold: the probability from which a review is called positive.
        count: most reviews to return.

    Returns:
        Their indices.
    """
    wrong = np.flatnonzero((probabilities >= threshold) != labels)
    doubt = np.where(labels[wrong] == 1, probabilities[wrong], 1 - probabilities[wrong])
    return [int(review) for review in wrong[np.argsort(doubt, kind="stable")][:count]]
