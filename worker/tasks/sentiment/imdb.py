"""Reads the IMDB reviews as they are published: Stanford's tar archive, and Keras' npz file.

Ours, because TensorFlow Datasets would write a second copy to the disk and bring dozens of packages, and
Keras' `load_data` gives numbers in the place of words. The archive is read from one end to the other in
memory. Keras' file holds pickles, which can run code, so it is opened only if its checksum is the pinned one.
"""

import gzip
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.regular_files import open_regular, read_regular
from jobs.wording import counted
from worker.tasks.sentiment.folders import CLASSES, decoded
from worker.tasks.sentiment.imdb_films import films_of
from worker.tasks.sentiment.review_archive import read_members, refused
from worker.tasks.sentiment.reviews import Note, Review, unreadable
from worker.tasks.sentiment.spec import KERAS_IMDB, KERAS_IMDB_WORD_INDEX, KERAS_IMDB_WORD_INDEX_MD5

_NAME = re.compile(r"(?:\./)?aclImdb/(train|test)/(neg|pos)/[^/]+\.txt")
LARGEST_ARCHIVE = 2_000_000_000
"""Bytes after decompression. The original has 0.5 GB; a larger one was made to exhaust the machine."""

_LARGEST_INDEX = 10_000_000
"""Bytes of Keras' word index, which has 1.6 million."""


def read_archive(path: Path, note: Note) -> Iterator[Review]:
    """Yield the labelled reviews of aclImdb.tar.gz in the archive's order; its other files are skipped.

    Args:
        path: of the archive.
        note: gets a sentence on reviews that are not UTF-8.

    Raises:
        InvalidData: it is damaged, holds a link or a name that leads outside, or a review or the whole
            archive is too large to be genuine.
    """
    others = 0
    try:
        with open_regular(path, LARGEST_ARCHIVE, follow=True) as packed, gzip.open(packed) as unpacked:
            for name, content in read_members(path, unpacked, LARGEST_ARCHIVE, _is_review):
                _, part, label, file = name.removeprefix("./").split("/")
                text, is_utf_8 = decoded(content)
                others += not is_utf_8
                if text.strip():
                    test, number = part == "test", dict(CLASSES)[label]
                    yield Review(text, number, test, None if test else films_of(file, number))
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        reason = str(error) or type(error).__name__
        raise refused(path, "a gzipped tar archive", f"a damaged or different file ({reason})") from None
    if others:
        note(f"{counted(others, 'review is', 'reviews are')} not UTF-8; read as Windows-1252.")


def read_keras(path: Path, note: Note) -> Iterator[Review]:
    """Yield the reviews of Keras' imdb.npz, each as its words separated by spaces.

    Args:
        path: of the file; the word index lies beside it.
        note: gets a sentence on what the file does not hold.

    Raises:
        InvalidData: the file or the word index beside it is not the one that Keras publishes.
    """
    note(f"{KERAS_IMDB.file} holds words only: reviews are shown without punctuation, in lower case.")
    index_path = path.with_name(KERAS_IMDB_WORD_INDEX)
    content, index = _content(path, KERAS_IMDB.size), _content(index_path, _LARGEST_INDEX)
    if hashlib.sha256(content).hexdigest() != KERAS_IMDB.sha256:
        raise InvalidData(
            shown_path(path),
            expected=f"the file that Keras publishes (SHA-256 {KERAS_IMDB.sha256})",
            given="another one, which is not opened since it may hold code",
            hint=f"download {KERAS_IMDB.url}",
        )
    if hashlib.md5(index, usedforsecurity=False).hexdigest() != KERAS_IMDB_WORD_INDEX_MD5:
        raise refused(
            index_path, f"the file that Keras publishes (MD5 {KERAS_IMDB_WORD_INDEX_MD5})", "another one"
        )
    words = {number: word for word, number in json.loads(index).items()}
    with np.load(io.BytesIO(content), allow_pickle=True) as stored:
        for part in ("train", "test"):
            for numbers, label in zip(stored[f"x_{part}"], stored[f"y_{part}"], strict=True):
                yield Review(" ".join(words[number] for number in numbers), int(label), part == "test")


def _is_review(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def _content(path: Path, most_bytes: int) -> bytes:
    try:
        return read_regular(path, most_bytes, follow=True)
    except OSError as error:
        raise unreadable(path, error) from None
