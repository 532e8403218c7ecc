"""What any classifier must beat: one answer for all reviews, and one probability for all."""

from collections.abc import Mapping

from scipy.special import entr

from jobs.wording import counted
from worker.context import JobContext
from worker.tasks.sentiment.confusion import Confusion
from worker.tasks.sentiment.reviews import LABEL_NAMES
from worker.tasks.sentiment.wording import rounded

BALANCED = 0.5
"""The balanced accuracy of any constant answer."""


def baselines(counts: Confusion, on: str = "") -> dict[str, float]:
    """Compute what the best constant answers have on these reviews.

    Args:
        counts: of reviews of both classes.
        on: what the names of the numbers that they are compared with begin with: `validation_`.

    Returns:
        `baseline_balanced_accuracy`; `baseline_accuracy`, of calling all reviews what most are; and
        `baseline_loss`, the cross-entropy in nats of giving all of them the share of positive ones, which no
        other constant probability can beat.
    """
    share = counts.positives / counts.reviews
    return {
        f"baseline_{on}balanced_accuracy": BALANCED,
        f"baseline_{on}accuracy": counts.majority_share,
        f"baseline_{on}loss": float(entr(share) + entr(1 - share)),
    }


def warn_if_no_better(
    context: JobContext, counts: Confusion, metrics: Mapping[str, float], reviews: str
) -> None:
    """Warn if a model is no better than a constant answer, or its probabilities than a constant one.

    A threshold that was chosen for a precision or a recall may cost accuracy, which is not compared then.

    Args:
        context: of the job.
        counts: at the threshold in use, of reviews of both classes.
        metrics: with `loss`, and `target_…` where the threshold was chosen.
        reviews: what they were measured on: `test`, `validation`.
    """
    on = f"on the {counted(counts.reviews, f'{reviews} review')}"
    balanced, accuracy = (counts.measures()[name] for name in ("balanced_accuracy", "accuracy"))
    low, high = (counts.intervals()[f"balanced_accuracy_{end}"] for end in ("low", "high"))
    constant = baselines(counts)
    if low <= BALANCED:
        context.warn(
            f"The model is {'not clearly' if balanced > BALANCED else 'no'} better than one answer for all "
            f"reviews: its balanced accuracy {on} is {rounded(balanced)}, 95 % interval {rounded(low)} to "
            f"{rounded(high)}; that of any constant answer is {BALANCED:g}."
        )
    elif accuracy <= constant["baseline_accuracy"] and not any(
        name.startswith("target_") for name in metrics
    ):
        majority = LABEL_NAMES[counts.positives > counts.negatives]
        context.warn(
            f"The model is right no more often than calling every review {majority}: its accuracy {on} is "
            f"{rounded(accuracy)}, that of the constant answer {rounded(constant['baseline_accuracy'])}."
        )
    if metrics["loss"] >= constant["baseline_loss"]:
        share = rounded(counts.positives / counts.reviews, 3)
        context.warn(
            f"The model's probabilities are no better than {share} for every "
            f"review: their cross-entropy {on} is {rounded(metrics['loss'])} nats, that of the constant "
            f"{rounded(constant['baseline_loss'])}."
        )
