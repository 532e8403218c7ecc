"""Decides which reviews a job learns from, validates with and measures by, and refuses too few of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import counted
from worker.context import JobContext
from worker.tasks.sentiment.datasets import ReviewSet, test_part, validation_part
from worker.tasks.sentiment.reviews import LABEL_NAMES, ReviewSource

FEWEST_OF_A_LABEL = 10
"""Reviews of each label: two for testing, one for validation, seven to learn from."""


@dataclass(frozen=True)
class Split:
    """The reviews of a training job, by their places in the source.

    Attributes:
        training: int64, those to learn from.
        validation: int64, those that choose the best epoch.
        test: how many are for testing only.
    """

    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: int


def split_for_training(context: JobContext, source: ReviewSource, reviews: ReviewSet) -> Split:
    """Split reviews for a training job; `job.json` has the sizes of the parts.

    Args:
        context: its seed chooses the validation part.
        source: of the reviews.
        reviews: all of them.

    Returns:
        The parts.

    Raises:
        InvalidData: there are too few reviews of a label, or no word appears twice.
    """
    _check_enough(source, reviews)
    test, validation = test_part(reviews), validation_part(reviews, context.spec.seed)
    split = Split(np.flatnonzero(~test & ~validation), np.flatnonzero(validation), int(test.sum()))
    if not reviews.test.any():
        context.note(
            "The data has no test part: a fifth of the reviews, chosen by a checksum of their text, is held "
            "out for testing."
        )
    context.data[source.name] |= {
        "training_reviews": len(split.training),
        "validation_reviews": len(split.validation),
        "test_reviews": split.test,
        "vocabulary": len(reviews.vocabulary.words),
    }
    return split


def reviews_to_measure_by(context: JobContext, source: ReviewSource, reviews: ReviewSet) -> NDArray[np.int64]:
    """Choose the reviews that an evaluation measures by, as places in the source.

    They are those that the training job did not use. In other data than it read, they are the test part, or
    all reviews where there is none.

    Args:
        context: of the evaluation; `context.source` is the training job.
        source: of the reviews.
        reviews: all of them.

    Returns:
        int64 (measured reviews,), ascending.

    Raises:
        InvalidData: all of the chosen reviews have the same label.
    """
    chosen = (
        _left_alone(context, reviews)
        if context.trained_on(source.sha256)
        else _of_other_data(context, reviews)
    )
    places = np.flatnonzero(chosen)
    found = set(reviews.labels[places].tolist())
    if len(found) < 2:
        raise InvalidData(
            shown_path(source.name),
            expected="test reviews of both labels",
            given=f"only {LABEL_NAMES[found.pop()]} ones",
        )
    context.data[source.name] |= {"measured_reviews": len(places)}
    return places


def _check_enough(source: ReviewSource, reviews: ReviewSet) -> None:
    for label, name in enumerate(LABEL_NAMES):
        count = int((reviews.labels == label).sum())
        if count < FEWEST_OF_A_LABEL:
            raise InvalidData(
                shown_path(source.name),
                expected=f"at least {counted(FEWEST_OF_A_LABEL, 'review')} of each label",
                given=counted(count, f"{name} review"),
            )
    if not reviews.vocabulary.words:
        raise InvalidData(
            shown_path(source.name),
            expected="reviews with words in common",
            given="no word that appears twice",
        )


def _left_alone(context: JobContext, reviews: ReviewSet) -> NDArray[np.bool_]:
    test = test_part(reviews)
    again = int(np.isin(reviews.keys[test], reviews.keys[~test]).sum())
    if again:
        context.note(
            f"Of the {counted(int(test.sum()), 'test review')} {again:,} also occur, word for word, among "
            "the training reviews; the data itself has these duplicates."
        )
    return test


def _of_other_data(context: JobContext, reviews: ReviewSet) -> NDArray[np.bool_]:
    has_test_part = bool(reviews.test.any())
    measured = "The test part" if has_test_part else "Every review"
    context.note(f"The model was trained on other data. {measured} of this data is measured.")
    return reviews.test if has_test_part else np.ones(len(reviews.labels), np.bool_)
