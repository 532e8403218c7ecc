"""Chooses the probability from which a review is called positive, and shows what other choices would cost."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv

from jobs.wording import counted
from worker.context import JobContext
from worker.tasks.sentiment.confusion import HALF, Labels, Probabilities, Target, confusion_of
from worker.tasks.sentiment.spec import Evaluate
from worker.tasks.sentiment.wording import percent, rounded

CONFIDENCE = 0.95
"""With which a precision or a recall holds that a threshold was chosen for."""

PRICED = (0.8, 0.85, 0.9, 0.95, 0.98)
"""Precisions or recalls, for the table of what they cost."""


@dataclass(frozen=True)
class Choice:
    """A threshold, and what it gives on the reviews by which it was chosen.

    Attributes:
        threshold: the probability from which a review is called positive.
        precision: there.
        recall: there.
        bound: the lower bound of what was asked for, at the confidence.
        reached: whether the bound reaches the target.
    """

    threshold: float
    precision: float
    recall: float
    bound: float
    reached: bool


@dataclass(frozen=True)
class _Cuts:
    """Every way to call the reviews with the highest scores positive: arrays (cuts,), the fewest first.

    Attributes:
        called: reviews called positive.
        right: those that are.
        positives: all that are.
        least: the lowest score that is called positive.
        below: the highest score that is not, 0 where all are called positive.
    """

    called: NDArray[np.int64]
    right: NDArray[np.int64]
    positives: int
    least: NDArray[np.float64]
    below: NDArray[np.float64]


def choose(target: Target, share: float, labels: Labels, probabilities: Probabilities) -> Choice:
    """Choose a threshold by reviews, so that a precision or a recall holds for others like them.

    It does with a confidence of 95 % where its lower bound by Clopper and Pearson (1934),
    https://doi.org/10.1093/biomet/26.4.404, is no lower. For a precision the choice is the lowest threshold
    with such a bound, which has the highest recall; for a recall the highest one. Where there is none, it is
    the threshold with the highest bound. It lies in the middle between two scores.

    A recall falls with the threshold, so its confidence is exact. A precision need not rise with it, and the
    choice among many thresholds is not corrected for: where scores separate the classes, one choice in twenty
    misses as stated; where precision is the same at all of several hundred thresholds, and just short of what
    is asked for, up to four in ten do, by as little as it is short.

    Args:
        target: what is asked for.
        share: how much of it, between 0 and 1.
        labels: (reviews,), 1 for positive, of both classes.
        probabilities: (reviews,), of positive.
    """
    cuts = _cuts(labels, probabilities)
    counts = cuts.called if target == "precision" else np.full_like(cuts.called, cuts.positives)
    # The bound is no lower where so many right ones, or more, would be this rare if the share were the truth.
    rare = betainc(np.maximum(cuts.right, 1), counts - cuts.right + 1, share) <= 1 - CONFIDENCE
    reaching = np.flatnonzero(rare & (cuts.right > 0))
    if len(reaching):
        place = int(reaching[-1] if target == "precision" else reaching[0])
    else:
        place = int(np.argmax(_lower_bounds(cuts.right, counts)))
    return Choice(
        threshold_between(float(cuts.below[place]), float(cuts.least[place])),
        float(cuts.right[place] / cuts.called[place]),
        float(cuts.right[place] / cuts.positives),
        float(_lower_bounds(cuts.right[place], counts[place])),
        len(reaching) > 0,
    )


def threshold_between(below: float, least: float) -> float:
    """The middle of the gap between two scores, to a tenth of the gap: the decimal with the fewest digits.

    So the text of the threshold, read again, is the same number, and no score is close to it.

    Args:
        below: the highest score that is not called positive.
        least: the lowest score that is; 0 if `below` is 0 too, and then so is the threshold.
    """
    middle = (below + least) / 2
    digits = next((n for n in range(2, 17) if abs(round(middle, n) - middle) <= (least - below) / 10), 17)
    return round(middle, digits)


def choose_threshold(
    context: JobContext, parameters: Evaluate, validation: tuple[Labels, Probabilities], default: float
) -> tuple[float, dict[str, float]]:
    """Choose the threshold that the parameters ask for, on validation reviews.

    Args:
        context: gets a note where the target is out of reach.
        parameters: with a target precision, a target recall, or neither.
        validation: labels and probabilities of the training job's validation reviews.
        default: the threshold where there is no target.

    Returns:
        The threshold; and the target with what was reached on the validation reviews, for `metrics.json`.
    """
    target: Target
    if parameters.target_precision is not None:
        target, share = "precision", parameters.target_precision
    elif parameters.target_recall is not None:
        target, share = "recall", parameters.target_recall
    else:
        return default, {}
    choice = choose(target, share, *validation)
    if not choice.reached:
        context.note(
            f"By the {counted(len(validation[0]), 'validation review')} no threshold has a {target} of "
            f"{percent(share)} with {percent(CONFIDENCE)} confidence; the evaluation uses the one with the "
            f"highest lower bound, {rounded(choice.bound)}."
        )
    at_half = confusion_of(*validation, HALF)
    measured = at_half.measures() | at_half.intervals()
    return choice.threshold, {
        f"target_{target}": share,
        "validation_bound": choice.bound,
        "validation_precision": choice.precision,
        "validation_recall": choice.recall,
        **{f"validation_{name}": measured[name] for name in measured if name.startswith("balanced_accuracy")},
    }


def target_of(metrics: Mapping[str, float]) -> Target | None:
    """What the threshold of an evaluation was chosen for, if it was.

    Args:
        metrics: of the evaluation, those of `choose_threshold` among them.
    """
    names: tuple[Target, ...] = ("precision", "recall")
    return next((name for name in names if f"target_{name}" in metrics), None)


def target_margin(metrics: Mapping[str, float]) -> dict[str, float]:
    """By how much test reviews exceed the target (`target_margin`), if there is one and it has a value.

    Args:
        metrics: of the evaluation, those of `choose_threshold` among them.
    """
    target = target_of(metrics)
    if target is None or target not in metrics:
        return {}
    return {"target_margin": metrics[target] - metrics[f"target_{target}"]}


def warn_if_missed(context: JobContext, metrics: Mapping[str, float]) -> None:
    """Warn if test reviews miss the target beyond chance, or cannot have it.

    Args:
        context: of the evaluation.
        metrics: of it, the ends of intervals among them.
    """
    target = target_of(metrics)
    if target is None:
        return
    share = metrics[f"target_{target}"]
    if target not in metrics:
        context.warn(
            f"No test review is called positive, so there is no {target} to compare with the "
            f"{percent(share)} that were asked for."
        )
    elif metrics[f"{target}_high"] < share:
        low, value, high = (rounded(metrics[name]) for name in (f"{target}_low", target, f"{target}_high"))
        context.warn(
            f"The target is missed: a {target} of {percent(share)} was asked for, the test reviews have "
            f"{value}, 95 % interval {low} to {high}."
        )


def prices(
    target: Target,
    validation: tuple[Labels, Probabilities],
    test: tuple[Labels, Probabilities],
    threshold: float,
) -> list[tuple[float, ...]]:
    """Measure on test reviews what thresholds give that were chosen on validation reviews.

    Args:
        target: what the thresholds are chosen for.
        validation: labels and probabilities.
        test: the same of the test reviews.
        threshold: the one in use.

    Returns:
        Rows of the target (0 for the threshold in use), the threshold, and on the test reviews precision,
        recall, false positives and false negatives. An unreachable target has no row, nor has a threshold at
        which no test review is called positive.
    """
    rows: list[tuple[float, ...]] = []
    for share, value in [(0.0, threshold), *_reachable(target, *validation)]:
        counts = confusion_of(*test, value)
        if counts.called_positive:
            precision, recall = (counts.measures()[name] for name in ("precision", "recall"))
            rows.append((share, value, precision, recall, counts.false_positives, counts.false_negatives))
    return rows


def _reachable(target: Target, labels: Labels, probabilities: Probabilities) -> Iterator[tuple[float, float]]:
    """The targets that can be reached, with their thresholds."""
    for share in PRICED:
        choice = choose(target, share, labels, probabilities)
        if choice.reached:
            yield share, choice.threshold


def _cuts(labels: Labels, probabilities: Probabilities) -> _Cuts:
    order = np.argsort(-probabilities, kind="stable")
    scores = probabilities[order]
    last = np.flatnonzero(np.append(scores[:-1] > scores[1:], True))
    right = np.cumsum(labels[order], dtype=np.int64)
    return _Cuts(last + 1, right[last], int(right[-1]), scores[last], np.append(scores, 0.0)[last + 1])


def _lower_bounds(hits: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The one-sided lower bounds of shares by Clopper and Pearson."""
    bounds: NDArray[np.float64] = betaincinv(np.maximum(hits, 1), counts - hits + 1, 1 - CONFIDENCE)
    return np.where(hits > 0, bounds, 0.0)
