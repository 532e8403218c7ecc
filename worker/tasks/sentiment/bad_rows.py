"""What becomes of rows that cannot be read: the first is refused, or all are left out and counted."""

from jobs.errors import InvalidData
from worker.tasks.sentiment.file_options import SKIP

NAMED = 5
"""Rows that were left out, in a note."""


class BadRows:
    """The rows of one file that cannot be read.

    Attributes:
        count: how many there are so far.
        first: the error of the first one.
    """

    def __init__(self, *, skip: bool) -> None:
        self._skip = skip
        self._named: list[str] = []
        self.count = 0
        self.first: InvalidData | None = None

    def add(self, error: InvalidData, what: str) -> None:
        """Leave a row out, or refuse it.

        Args:
            error: what is wrong; its field ends in the place, after a comma.
            what: the same in a few words: `3 columns`.

        Raises:
            InvalidData: the error, with a hint on the way out.
        """
        if not self._skip:
            hint = f"{error.hint}; {SKIP}" if error.hint else SKIP
            raise InvalidData(error.field, expected=error.expected, given=error.given, hint=hint) from None
        self.count += 1
        self.first = self.first or error
        if len(self._named) < NAMED:
            self._named.append(f"{error.field.rpartition(', ')[2]}: {what}")

    def shown(self) -> str:
        """The first few: `line 3: the label 'x'; line 7: 5 columns`."""
        return "; ".join([*self._named, *(["…"] if self.count > NAMED else [])])
