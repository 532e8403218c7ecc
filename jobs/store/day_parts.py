"""A day's file of the index in parts, so that a copy of it is brought up to date at the cost of one part.

Lines are added at the end, so a part that is full stays as it is, unless lines were removed from the file.
"""

import hashlib
import os
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

from jobs.store.history_row import MOST_LINE_BYTES

PART_BYTES = 1 << 17
"""A part has the lines that begin within so many bytes of the file."""


class Mark(NamedTuple):
    """How far a file was read.

    Attributes:
        end: where its last whole line ended.
        digest: of the bytes before that, among them the id of the last line's job: if any line before was
            removed since, others are there now.
    """

    end: int
    digest: str


class Part(NamedTuple):
    """The lines of one part of a file, and its number from 0."""

    number: int
    content: bytes


def mark_of(file: BufferedReader) -> Mark:
    """How far a file can be read now: to the end of its last whole line.

    Raises:
        OSError: it cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    tail = _between(file, size - MOST_LINE_BYTES, size)
    end = size - len(tail) + (tail.rfind(b"\n") + 1 or len(tail))
    return Mark(end, _digest(file, end))


def changed_parts(file: BufferedReader, now: Mark, before: Mark | None) -> Iterator[Part]:
    """The parts of a file up to a mark that differ from what they were at an earlier one, in their order.

    Args:
        file: a day's file.
        now: the mark of this file.
        before: the mark up to which all parts are known; None if none is.

    Raises:
        OSError: it cannot be read.
    """
    if before == now:
        return
    is_continued = before is not None and before.end <= now.end and before.digest == _digest(file, before.end)
    first = before.end // PART_BYTES if before is not None and is_continued else 0
    for number in range(first, count_of_parts(now)):
        yield _part(file, now, number)


def last_parts(file: BufferedReader, now: Mark) -> Iterator[Part]:
    """The parts of a file up to a mark, the last one first.

    Raises:
        OSError: it cannot be read.
    """
    return (_part(file, now, number) for number in reversed(range(count_of_parts(now))))


def count_of_parts(mark: Mark) -> int:
    """How many parts a file has up to a mark."""
    return -(-mark.end // PART_BYTES)


def _part(file: BufferedReader, now: Mark, number: int) -> Part:
    start = _line_from(file, number * PART_BYTES)
    return Part(number, _between(file, start, min(_line_from(file, (number + 1) * PART_BYTES), now.end)))


def _line_from(file: BufferedReader, place: int) -> int:
    """Where the first line begins at `place` or after it."""
    if place == 0:
        return 0
    ahead = _between(file, place - 1, place + MOST_LINE_BYTES)
    return place + (ahead.find(b"\n") if b"\n" in ahead else len(ahead) - 1)


def _digest(file: BufferedReader, end: int) -> str:
    return hashlib.blake2b(_between(file, end - MOST_LINE_BYTES, end), digest_size=8).hexdigest()


def _between(file: BufferedReader, start: int, end: int) -> bytes:
    start = max(0, start)
    return os.pread(file.fileno(), max(0, end - start), start)
