"""Reads reviews from a person's own CSV, TSV, JSONL and text files, line by line.

Ours, because pandas reads a file whole, treats texts like `NA` as missing and tries one encoding.

The first line of a CSV or TSV names the columns: `text` (or `review`) and `label` (or
`sentiment`), in any case and order; further columns are ignored. A JSONL file has one
object a line with the same names. Quotes and newlines inside a quoted field are the CSV
standard's (RFC 4180); a semicolon or a tab between the columns of a CSV is recognised.

A file is UTF-8, with or without a byte order mark, or UTF-16 or UTF-32 with one. Anything else
is read as Windows-1252, with a note, if all its bytes exist there.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import alternatives, counted, shown
from worker.tasks.sentiment.reviews import LABELS, LONGEST_REVIEW, Note, Review, without_surrogates
from worker.tasks.sentiment.text_encoding import checksum_and_encoding

TEXT_COLUMNS = ("text", "review")
LABEL_COLUMNS = ("label", "sentiment")

_A_LABEL = "a label (pos, neg, positive, negative, 1, 0, true, false)"
_AN_OBJECT = 'an object like {"text": "…", "label": "pos"}'
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


@dataclass(frozen=True)
class ReviewFile:
    """A file that was read once from end to end, to know its checksum and its encoding."""

    path: Path
    sha256: str
    encoding: str

    @classmethod
    def inspect(cls, path: Path) -> "ReviewFile":
        """Find out a file's checksum and encoding.

        Raises:
            InvalidData: it cannot be read, is empty, or is not text in an encoding that is supported.
        """
        return cls(path, *checksum_and_encoding(path))

    def read(self, note: Note, *, labelled: bool) -> Iterator[Review]:
        """Yield the reviews in the file's order.

        Args:
            note: gets a sentence on how many lines were skipped, and why.
            labelled: whether every review needs a label; without, labels are ignored.

        Raises:
            InvalidData: a line is invalid; the error has its number.
        """
        if self.encoding == "cp1252":
            note(f"{shown_path(self.path.name)} is not UTF-8; read as Windows-1252.")
        empty = 0
        for line, text, label in self._records(note, labelled):
            if not text.strip():
                empty += 1
                continue
            yield Review(without_surrogates(text), self._label(line, label) if labelled else None)
        if empty:
            note(f"{shown_path(self.path.name)}: skipped {counted(empty, 'review')} without text.")

    def _records(self, note: Note, labelled: bool) -> Iterator[tuple[int, str, object]]:
        """Line number, text and label of each record, the label as the file has it."""
        suffix = self.path.suffix.lower()
        if suffix == ".txt":
            return self._text_records()
        if suffix == ".jsonl":
            return self._json_records(labelled)
        return self._table_records(note, labelled)

    def _label(self, line: int, value: object) -> int:
        if isinstance(value, (list, dict)):
            raise self._problem(line, _A_LABEL, _shown_value(value))
        text = str(value).strip()
        label = LABELS.get(text.lower())
        if label is None:
            raise self._problem(line, _A_LABEL, shown(text if isinstance(value, str) else value, 42))
        return label

    def _problem(self, line: int, expected: str, given: str, hint: str | None = None) -> InvalidData:
        place = f"{shown_path(self.path)}, line {line:,}"
        return InvalidData(place, expected=expected, given=given, hint=hint)

    def _open(self, newline: str | None = None) -> TextIO:
        return self.path.open(encoding=self.encoding, newline=newline)

    def _lines(self, file: TextIO) -> Iterator[str]:
        """The lines of a file, none so long that it would fill the memory."""
        number = 0
        while line := file.readline(LONGEST_REVIEW + 1):
            number += 1
            if len(line) > LONGEST_REVIEW:
                raise self._problem(number, f"at most {LONGEST_REVIEW:,} characters", "a longer line")
            yield line

    def _text_records(self) -> Iterator[tuple[int, str, object]]:
        with self._open() as file:
            for number, line in enumerate(self._lines(file), start=1):
                yield number, line.rstrip("\n"), None

    def _json_records(self, labelled: bool) -> Iterator[tuple[int, str, object]]:
        with self._open() as file:
            for number, line in enumerate(self._lines(file), start=1):
                if line.strip():
                    yield self._json_record(number, line, labelled)

    def _json_record(self, number: int, line: str, labelled: bool) -> tuple[int, str, object]:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise self._problem(number, f"JSON, {_AN_OBJECT}", shown(line.strip())) from None
        if not isinstance(record, dict):
            raise self._problem(number, _AN_OBJECT, _shown_value(record))
        names = _columns(list(record))
        for wanted, columns in _wanted(labelled).items():
            if wanted not in names:
                raise self._problem(
                    number,
                    f"an object with {alternatives(list(columns))}",
                    f"one with {_shown_names(record)}",
                )
        values = list(record.values())
        text = values[names["text"]]
        if not isinstance(text, str):
            raise self._problem(number, "a string as its text", _shown_value(text))
        return number, text, values[names["label"]] if labelled else None

    def _table_records(self, note: Note, labelled: bool) -> Iterator[tuple[int, str, object]]:
        options = self._dialect(note, labelled)
        with self._open(newline="") as file, _long_fields():
            rows = csv.reader(self._lines(file), **options)
            header = next(row for row in self._rows(rows) if row)
            names = _columns(header)
            for row in self._rows(rows):
                if not any(row):
                    continue
                if len(row) != len(header):
                    raise self._problem(
                        rows.line_num,
                        f"{counted(len(header), 'column')} as in the first line",
                        f"{len(row)}",
                        "put quotes around a text that contains the separator",
                    )
                yield rows.line_num, row[names["text"]], row[names["label"]] if labelled else None

    def _dialect(self, note: Note, labelled: bool) -> dict[str, Any]:
        """What separates the columns, and for a TSV whether quotes are part of the text."""
        suffix = self.path.suffix.lower()
        header: list[str] = []
        for delimiter in ("\t",) if suffix == ".tsv" else (",", ";", "\t"):
            with self._open(newline="") as file, _long_fields():
                row = next(
                    (row for row in self._rows(csv.reader(self._lines(file), delimiter=delimiter)) if row), []
                )
            header = header or row
            if _wanted(labelled).keys() <= _columns(row).keys():
                options: dict[str, Any] = {"delimiter": delimiter, "strict": True}
                if suffix == ".tsv" and not self._quotes_hold(options):
                    note(f"{shown_path(self.path.name)}: its quotes are read as part of the text.")
                    options["quoting"] = csv.QUOTE_NONE
                return options
        columns = " and ".join(" or ".join(names) for names in _wanted(labelled).values())
        raise self._problem(1, f"the column names {columns}", _shown_names(header))

    def _quotes_hold(self, options: Mapping[str, Any]) -> bool:
        """Whether the whole file obeys the rules for quotes: many TSV files have none."""
        with self._open(newline="") as file, _long_fields():
            try:
                widths = {len(row) for row in csv.reader(self._lines(file), **options) if row}
            except csv.Error:
                return False
        return len(widths) == 1

    def _rows(self, rows: Any) -> Iterator[list[str]]:
        """The rows of a `csv.reader`, its errors turned into ours."""
        try:
            yield from rows
        except csv.Error as error:
            reasons = (reason for part, reason in _CSV_ERRORS.items() if part in str(error))
            expected, given, hint = next(reasons, ("a valid CSV row", f"an invalid one ({error})", None))
            raise self._problem(rows.line_num, expected, given, hint) from None


def _columns(header: Sequence[str]) -> dict[str, int]:
    """Where the columns are, as far as the header has them: `{"text": 0, "label": 1}`."""
    names = [name.strip().lower() for name in header]
    found: dict[str, int] = {}
    for wanted, columns in _wanted(labelled=True).items():
        for column in columns:
            if column in names:
                found.setdefault(wanted, names.index(column))
    return found


def _wanted(labelled: bool) -> dict[str, tuple[str, ...]]:
    return {"text": TEXT_COLUMNS, "label": LABEL_COLUMNS} if labelled else {"text": TEXT_COLUMNS}


def _shown_names(names: Any) -> str:
    return ", ".join(repr(str(name)[:40]) for name in list(names)[:10]) or "none"


def _shown_value(value: object) -> str:
    """A value from JSON; of a large or deep one only the type."""
    if isinstance(value, (list, dict)):
        return "an array" if isinstance(value, list) else "an object"
    return shown(value)


@contextmanager
def _long_fields() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters a field, which the whole process shares."""
    before = csv.field_size_limit(LONGEST_REVIEW)
    try:
        yield
    finally:
        csv.field_size_limit(before)
