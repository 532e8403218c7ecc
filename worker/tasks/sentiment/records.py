"""What the reader of each form of file gives: texts of reviews, with their labels as they are written."""

from collections.abc import Iterator
from typing import Protocol

from jobs.wording import shown
from worker.tasks.sentiment.bad_rows import BadRows
from worker.tasks.sentiment.columns import Columns
from worker.tasks.sentiment.reviews import Note

Record = tuple[int, str, object]
"""Number, text and label of a review; the number is that of a line or of a review, counted from 1."""


class Records(Protocol):
    """A file of one form, which can be read as often as needed."""

    @property
    def unit(self) -> str:
        """What of the file is counted: `line` or `review`."""

    @property
    def columns(self) -> Columns:
        """Those that are read.

        Raises:
            InvalidData: they cannot be found.
            Enough: nor in what was wanted of the file.
        """

    def records(self, note: Note, bad: BadRows) -> Iterator[Record]:
        """Yield the reviews in the file's order.

        Args:
            note: gets sentences about what was guessed.
            bad: gets what cannot be read.

        Raises:
            InvalidData: the columns cannot be found, or the file is invalid.
            Enough: what was wanted of the file has been read.
            UnicodeError: it changed since its encoding was found.
        """


def shown_value(value: object, most: int = 60) -> str:
    """A value of a file as a message quotes it; of an array or object only the type.

    Args:
        value: of JSON, or a text.
        most: characters to show at most.
    """
    if isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    return shown(value, most)
