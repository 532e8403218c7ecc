"""Reads reviews from anyone's CSV, TSV, JSONL and text files, line by line.

The first line of a CSV or TSV names the columns: `text` (or `review`) and `label` (or
`sentiment`), in any case and order, further columns being ignored. A JSONL file has one
object a line with the same names. Quotes and newlines inside a quoted field are the CSV
standard's (RFC 4180); a semicolon or a tab between the columns is recognised in a CSV.

A file is UTF-8, with or without a byte order mark, or UTF-16 or UTF-32 with one. What is not
is read as Windows-1252, with a note, if all its bytes exist there.
"""

import codecs
import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from worker.data.reviews import LABELS, LONGEST_REVIEW, Note, Review, counted, without_surrogates

TEXT_COLUMNS = ("text", "review")
LABEL_COLUMNS = ("label", "sentiment")

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLOCK = 1 << 20


@dataclass(frozen=True)
class ReviewFile:
    """A file that was looked at once from end to end: its checksum and its encoding."""

    path: Path
    sha256: str
    encoding: str

    @classmethod
    def inspect(cls, path: Path) -> "ReviewFile":
        """Look at a file.

        Raises:
            InvalidData: it cannot be read, is empty, or is no text in an encoding that is understood.
        """
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                block = file.read(_BLOCK)
                if not block:
                    raise InvalidData(f"{shown_path(path)} is empty; allowed: a file with reviews")
                encodings = [name for mark, name in _MARKS if block.startswith(mark)][:1]
                plain = not encodings
                decoders = {
                    name: codecs.getincrementaldecoder(name)() for name in encodings or ("utf-8", "cp1252")
                }
                while True:
                    digest.update(block)
                    if plain and b"\0" in block:
                        decoders.clear()
                    for name in list(decoders):
                        try:
                            decoders[name].decode(block, final=not block)
                        except UnicodeError:
                            del decoders[name]
                    if not block:
                        break
                    block = file.read(_BLOCK)
        except OSError as error:
            raise InvalidData(f"{shown_path(path)} cannot be read ({error.strerror})") from None
        if not decoders:
            raise InvalidData(
                f"{shown_path(path)} is no text that can be read; "
                "allowed: UTF-8, UTF-16 with a byte order mark, Windows-1252"
            )
        return cls(path, digest.hexdigest(), next(iter(decoders)))

    def read(self, note: Note, *, labelled: bool) -> Iterator[Review]:
        """Yield the reviews in the file's order.

        Args:
            note: told how many lines were left out, and why.
            labelled: whether every review needs a label; without, a label is neither needed nor read.

        Raises:
            InvalidData: a line that cannot be understood, named by its number.
        """
        if self.encoding == "cp1252":
            note(f"{shown_path(self.path.name)} is not UTF-8; it was read as Windows-1252")
        suffix = self.path.suffix.lower()
        records: Iterator[tuple[int, str, object]]
        if suffix == ".txt":
            records = self._text_records()
        elif suffix == ".jsonl":
            records = self._json_records(labelled)
        else:
            records = self._table_records(note, labelled)
        empty = 0
        for line, text, label in records:
            if not text.strip():
                empty += 1
                continue
            yield Review(without_surrogates(text), self._label(line, label) if labelled else None)
        if empty:
            note(f"{shown_path(self.path.name)}: {counted(empty, 'review', 'reviews')} without text left out")

    def _label(self, line: int, value: object) -> int:
        shown = str(value).strip()
        label = LABELS.get(shown.lower())
        if label is None:
            raise self._problem(
                line,
                f"label {shown[:40]!r} is unknown; allowed: pos, neg, positive, negative, 1, 0, true, false",
            )
        return label

    def _problem(self, line: int, text: str) -> InvalidData:
        return InvalidData(f"{shown_path(self.path)}, line {line:,}: {text}")

    def _open(self, newline: str | None = None) -> TextIO:
        return self.path.open(encoding=self.encoding, newline=newline)

    def _lines(self, file: TextIO) -> Iterator[str]:
        """The lines of a file, none so long that it would fill the memory."""
        number = 0
        while line := file.readline(LONGEST_REVIEW + 1):
            number += 1
            if len(line) > LONGEST_REVIEW:
                raise self._problem(number, f"is longer than {LONGEST_REVIEW:,} characters")
            yield line

    def _text_records(self) -> Iterator[tuple[int, str, None]]:
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
            raise self._problem(number, 'is not JSON; allowed: {"text": "…", "label": "pos"}') from None
        if not isinstance(record, dict):
            raise self._problem(number, 'is not an object; allowed: {"text": "…", "label": "pos"}')
        names = _columns(list(record))
        for wanted, columns in _wanted(labelled).items():
            if wanted not in names:
                raise self._problem(number, f"has no {' or '.join(columns)} (it has: {_shown(record)})")
        values = list(record.values())
        text = values[names["text"]]
        if not isinstance(text, str):
            raise self._problem(number, f"its text is a {type(text).__name__}, not a string")
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
                        f"has {counted(len(row), 'column', 'columns')} where the first line has "
                        f"{len(header)}; a text with the separator in it needs quotes around it",
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
                    note(f"{shown_path(self.path.name)}: its quotes are read as part of the text")
                    options["quoting"] = csv.QUOTE_NONE
                return options
        columns = " and ".join(" or ".join(names) for names in _wanted(labelled).values())
        raise self._problem(1, f"names no columns {columns} (it has: {_shown(header)})")

    def _quotes_hold(self, options: Mapping[str, Any]) -> bool:
        """Whether the whole file obeys the rules for quotes: many TSV files know none."""
        with self._open(newline="") as file, _long_fields():
            try:
                widths = {len(row) for row in csv.reader(self._lines(file), **options) if row}
            except csv.Error:
                return False
        return len(widths) == 1

    def _rows(self, rows: Any) -> Iterator[list[str]]:
        """The rows of a `csv.reader`, its errors said for a person."""
        try:
            yield from rows
        except csv.Error as error:
            reasons = {
                "field larger than field limit": f"a field is longer than {LONGEST_REVIEW:,} characters",
                "unexpected end of data": "a quote is opened and never closed",
                "expected after": "after a closing quote the next column must follow; "
                "a quote inside a text is written twice",
            }
            found = (reason for part, reason in reasons.items() if part in str(error))
            raise self._problem(rows.line_num, next(found, str(error))) from None


def _columns(header: Sequence[str]) -> dict[str, int]:
    """Where the columns stand, as far as they are there: `{"text": 0, "label": 1}`."""
    names = [name.strip().lower() for name in header]
    found: dict[str, int] = {}
    for wanted, columns in _wanted(labelled=True).items():
        for column in columns:
            if column in names:
                found.setdefault(wanted, names.index(column))
    return found


def _wanted(labelled: bool) -> dict[str, tuple[str, ...]]:
    return {"text": TEXT_COLUMNS, "label": LABEL_COLUMNS} if labelled else {"text": TEXT_COLUMNS}


def _shown(names: Any) -> str:
    return ", ".join(repr(str(name)[:40]) for name in list(names)[:10]) or "nothing"


@contextmanager
def _long_fields() -> Iterator[None]:
    """The csv module refuses fields over 131,072 characters, for the whole process: put that back."""
    before = csv.field_size_limit(LONGEST_REVIEW)
    try:
        yield
    finally:
        csv.field_size_limit(before)
