"""How good a model is on reviews that it has not seen, where others are among those measured."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from jobs.wording import counted
from worker.context import JobContext
from worker.tasks.sentiment.confusion import Labels, Probabilities, confusion_of
from worker.tasks.sentiment.wording import rounded
from worker.training.seen_examples import FEWEST_UNSEEN, Digests, seen_before, validated_before

_NAMES = ("balanced_accuracy", "accuracy")


def unseen_measures(
    context: JobContext, digests: Digests, labels: Labels, probabilities: Probabilities, threshold: float
) -> dict[str, float]:
    """Say if a model was trained or validated on some of the test reviews, and measure it on the others.

    Args:
        context: of the evaluation; `context.source` is the training job.
        digests: (reviews,), of the test reviews.
        labels: (reviews,), 1 for positive.
        probabilities: (reviews,), of positive.
        threshold: the probability from which a review is called positive.

    Returns:
        `seen_reviews`, how many it was trained on, and `validated_reviews`, how many others chose its epoch;
        if any, `balanced_accuracy_unseen` and `accuracy_unseen` of the rest with their intervals, where they
        are enough and of both classes. Nothing where the training job kept no digests.

    Raises:
        DamagedFolder: the digests are there and cannot be read.
    """
    seen = seen_before(context.source, digests)
    validated = validated_before(context.source, digests)
    if seen is None or validated is None:
        kind = "its reviews" if seen is None else "its validation reviews"
        context.note(
            f"The training job kept no digests of {kind}, so it is not known whether some of the "
            f"{counted(len(digests), 'test review')} are among them."
        )
    if seen is None:
        return {}
    found: dict[str, float] = {"seen_reviews": int(seen.sum())}
    if validated is not None:
        found["validated_reviews"] = int(validated.sum())
    others = ~seen if validated is None else ~(seen | validated)
    if others.all():
        return found
    unseen = _unseen(others, labels, probabilities, threshold)
    _tell(context, len(digests), found, unseen)
    return found | unseen


def _tell(
    context: JobContext, reviews: int, overlap: Mapping[str, float], unseen: Mapping[str, float]
) -> None:
    """Warn of training reviews among so many test reviews; where there are none, note validation reviews."""
    seen, validated = int(overlap["seen_reviews"]), int(overlap.get("validated_reviews", 0))
    among_validation = "among the model's validation reviews, by which its epoch was chosen"
    rest = ""
    if unseen:
        balanced, accuracy = (rounded(unseen[f"{name}_unseen"]) for name in _NAMES)
        rest = f" Without them the balanced accuracy is {balanced} and the accuracy {accuracy}."
    total = counted(reviews, "test review")
    if seen:
        also = f", and {validated:,} {among_validation}" if validated else ""
        context.warn(
            f"{seen:,} of the {total} {_are(seen)} among the model's training reviews{also}; expect worse "
            f"numbers on new ones.{rest}"
        )
    else:
        context.note(f"{validated:,} of the {total} {_are(validated)} {among_validation}.{rest}")


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _unseen(
    unseen: NDArray[np.bool_], labels: Labels, probabilities: Probabilities, threshold: float
) -> dict[str, float]:
    counts = confusion_of(labels[unseen], probabilities[unseen], threshold)
    if counts.reviews < FEWEST_UNSEEN or not counts.positives or not counts.negatives:
        return {}
    measures, ends = counts.measures(), counts.intervals()
    return {f"{name}_unseen": measures[name] for name in _NAMES} | {
        f"{name}_unseen_{end}": ends[f"{name}_{end}"] for name in _NAMES for end in ("low", "high")
    }
