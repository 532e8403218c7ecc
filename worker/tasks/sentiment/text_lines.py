"""Reads reviews from a text file: one on each line, or with a label before each, as fastText has them.

fastText's format: https://fasttext.cc/docs/en/supervised-tutorial.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import counted, shown
from worker.tasks.sentiment.bad_rows import BadRows
from worker.tasks.sentiment.bounded_file import BoundedFile
from worker.tasks.sentiment.columns import Columns
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.records import Record
from worker.tasks.sentiment.reviews import Note

PREFIX = "__label__"

_LABELS = re.compile(rf"(?:{PREFIX}\S*+\s*+)*+")
_A_LINE = f"a line like `{PREFIX}positive a good film`"


@dataclass(frozen=True)
class TextLines:
    """A text file."""

    source: BoundedFile
    options: FileOptions
    labelled: bool
    unit = "line"

    @cached_property
    def columns(self) -> Columns:
        """One for the text, and one for labels if its lines have them.

        Raises:
            InvalidData: the job names columns, or labels are needed and there are none.
        """
        for option, name in (("text", self.options.text_column), ("label", self.options.label_column)):
            if name is not None:
                given = f"{shown_path(self.source.path)}, whose lines have none"
                raise InvalidData(f"{option}_column", expected="a file with columns", given=given)
        line = self._first_line()
        if line.startswith(PREFIX):
            return Columns(1, 0, "text", PREFIX, unusual=(("label_column", PREFIX),))
        if self.labelled:
            raise self.source.problem(
                1, _A_LINE, shown(line), "labels may also stand in a .csv, .tsv or .jsonl file"
            )
        return Columns(0, None, "text", "")

    def records(self, note: Note, bad: BadRows) -> Iterator[Record]:
        """Yield line number, text and label of each line, the label without its prefix.

        Args:
            note: gets a sentence if labels were there and not needed.
            bad: gets the lines that have no label where others have one, or several.

        Raises:
            InvalidData: a line is too long, or the columns are wrong.
            Enough: what was wanted of the file has been read.
            UnicodeError: it changed since its encoding was found.
        """
        prefixed = bool(self.columns.label_name)
        if prefixed and not self.labelled:
            note(f"{shown_path(self.source.path.name)}: what begins with {PREFIX} is no part of the text.")
        with self.source.open() as file:
            for number, line in enumerate(self.source.lines(file), start=1):
                text, labels = line.rstrip("\n"), []
                if prefixed and (found := _LABELS.match(text)):
                    text, labels = text[found.end() :], found[0].split()
                if self.labelled and text.strip() and len(labels) != 1:
                    given = counted(len(labels), "label")
                    bad.add(self.source.problem(number, _A_LINE, given), given)
                else:
                    yield number, text, labels[0].removeprefix(PREFIX) if labels else None

    def _first_line(self) -> str:
        with self.source.open() as file:
            return next((line.rstrip("\n") for line in self.source.lines(file) if line.strip()), "")
