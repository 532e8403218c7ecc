"""Finds the reviews that `--data` names: a dataset, or a person's own file or folder."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from jobs.settings import Settings
from jobs.store.atomic_files import sha256_of
from worker.datasets.locate import locate
from worker.tasks.sentiment import folders, imdb, toy_reviews
from worker.tasks.sentiment.file_options import NO_OPTIONS, FileOptions
from worker.tasks.sentiment.imdb_films import IMDB_FOLDER, films_of
from worker.tasks.sentiment.reviews import Note, Review, ReviewSource, unreadable
from worker.tasks.sentiment.spec import KERAS_IMDB, Generate, Train
from worker.tasks.sentiment.user_files import ReviewFile

_REVIEWS_BETWEEN_CHECKS = 1_000


def open_reviews(
    data: str,
    settings: Settings,
    options: FileOptions = NO_OPTIONS,
    *,
    labelled: bool,
    check_stop: Callable[[], None] = lambda: None,
) -> ReviewSource:
    """Find reviews, and read enough of them to know their checksum.

    Args:
        data: a dataset's name, or a path.
        settings: its `data_dir` is where datasets lie; a missing one is downloaded to it.
        options: how a file of one's own is read.
        labelled: whether every review needs a label, as for training and evaluation.
        check_stop: called several times a second while reviews are read; may raise.

    Raises:
        InvalidData: nothing has that name, it cannot be downloaded, or it cannot be read.
    """
    source = _find(data, settings, options, labelled)
    return replace(source, read=partial(_stoppable, source.read, check_stop))


def _find(data: str, settings: Settings, options: FileOptions, labelled: bool) -> ReviewSource:
    name, dataset, path = locate(Train if labelled else Generate, data, settings)
    if path is None:
        return ReviewSource(name, None, toy_reviews.sha256(), toy_reviews.read_toy_reviews, True)
    if path.is_dir():
        folders.refuse_columns(path, options)
        read = partial(folders.read_folder, path)
        if path.name == IMDB_FOLDER:
            read = partial(read, group_of=films_of)
        return ReviewSource(name, path, folders.fingerprint(path), read, dataset is not None)
    if dataset is None:
        file = ReviewFile.inspect(path, options, labelled=labelled)
        read_as = tuple(file.described().items())
        return ReviewSource(name, path, file.sha256, file.read, options=options, read_as=read_as)
    read_file = imdb.read_keras if path.name == KERAS_IMDB.file else imdb.read_archive
    return ReviewSource(name, path, _sha256_of(path), partial(read_file, path), True)


def _sha256_of(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise unreadable(path, error) from None


def _stoppable(
    read: Callable[[Note], Iterator[Review]], check_stop: Callable[[], None], note: Note
) -> Iterator[Review]:
    for place, review in enumerate(read(note)):
        if place % _REVIEWS_BETWEEN_CHECKS == 0:
            check_stop()
        yield review
