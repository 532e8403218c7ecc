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
from jobs.wording import counted
from worker.tasks.sentiment.folders import CLASSES, decoded
from worker.tasks.sentiment.reviews import LONGEST_REVIEW, Note, Review
from worker.tasks.sentiment.spec import KERAS_IMDB, KERAS_IMDB_WORD_INDEX, KERAS_IMDB_WORD_INDEX_MD5

LARGEST_ARCHIVE = 2_000_000_000
"""Bytes after decompression. The original has 0.5 GB; a larger one was made to exhaust the machine."""

_NAME = re.compile(r"(?:\./)?aclImdb/(train|test)/(neg|pos)/[^/]+\.txt")
_LARGEST_READ = LONGEST_REVIEW + tarfile.RECORDSIZE


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
                    yield Review(text, dict(CLASSES)[place[2]], place[1] == "test")
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        reason = str(error) or type(error).__name__
        raise _refused(path, "a gzipped tar archive", f"a damaged or different file ({reason})") from None
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
    content, index = path.read_bytes(), index_path.read_bytes()
    if hashlib.sha256(content).hexdigest() != KERAS_IMDB.sha256:
        raise InvalidData(
            shown_path(path),
            expected=f"the file that Keras publishes (SHA-256 {KERAS_IMDB.sha256})",
            given="another one, which is not opened since it may hold code",
            hint=f"download {KERAS_IMDB.url}",
        )
    if hashlib.md5(index, usedforsecurity=False).hexdigest() != KERAS_IMDB_WORD_INDEX_MD5:
        raise _refused(
            index_path, f"the file that Keras publishes (MD5 {KERAS_IMDB_WORD_INDEX_MD5})", "another one"
        )
    words = {number: word for word, number in json.loads(index).items()}
    with np.load(io.BytesIO(content), allow_pickle=True) as stored:
        for part in ("train", "test"):
            for numbers, label in zip(stored[f"x_{part}"], stored[f"y_{part}"], strict=True):
                yield Review(" ".join(words[number] for number in numbers), int(label), part == "test")


def _check_member(path: Path, member: tarfile.TarInfo, *, is_review: bool) -> None:
    name = member.name[:100]
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise _refused(path, "names inside the archive's folder", f"{name!r}, which leads out of it")
    if member.islnk() or member.issym():
        raise _refused(path, "no links, as in the original", f"the link {name!r}")
    if is_review and member.size > LONGEST_REVIEW:
        raise _refused(
            path,
            f"reviews of at most {LONGEST_REVIEW:,} bytes",
            f"{name!r}, which has {counted(member.size, 'byte')}",
        )


def _refused(path: Path, expected: str, given: str) -> InvalidData:
    return InvalidData(shown_path(path), expected=expected, given=given)


class _Bounded(io.RawIOBase):
    """A decompressed archive that refuses to fill the memory.

    `tarfile` reads a whole extended header at once, however large it claims to be.
    """

    def __init__(self, file: gzip.GzipFile, path: Path) -> None:
        self._file = file
        self._path = path

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes.

        Raises:
            InvalidData: no genuine archive needs so many bytes at once, or in all.
        """
        if not 0 <= size <= _LARGEST_READ:
            raise _refused(self._path, f"headers of at most {_LARGEST_READ:,} bytes", "a larger one")
        self._check(self._file.tell() + size)
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, by decompressing everything before it.

        Raises:
            InvalidData: no genuine archive is that large.
        """
        self._check(offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place in the decompressed archive."""
        return self._file.tell()

    def _check(self, offset: int) -> None:
        if offset > LARGEST_ARCHIVE:
            raise _refused(
                self._path, f"at most {LARGEST_ARCHIVE:,} bytes after decompression", "a larger archive"
            )
