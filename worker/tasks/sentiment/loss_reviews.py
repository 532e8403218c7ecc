"""The training reviews by which the training loss is measured: drawn once, and named in the job's folder.

The loss that a training run sums up on the way is that of weights which change with each step and are not
saved: beside the validation loss of the weights that are, it hides the gap between the two.
"""

import numpy as np
from numpy.typing import NDArray

from jobs.wording import counted
from worker.context import JobContext
from worker.tasks.sentiment.review_set import ReviewSet
from worker.tasks.sentiment.split import Split

MOST, FEWEST = 2_500, 500
"""Between them as many as there are validation reviews, so that measuring takes a small part of an epoch:
of IMDB's, which has some 2,400, a twentieth."""

FILE = "training_loss_reviews.csv"


def loss_reviews(training: NDArray[np.int64], validation: int, seed: int) -> NDArray[np.int64]:
    """Choose the training reviews on which the training loss is measured, the same in each epoch.

    Args:
        training: the reviews to learn from, as indices.
        validation: how many validation reviews there are.
        seed: of the job.

    Returns:
        As many of them as there are validation reviews, though at least `FEWEST` and at most `MOST`, drawn at
        random, ascending; all where there are no more.
    """
    count = min(max(validation, FEWEST), MOST)
    if len(training) <= count:
        return training
    return np.sort(np.random.default_rng([seed, 4]).choice(training, count, replace=False))


def name_loss_reviews(
    context: JobContext, reviews: ReviewSet, split: Split, chosen: NDArray[np.int64]
) -> None:
    """Write which reviews they are, with a note for the report.

    Args:
        context: of the job; the file has each review's number in the data, counted from 1, and its label.
        reviews: all of them.
        split: of the job.
        chosen: as `loss_reviews` returns them.
    """
    rows = list(zip((chosen + 1).tolist(), reviews.labels[chosen].tolist(), strict=True))
    context.write_table(FILE, ("review", "label"), rows)
    count = counted(len(split.training), "training review")
    which = f"all {count}" if len(chosen) == len(split.training) else f"{len(chosen):,} of the {count}"
    context.note(
        f"The training loss is that of the weights as they are saved after an epoch, on {which} ({FILE})."
    )
