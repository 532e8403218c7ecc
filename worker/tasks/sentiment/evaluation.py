"""Measures a classifier by the scores of test reviews: metrics, curves, accuracy by length."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from worker.tasks.sentiment.confusion import HALF, Labels, Probabilities, confusion_of
from worker.tasks.sentiment.reviews import LABEL_NAMES

CURVE_POINTS = 400
"""Of all thresholds, as many as a figure can show."""

LENGTHS = (0, 50, 100, 150, 200, 300, 500)
"""Words at which each class of review lengths begins."""


def measures(labels: Labels, probabilities: Probabilities, threshold: float) -> dict[str, float]:
    """Compute every metric of scores that is a single number; precision, recall and F1 are of `positive`.

    Args:
        labels: (reviews,), 1 for positive, of both classes.
        probabilities: (reviews,), of positive.
        threshold: the probability from which a review is called positive.

    Returns:
        Metrics by the names of METRICS, those that have a value: at the threshold and, if it is another one,
        at 0.5; and of the ranking alone.
    """
    values = confusion_of(labels, probabilities, threshold).measures()
    at_half = confusion_of(labels, probabilities, HALF).measures() if threshold != HALF else {}
    return {
        "balanced_accuracy": values.pop("balanced_accuracy"),
        "threshold": threshold,
        **values,
        "roc_auc": float(metrics.roc_auc_score(labels, probabilities)),
        "average_precision": float(metrics.average_precision_score(labels, probabilities)),
        **{f"{name}_at_half": value for name, value in at_half.items()},
    }


def counts_and_intervals(labels: Labels, probabilities: Probabilities, threshold: float) -> dict[str, float]:
    """Count the reviews, and compute the ends of the 95 % intervals of `measures`.

    Args:
        labels: (reviews,), 1 for positive, of both classes.
        probabilities: (reviews,), of positive.
        threshold: the probability from which a review is called positive.

    Returns:
        Metrics by the names of METRICS; if the threshold is not 0.5, the interval of balanced accuracy there
        as well.
    """
    counts = confusion_of(labels, probabilities, threshold)
    ends = counts.intervals()
    if threshold != HALF:
        at_half = confusion_of(labels, probabilities, HALF).intervals()
        ends |= {
            f"balanced_accuracy_at_half_{end}": at_half[f"balanced_accuracy_{end}"] for end in ("low", "high")
        }
    return {
        "reviews": counts.reviews,
        "positive_reviews": counts.positives,
        **counts._asdict(),
        **ends,
    }


def class_report(labels: Labels, probabilities: Probabilities, threshold: float) -> list[tuple[Any, ...]]:
    """Compute scikit-learn's classification report.

    Args:
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.
        threshold: the probability from which a review is called positive.

    Returns:
        Rows of class, precision, recall, F1 and reviews: the two classes, then the two averages. The
        precision of a class that no review is called is an empty text, and so are its averages.
    """
    called = probabilities >= threshold
    *scores, reviews = metrics.precision_recall_fscore_support(
        labels, called, labels=(0, 1), zero_division=np.nan
    )
    of_classes = np.array(scores)
    columns = [*of_classes.T, of_classes.mean(axis=1), of_classes @ reviews / reviews.sum()]
    names = (*LABEL_NAMES, "macro avg", "weighted avg")
    return [
        (name, *("" if np.isnan(value) else float(value) for value in column), int(count))
        for name, column, count in zip(names, columns, [*reviews, *[reviews.sum()] * 2], strict=True)
    ]


def curves(labels: Labels, probabilities: Probabilities) -> list[tuple[float, ...]]:
    """Compute what each threshold gives, for the precision-recall and ROC curves.

    Args:
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.

    Returns:
        Rows of threshold, precision, recall, F1 and false positive rate, from the lowest threshold up: at
        most CURVE_POINTS, and that with the highest F1.
    """
    precision, recall, thresholds = metrics.precision_recall_curve(labels, probabilities)
    false_positives, _, _ = metrics.roc_curve(labels, probabilities, drop_intermediate=False)
    # roc_curve begins with a threshold that no review reaches, and goes down from there.
    false_positives = false_positives[1:][::-1]
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    even = np.linspace(0, len(thresholds) - 1, CURVE_POINTS).round().astype(int)
    points = np.unique([*even, np.argmax(f1[:-1])])
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
    """Find the reviews on the wrong side of the threshold, the most confident mistakes first.

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
