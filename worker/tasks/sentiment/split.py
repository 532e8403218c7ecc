"""Decides which reviews a job learns from, validates with and measures by, and refuses too few of them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import counted
from worker.context import JobContext
from worker.tasks.sentiment.enough import OF_ONE_LABEL, check_both_labels, check_enough
from worker.tasks.sentiment.job_data import is_read_as_trained
from worker.tasks.sentiment.parts import SplitBy, split_by, test_part, validation_part, without_copies
from worker.tasks.sentiment.review_set import ReviewSet
from worker.tasks.sentiment.reviews import LABEL_NAMES, ReviewSource
from worker.training.seen_examples import write_seen

_HOW: dict[SplitBy, str] = {
    "group": "by films",
    "text": "chosen by a checksum of their text",
}


@dataclass(frozen=True)
class Split:
    """The reviews of a training job, by their places in the source.

    Attributes:
        training: int64, those to learn from.
        validation: int64, those that choose the best epoch, each text once.
        test: how many are for testing only.
    """

    training: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: int


def split_for_training(context: JobContext, source: ReviewSource, reviews: ReviewSet) -> Split:
    """Split reviews for a training job; its folder gets the sizes of the parts and what it learns from.

    Args:
        context: its seed chooses the validation part.
        source: of the reviews.
        reviews: all of them.

    Returns:
        The parts.

    Raises:
        InvalidData: there are too few different reviews of a label, or no words in common.
    """
    _check_enough(source, reviews)
    test, validation = test_part(reviews), validation_part(reviews, context.spec.seed)
    learnt = np.flatnonzero(~test & ~validation)
    split = Split(learnt, without_copies(reviews, validation), int(test.sum()))
    _note_copies(context, "validation", int(validation.sum()), len(split.validation))
    for part, places in (("training", split.training), ("validation", split.validation)):
        check_both_labels(source.name, part, set(reviews.labels[places].tolist()))
    _check_vocabulary(source, reviews, split)
    by = split_by(reviews)
    if not reviews.test.any():
        context.note(
            f"The data has no test part: a fifth of the different reviews of each label, {_HOW[by]}, is held "
            "out for testing."
        )
    write_seen(context.folder, reviews.digests[split.training], reviews.digests[split.validation])
    context.data[source.name] |= {
        "training_reviews": len(split.training),
        "validation_reviews": len(split.validation),
        "test_reviews": split.test,
        "split_by": by,
        "vocabulary": len(reviews.vocabulary.words),
    }
    return split


def reviews_to_measure_by(context: JobContext, source: ReviewSource, reviews: ReviewSet) -> NDArray[np.int64]:
    """Choose the reviews that an evaluation measures by, as places in the source.

    They are those that the training job did not use. In other data than it read, they are the test part, or
    all reviews where there is none. Of a person's own data, reviews with one text and label count once; the
    test part of a published dataset is measured whole, so that the numbers compare with others'.

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
        if is_read_as_trained(context, source)
        else _of_other_data(context, source, reviews)
    )
    different = without_copies(reviews, chosen)
    places = np.flatnonzero(chosen) if source.published else different
    _note_copies(context, "test", int(chosen.sum()), len(different), whole=source.published)
    check_both_labels(source.name, "test", set(reviews.labels[places].tolist()), OF_ONE_LABEL)
    context.data[source.name] |= {"measured_reviews": len(places)}
    return places


def _check_enough(source: ReviewSource, reviews: ReviewSet) -> None:
    has_test_part = bool(reviews.test.any())
    for label in range(len(LABEL_NAMES)):
        keys = reviews.keys[(reviews.labels == label) & ~reviews.test]
        check_enough(source.name, label, len(np.unique(keys)), len(keys), has_test_part=has_test_part)


def _check_vocabulary(source: ReviewSource, reviews: ReviewSet, split: Split) -> None:
    if not reviews.vocabulary.words:
        raise InvalidData(
            shown_path(source.name),
            expected="training reviews with words in common",
            given=f"{counted(len(split.training), 'training review')}, in which no word is read twice",
            hint="a word is a run of letters and digits; text without spaces is not split into words",
        )


def _left_alone(context: JobContext, reviews: ReviewSet) -> NDArray[np.bool_]:
    """The test part of the data that the model was trained on."""
    job = context.source.job
    if "group" not in {record.get("split_by") for record in job["data"].values()}:
        # Version 0.1 split by text alone, and recorded nothing.
        reviews = replace(reviews, groups=np.full_like(reviews.groups, -1))
    return test_part(reviews)


def _of_other_data(context: JobContext, source: ReviewSource, reviews: ReviewSet) -> NDArray[np.bool_]:
    has_test_part = bool(reviews.test.any())
    measured = "The test part" if has_test_part else "Every review"
    is_same = context.trained_on(source.sha256)
    trained_on = "this file with other columns or labels" if is_same else "another file or dataset"
    one = "it" if is_same else "this one"
    context.note(f"The model was trained on {trained_on}. {measured} of {one} is measured.")
    return reviews.test if has_test_part else np.ones(len(reviews.labels), np.bool_)


def _note_copies(
    context: JobContext, part: str, reviews: int, different: int, *, whole: bool = False
) -> None:
    copies = reviews - different
    what = "they count as well, as the dataset was published" if whole else "each text is measured once"
    if copies:
        context.note(
            f"{copies:,} of the {counted(reviews, f'{part} review')} "
            f"{'repeats' if copies == 1 else 'repeat'} the text and label of another one: {what}."
        )
