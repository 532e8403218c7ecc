"""Reads reviews from a CSV or TSV file, row by row.

Ours, because pandas reads a file whole, treats texts like `NA` as missing and tries one encoding.

The first line names the columns, as `columns.py` says; further columns are ignored. In a table without a
header, they are told by number, or the first row is plainly a review. Quotes and newlines inside a quoted
field are the CSV standard's (RFC 4180); a semicolon or a tab between the columns of a CSV is recognised, and
so is the line `sep=;` that Excel reads and other programs write for it.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TextIO

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import counted
from worker.tasks.sentiment.bad_rows import BadRows
from worker.tasks.sentiment.bounded_file import BoundedFile, Enough
from worker.tasks.sentiment.columns import (
    Columns,
    NoColumns,
    find_columns,
    numbered_columns,
    unnamed_columns,
)
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.label_scale import listed_scale
from worker.tasks.sentiment.records import Record
from worker.tasks.sentiment.reviews import LABELS, LONGEST_REVIEW, Note

MOST_COLUMNS = 10_000
LONGEST_ROW = 2 * LONGEST_REVIEW
"""Characters in all columns of a row, which quotes may spread over any number of lines."""

_A_ROW = f"a row of at most {LONGEST_ROW:,} characters and {MOST_COLUMNS:,} columns"
_SEPARATOR = re.compile(r'"?sep=([,;|\t])"?\s*', re.IGNORECASE)
_QUOTE_IT = "put quotes around a text that contains the separator"
_CSV_ERRORS = {
    "field larger than field limit": (
        f"a field of at most {LONGEST_REVIEW:,} characters",
        "a longer one",
        None,
    ),
    "unexpected end of data": ("a closing quote", "the end of the file", None),
    "expected after": (
        "the next column after a closing quote",
        "more text",
        "write a quote inside a text twice",
    ),
}
"""Part of the csv module's message -> what was expected, what was given, a hint."""


class Layout(NamedTuple):
    """How a table is laid out.

    Attributes:
        dialect: options for `csv.reader`.
        skipped: rows before the first review.
        width: how many columns each row has.
        columns: those that are read.
        notes: sentences about what was guessed.
    """

    dialect: Mapping[str, Any]
    skipped: int
    width: int
    columns: Columns
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ReviewTable:
    """A CSV or TSV file."""

    source: BoundedFile
    options: FileOptions
    labelled: bool
    unit = "line"

    @property
    def columns(self) -> Columns:
        """Those that are read.

        Raises:
            InvalidData: they are not there.
        """
        return self.layout.columns

    def records(self, note: Note, bad: BadRows) -> Iterator[Record]:
        """Yield line number, text and label of each row, the label as the file has it.

        Args:
            note: gets sentences about what was guessed.
            bad: gets the rows with a wrong number of columns.

        Raises:
            InvalidData: the columns are not there, or a row is invalid.
            Enough: what was wanted of the file has been read.
            UnicodeError: it changed since its encoding was found.
        """
        dialect, skipped, width, (text, label, *_), notes = self.layout
        for sentence in notes:
            note(sentence)
        with self._rows(dialect) as rows:
            for _ in range(skipped):
                next(rows)
            for line, row in rows:
                if len(row) != width:
                    wanted = f"{counted(width, 'column')} as in the first line"
                    error = self.source.problem(line, wanted, f"{len(row)}", _QUOTE_IT)
                    bad.add(error, counted(len(row), "column"))
                    continue
                yield line, row[text], None if label is None else row[label]

    @cached_property
    def layout(self) -> Layout:
        """How the table is laid out, found by its first row, and the quotes of a TSV by all of it.

        Raises:
            InvalidData: the columns are not there.
        """
        separator = self._separator()
        skipped = 0 if separator is None else 1
        is_tsv = self.source.path.suffix.lower() == ".tsv"
        candidates = [separator] if separator else ["\t"] if is_tsv else [",", ";", "\t"]
        first = {delimiter: self._first_row(delimiter, skipped) for delimiter in candidates}
        delimiter, columns = self._find(first)
        has_header = bool(columns.text_name)
        dialect: dict[str, Any] = {"delimiter": delimiter, "strict": True}
        name = shown_path(self.source.path.name)
        notes = [f"{name}: {columns.note}."] if columns.note else []
        if is_tsv and not self._quotes_hold(dialect, skipped):
            notes.append(f"{name}: its quotes are read as part of the text.")
            dialect["quoting"] = csv.QUOTE_NONE
        return Layout(dialect, skipped + has_header, len(first[delimiter]), columns, tuple(notes))

    def _separator(self) -> str | None:
        """What the first line says of the separator, if it is Excel's `sep=;`."""
        with self.source.open(newline="") as file:
            found = _SEPARATOR.fullmatch(file.readline(20))
        return found[1] if found else None

    def _first_row(self, delimiter: str, skipped: int) -> list[str]:
        with self._rows({"delimiter": delimiter}) as rows:
            for _ in range(skipped):
                next(rows, None)
            return next(rows, (0, []))[1]

    def _find(self, first: Mapping[str, list[str]]) -> tuple[str, Columns]:
        """The separator and the columns.

        Args:
            first: the first row for each separator.
        """
        labels = listed_scale(self.options).meaning if self.options.positive else LABELS
        ways: tuple[Callable[[list[str]], Columns | None], ...] = (
            lambda row: find_columns(row, self.options, labelled=self.labelled),
            lambda row: numbered_columns(row, self.options, labelled=self.labelled),
            lambda row: unnamed_columns(row, self.options, labels, labelled=self.labelled),
        )
        failures: list[tuple[int, NoColumns]] = []
        for way in ways:
            for delimiter, row in first.items():
                try:
                    columns = way(row)
                except NoColumns as error:
                    failures.append((len(row), error))
                else:
                    if columns:
                        return delimiter, columns
        _, failed = max(reversed(failures), key=lambda failure: failure[0])
        raise self.source.problem(1, failed.expected, failed.given, failed.hint)

    def _quotes_hold(self, dialect: Mapping[str, Any], skipped: int) -> bool:
        """Whether the whole file obeys the rules for quotes: many TSV files have none."""
        widths: set[int] = set()
        try:
            with self._rows(dialect) as rows:
                for _ in range(skipped):
                    next(rows)
                for _, row in rows:
                    widths.add(len(row))
                    if len(widths) > 1:
                        return False
        except InvalidData:
            return False
        except Enough:
            pass
        return len(widths) == 1

    @contextmanager
    def _rows(self, dialect: Mapping[str, Any]) -> Iterator[Iterator[tuple[int, list[str]]]]:
        """The rows of the table, each with the number of its last line; the errors of `csv` become ours."""
        with self.source.open(newline="") as file, _long_fields():
            yield self._read_rows(file, dialect)

    def _read_rows(self, file: TextIO, dialect: Mapping[str, Any]) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not empty.

        Raises:
            InvalidData: one is invalid, too long, or has too many columns.
        """
        delimiter, row_length, line = dialect["delimiter"], 0, 0

        def lines() -> Iterator[str]:
            nonlocal row_length
            for number, line in enumerate(self.source.lines(file), start=1):
                row_length += len(line)
                # Each column takes memory before it can be counted; those of a quoted text are not columns.
                crowded = len(line) > MOST_COLUMNS and line.count(delimiter) >= MOST_COLUMNS
                if row_length > LONGEST_ROW or (crowded and '"' not in line):
                    raise self.source.problem(number, _A_ROW, "a longer one")
                yield line

        rows = csv.reader(lines(), **dialect)
        try:
            for row in rows:
                row_length = 0
                if len(row) > MOST_COLUMNS:
                    raise self.source.problem(rows.line_num, _A_ROW, counted(len(row), "column"))
                if any(row) or row == [""]:  # that of a blank line is []; this one is a review without text
                    line = rows.line_num
                    yield line, row
        except csv.Error as error:
            reasons = (reason for part, reason in _CSV_ERRORS.items() if part in str(error))
            expected, given, hint = next(reasons, ("a valid CSV row", f"an invalid one ({error})", None))
            raise self.source.problem(line + 1, expected, given, hint) from None


@contextmanager
def _long_fields() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters a field, which the whole process shares."""
    before = csv.field_size_limit(LONGEST_REVIEW)
    try:
        yield
    finally:
        csv.field_size_limit(before)
