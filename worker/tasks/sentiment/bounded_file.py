"""A person's own text file, read line by line, none so long that it would fill the memory."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.regular_files import open_regular
from worker.tasks.sentiment.reviews import LARGEST_FILE, LONGEST_REVIEW

BLOCK = 1 << 16
"""Characters that `blocks` reads at once."""


class Enough(Exception):
    """The beginning of a file was read, and no more is wanted."""


@dataclass(frozen=True)
class BoundedFile:
    """A text file whose encoding is known.

    Attributes:
        most: characters after which no further line is read, about; None for all.
    """

    path: Path
    encoding: str
    most: int | None = None

    def open(self, newline: str | None = None) -> TextIO:
        """Open it; `newline` as for Python's `open`.

        Raises:
            OSError: it is not a regular file, or cannot be read.
        """
        file = open_regular(self.path, LARGEST_FILE, follow=True)
        return io.TextIOWrapper(file, self.encoding, newline=newline)

    def lines(self, file: TextIO) -> Iterator[str]:
        """Yield the lines of the file that `open` returned.

        Raises:
            InvalidData: one is too long.
            Enough: `most` characters have been read.
            UnicodeError: it changed since its encoding was found.
        """
        number = passed = 0
        with self._encoded():
            while line := file.readline(LONGEST_REVIEW + 1):
                if self.most is not None and passed > self.most:
                    raise Enough
                number, passed = number + 1, passed + len(line)
                if len(line) > LONGEST_REVIEW:
                    raise self.problem(number, f"at most {LONGEST_REVIEW:,} characters", "a longer line")
                yield line

    def blocks(self, file: TextIO) -> Iterator[str]:
        """Yield the content of the file that `open` returned, `BLOCK` characters at a time.

        Raises:
            Enough: `most` characters have been read.
            UnicodeError: it changed since its encoding was found.
        """
        passed = 0
        with self._encoded():
            while block := file.read(BLOCK):
                if self.most is not None and passed > self.most:
                    raise Enough
                passed += len(block)
                yield block

    @contextmanager
    def _encoded(self) -> Iterator[None]:
        """Take bytes in another encoding after the beginning of a file for the end of what is wanted."""
        try:
            yield
        except UnicodeError:
            if self.most is None:
                raise
            raise Enough from None

    def problem(self, line: int, expected: str, given: str, hint: str | None = None) -> InvalidData:
        """Return the error for a line, counted from 1."""
        return problem_at(self.path, line, expected, given, hint)


def problem_at(
    path: Path, place: int, expected: str, given: str, hint: str | None = None, *, unit: str = "line"
) -> InvalidData:
    """Return the error for a place in a file.

    Args:
        path: of the file.
        place: counted from 1.
        expected: what should be there.
        given: what is there.
        hint: how to fix it.
        unit: what is counted.
    """
    field = f"{shown_path(path)}, {unit} {place:,}"
    return InvalidData(field, expected=expected, given=given, hint=hint)
