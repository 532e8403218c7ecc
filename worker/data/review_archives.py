"""Reads the IMDB reviews as they are published: Stanford's tar archive, and Keras' npz file.

The archive is read from one end to the other in memory; nothing is unpacked to the disk. Keras'
file holds pickles, which can run code, so it is opened only if its checksum is the pinned one.
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

from jobs.datasets import KERAS_IMDB, KERAS_IMDB_WORD_INDEX, KERAS_IMDB_WORD_INDEX_MD5, shown_path
from jobs.errors import InvalidData
from worker.data.review_folders import CLASSES, decoded
from worker.data.reviews import LONGEST_REVIEW, Note, Review, counted

LARGEST_ARCHIVE = 2_000_000_000
"""Bytes after decompression. The original has 0.5 GB; what goes on for longer was made to fill a disk."""

_NAME = re.compile(r"(?:\./)?aclImdb/(train|test)/(neg|pos)/[^/]+\.txt")
_LARGEST_READ = LONGEST_REVIEW + tarfile.RECORDSIZE


def read_archive(path: Path, note: Note) -> Iterator[Review]:
    """Yield the labelled reviews of aclImdb.tar.gz in the archive's order; its other files are passed over.

    Raises:
        InvalidData: it is damaged, or holds a link, a name that leads outside, or a review or a
            whole that is too large to be honest.
    """
    labels = dict(CLASSES)
    others = 0
    try:
        with gzip.open(path) as unpacked, tarfile.TarFile(fileobj=_Bounded(unpacked, path)) as tar:
            for member in tar:
                # tarfile keeps every entry it has passed, some 1,000 bytes each.
                tar.members.clear()  # type: ignore[attr-defined]
                place = _NAME.fullmatch(member.name)
                _check_member(path, member, is_review=place is not None)
                content = tar.extractfile(member) if place and member.isreg() else None
                if place is None or content is None:
                    continue
                text, is_utf_8 = decoded(content.read())
                others += not is_utf_8
                if text.strip():
                    yield Review(text, labels[place[2]], place[1] == "test")
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise InvalidData(f"{shown_path(path)} is damaged or no gzipped tar archive ({error})") from None
    if others:
        note(f"{counted(others, 'review', 'reviews')} not being UTF-8, Windows-1252 was assumed")


def read_keras(path: Path, note: Note) -> Iterator[Review]:
    """Yield the reviews of Keras' imdb.npz, each as its words with a space between.

    Raises:
        InvalidData: the file or the word index beside it is not the one that Keras publishes.
    """
    note(f"{KERAS_IMDB.file} holds words only: reviews are shown without punctuation, in lower case")
    index_path = path.with_name(KERAS_IMDB_WORD_INDEX)
    content, index = path.read_bytes(), index_path.read_bytes()
    if hashlib.sha256(content).hexdigest() != KERAS_IMDB.sha256:
        raise InvalidData(
            f"{shown_path(path)} is not the file that Keras publishes (SHA-256 {KERAS_IMDB.sha256}); "
            "another one is not opened, since it may hold code"
        )
    if hashlib.md5(index, usedforsecurity=False).hexdigest() != KERAS_IMDB_WORD_INDEX_MD5:
        raise InvalidData(f"{shown_path(index_path)} is not the file that Keras publishes")
    words = {number: word for word, number in json.loads(index).items()}
    with np.load(io.BytesIO(content), allow_pickle=True) as stored:
        for part in ("train", "test"):
            for numbers, label in zip(stored[f"x_{part}"], stored[f"y_{part}"], strict=True):
                yield Review(" ".join(words[number] for number in numbers), int(label), part == "test")


def _check_member(path: Path, member: tarfile.TarInfo, *, is_review: bool) -> None:
    name = member.name[:100]
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise InvalidData(f"{shown_path(path)} holds {name!r}, a name that leads out of its folder")
    if member.islnk() or member.issym():
        raise InvalidData(f"{shown_path(path)} holds {name!r}, a link; the original has none")
    if is_review and member.size > LONGEST_REVIEW:
        raise InvalidData(f"{shown_path(path)} holds {name!r}, which is larger than {LONGEST_REVIEW:,} bytes")


class _Bounded(io.RawIOBase):
    """A decompressed archive that refuses to fill the memory.

    `tarfile` reads a whole extended header at once, however large it says that it is.
    """

    def __init__(self, file: gzip.GzipFile, path: Path) -> None:
        self._file = file
        self._path = path

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes, which must be a size that an honest archive needs."""
        if not 0 <= size <= _LARGEST_READ:
            raise InvalidData(
                f"{shown_path(self._path)} holds a header that is larger than {_LARGEST_READ:,} bytes"
            )
        self._check(self._file.tell() + size)
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, by decompressing all that lies before it."""
        self._check(offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place in the decompressed archive."""
        return self._file.tell()

    def _check(self, offset: int) -> None:
        if offset > LARGEST_ARCHIVE:
            raise InvalidData(f"{shown_path(self._path)} holds more than {LARGEST_ARCHIVE:,} bytes")
