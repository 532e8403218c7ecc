"""Finds the reviews that `--data` names: a dataset, or a file or folder of one's own."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from jobs.datasets import DATASETS, KERAS_IMDB, check_data, shown_path
from jobs.errors import InvalidData
from jobs.files import sha256_of
from jobs.settings import Settings
from worker.data import review_archives, review_folders, toy_reviews
from worker.data.download import obtain
from worker.data.review_files import ReviewFile
from worker.data.reviews import Note, Review, ReviewSource

_REVIEWS_BETWEEN_CHECKS = 1_000


def open_reviews(
    data: str, settings: Settings, *, labelled: bool, check_stop: Callable[[], None] = lambda: None
) -> ReviewSource:
    """Find reviews, and look at them closely enough to know their checksum.

    Args:
        data: a dataset's name, or a path.
        settings: its `data_dir` is where datasets lie, and where one that is missing is downloaded to.
        labelled: whether every review needs a label, as for training and evaluation.
        check_stop: called every small part of a second while reviews are read; may raise.

    Raises:
        InvalidData: there is nothing of that name, or nothing that can be read.
    """
    source = _find(data, settings, labelled)
    return replace(source, read=partial(_stoppable, source.read, check_stop))


def _find(data: str, settings: Settings, labelled: bool) -> ReviewSource:
    data = check_data("sentiment", "train" if labelled else "generate", data)
    if data == "toy-reviews":
        return ReviewSource(data, None, toy_reviews.sha256(), toy_reviews.read_toy_reviews)
    path = obtain(data, settings) if data in DATASETS else Path(data)
    if path.is_dir():
        read = partial(review_folders.read_folder, path)
        return ReviewSource(data, path, review_folders.fingerprint(path), read)
    if data in DATASETS:
        read = partial(
            review_archives.read_keras if path.name == KERAS_IMDB.file else review_archives.read_archive, path
        )
        try:
            return ReviewSource(data, path, sha256_of(path), read)
        except OSError as error:
            raise InvalidData(f"{shown_path(path)} cannot be read ({error.strerror})") from None
    file = ReviewFile.inspect(path)
    return ReviewSource(data, path, file.sha256, partial(file.read, labelled=labelled))


def _stoppable(
    read: Callable[[Note], Iterator[Review]], check_stop: Callable[[], None], note: Note
) -> Iterator[Review]:
    for place, review in enumerate(read(note)):
        if place % _REVIEWS_BETWEEN_CHECKS == 0:
            check_stop()
        yield review
