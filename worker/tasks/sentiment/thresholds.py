"""Chooses the probability from which a review is called positive, and shows what other choices would cost."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from jobs.wording import counted
from worker.context import JobContext
from worker.tasks.sentiment.evaluation import Labels, Probabilities, measures
from worker.tasks.sentiment.spec import Evaluate

FEW_TO_CHOOSE_BY = 200
"""Validation reviews: from fewer, a threshold is only approximate."""

PRECISIONS = (0.8, 0.85, 0.9, 0.95, 0.98)
"""For the table of what precision costs."""


@dataclass(frozen=True)
class Choice:
    """A threshold, and what it gives on the reviews by which it was chosen.

    Attributes:
        threshold: the probability from which a review is called positive.
        precision: there.
        recall: there.
        reached: whether the target was reached.
    """

    threshold: float
    precision: float
    recall: float
    reached: bool


def threshold_for_precision(labels: Labels, probabilities: Probabilities, target: float) -> Choice:
    """Choose the threshold with the highest recall among those that reach a precision.

    Where none does, the choice is the one with the highest precision. A review whose probability is the
    threshold is called positive.

    Args:
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.
        target: a precision between 0 and 1.
    """
    precision, recall, thresholds = metrics.precision_recall_curve(labels, probabilities)
    # The last point stands for no review at all being called positive; it has no threshold.
    precision, recall = precision[:-1], recall[:-1]
    reaching = np.flatnonzero(precision >= target)
    # Recall falls with the threshold, so the first has the highest.
    best = int(reaching[0]) if len(reaching) else int(np.argmax(precision))
    return Choice(float(thresholds[best]), float(precision[best]), float(recall[best]), len(reaching) > 0)


def threshold_for_recall(labels: Labels, probabilities: Probabilities, target: float) -> Choice:
    """Choose the threshold with the highest precision among those that reach a recall, the last of equals.

    Args:
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.
        target: a recall between 0 and 1, which the lowest threshold always reaches.
    """
    precision, recall, thresholds = metrics.precision_recall_curve(labels, probabilities)
    reaching = np.flatnonzero(recall[:-1] >= target)
    best = int(reaching[-1] - np.argmax(precision[reaching][::-1]))
    return Choice(float(thresholds[best]), float(precision[best]), float(recall[best]), reached=True)


def choose_threshold(
    context: JobContext, parameters: Evaluate, validation: tuple[Labels, Probabilities], default: float
) -> tuple[float, dict[str, float]]:
    """Choose the threshold that the parameters ask for, on validation reviews.

    Args:
        context: gets notes on what is doubtful about the choice.
        parameters: with a target precision, a target recall, or neither.
        validation: labels and probabilities of the training job's validation reviews.
        default: the threshold where there is no target.

    Returns:
        The threshold; and the target with what was reached on the validation reviews, for `metrics.json`.
    """
    if parameters.target_precision is not None:
        name, target = "precision", parameters.target_precision
        choice = threshold_for_precision(*validation, target)
    elif parameters.target_recall is not None:
        name, target = "recall", parameters.target_recall
        choice = threshold_for_recall(*validation, target)
    else:
        return default, {}
    if not choice.reached:
        context.note(
            f"No threshold has a {name} of {target:.1%} on the validation reviews; the evaluation uses "
            f"the one that comes closest, with {getattr(choice, name):.1%}."
        )
    count = len(validation[0])
    if count < FEW_TO_CHOOSE_BY:
        context.note(
            f"The threshold was chosen on only {counted(count, 'validation review')}, so it is approximate."
        )
    return choice.threshold, {
        f"target_{name}": target,
        "validation_precision": choice.precision,
        "validation_recall": choice.recall,
    }


def price_of_precision(
    validation: tuple[Labels, Probabilities], test: tuple[Labels, Probabilities], threshold: float
) -> list[tuple[float, ...]]:
    """Measure on test reviews what thresholds give that were chosen on validation reviews.

    Args:
        validation: labels and probabilities.
        test: the same of the test reviews.
        threshold: the one in use.

    Returns:
        Rows of the target precision (0 for the threshold in use), the threshold, and on the test reviews
        precision, recall, false positives and false negatives. An unreachable precision has no row.
    """
    names = ("precision", "recall", "false_positives", "false_negatives")
    rows = []
    for target, value in [(0.0, threshold), *_reachable(*validation)]:
        found = measures(*test, value)
        rows.append((target, value, *(found[name] for name in names)))
    return rows


def _reachable(labels: Labels, probabilities: NDArray[np.float64]) -> Iterator[tuple[float, float]]:
    """The precisions that can be reached, with their thresholds."""
    for target in PRECISIONS:
        choice = threshold_for_precision(labels, probabilities, target)
        if choice.reached:
            yield target, choice.threshold
