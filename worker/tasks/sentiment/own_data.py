"""Checks reviews of a person's own before a job is queued: their beginning, by the readers that the job uses.

What lies further on is found by the job itself.
"""

from collections.abc import Sequence
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData, MissingPart
from worker.tasks.sentiment.enough import OF_ONE_LABEL, check_both_labels, check_enough
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.folders import read_beginning, read_folder, refuse_columns
from worker.tasks.sentiment.reviews import LABEL_NAMES, Review, digest_bytes
from worker.tasks.sentiment.user_files import ReviewFile

MOST_CHARACTERS = 1_000_000
"""Of a file: a tenth of a second."""

MOST_FILES = 200
"""Of each folder with reviews."""


def check_own_data(
    path: Path,
    action: str,
    *,
    text_column: str | None = None,
    label_column: str | None = None,
    positive: Sequence[str] = (),
    negative: Sequence[str] = (),
    on_bad_row: str = "refuse",
) -> list[str]:
    """Refuse a file or folder that a job could not read, as far as its beginning tells.

    Args:
        path: of it.
        action: of the job: `train`, `evaluate` or `generate`, which needs no labels.
        text_column: as the job has it, and so are the others.
        label_column: the column with the labels.
        positive: the labels that count as positive.
        negative: the labels that count as negative.
        on_bad_row: `skip` where rows that cannot be read are left out.

    Returns:
        How it is read, where that may surprise.

    Raises:
        InvalidData: the reader of the job refuses it; or all of it was read, and it has no reviews, too few
            to learn from, or none of a label to measure by.
    """
    options = FileOptions(text_column, label_column, tuple(positive), tuple(negative), on_bad_row == "skip")
    notes: list[str] = []
    if path.is_dir():
        refuse_columns(path, options)
        found = list(read_beginning(path, MOST_FILES))
        is_whole = len(found) < MOST_FILES
        reviews = list(read_folder(path, notes.append)) if is_whole else found
    else:
        file = ReviewFile.beginning(path, MOST_CHARACTERS, options, labelled=action != "generate")
        try:
            reviews, is_read = file.read_all(notes.append)
        except MissingPart:  # here; workers may have it
            return notes
        is_whole = is_read and path.stat().st_size <= MOST_CHARACTERS
    if is_whole and not reviews:
        raise InvalidData(shown_path(path), expected="at least one review", given="none")
    if is_whole and action == "train":
        _check_training(path, reviews)
    if is_whole and action == "evaluate":
        measured = [review for review in reviews if review.test] or reviews
        check_both_labels(str(path), "test", {review.label for review in measured}, OF_ONE_LABEL)
    return notes if is_whole else [f"By its first {MOST_CHARACTERS:,} characters: {note}" for note in notes]


def _check_training(path: Path, reviews: Sequence[Review]) -> None:
    to_learn_from = [review for review in reviews if not review.test]
    has_test_part = len(to_learn_from) < len(reviews)
    for label in range(len(LABEL_NAMES)):
        texts = [digest_bytes(review.text) for review in to_learn_from if review.label == label]
        check_enough(str(path), label, len(set(texts)), len(texts), has_test_part=has_test_part)
