"""Reads reviews from JSON: an object on each line, or an array of objects, neither held as a whole.

Ours, because `json.load` reads a file whole, and pandas and pyarrow want equal objects or one encoding.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import shown
from worker.tasks.sentiment.bad_rows import BadRows
from worker.tasks.sentiment.bounded_file import BLOCK, BoundedFile, problem_at
from worker.tasks.sentiment.columns import Columns, NoColumns, find_columns
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.records import Record, shown_value
from worker.tasks.sentiment.reviews import LONGEST_REVIEW, Note

_AN_OBJECT = 'an object like {"text": "…", "label": "pos"}'
_ONE_A_LINE = "write one object a line, or an array of objects"
_SPACE = re.compile(r"[ \t\n\r]*+")
_LONGEST_WORD = 16
"""Characters: `-Infinity` and the like may be cut at the end of what is held."""
_MOST_KINDS = 100
"""Of objects with other names, whose columns are remembered."""


@dataclass(frozen=True)
class JsonRecords:
    """A JSONL file, or a JSON file with an array."""

    source: BoundedFile
    options: FileOptions
    labelled: bool

    @cached_property
    def unit(self) -> str:
        """What of the file is counted: its lines, or the reviews of an array."""
        return "review" if self._is_array else "line"

    @property
    def columns(self) -> Columns:
        """Those of the first object that has them.

        Raises:
            InvalidData: none has, or what comes before cannot be read.
        """
        for number, value in self._values(BadRows(skip=self.options.skip)):
            if isinstance(value, dict):
                try:
                    return find_columns(list(value), self.options, labelled=self.labelled)
                except NoColumns as error:
                    if not self.options.skip:
                        raise self._problem(number, error.expected, error.given, error.hint) from None
        return Columns(0, None, "text", "label")

    def records(self, note: Note, bad: BadRows) -> Iterator[Record]:
        """Yield number, text and label of each object, the label as the file has it.

        Args:
            note: gets sentences about what was guessed.
            bad: gets what is no object with a text and a label.

        Raises:
            InvalidData: an array or a line is invalid.
            Enough: what was wanted of the file has been read.
            UnicodeError: it changed since its encoding was found.
        """
        known: dict[tuple[str, ...], Columns] = {}
        notes: set[str] = set()
        for number, value in self._values(bad):
            if not isinstance(value, dict):
                self._refuse(bad, number, _AN_OBJECT, shown_value(value))
                continue
            names = tuple(value)
            columns = known.get(names)
            if columns is None:
                try:
                    columns = find_columns(names, self.options, labelled=self.labelled)
                except NoColumns as error:
                    self._refuse(bad, number, error.expected, error.given, error.hint)
                    continue
                if len(known) < _MOST_KINDS:
                    known[names] = columns
                if columns.note and columns.note not in notes:
                    notes.add(columns.note)
                    note(f"{shown_path(self.source.path.name)}: {columns.note}.")
            text = value[columns.text_name]
            if not isinstance(text, str):
                self._refuse(bad, number, "a string as its text", shown_value(text))
                continue
            yield number, text, value[columns.label_name] if columns.label_name else None

    def _refuse(self, bad: BadRows, number: int, expected: str, given: str, hint: str | None = None) -> None:
        bad.add(self._problem(number, expected, given, hint), given)

    @cached_property
    def _is_array(self) -> bool:
        with self.source.open() as file:
            return file.read(BLOCK).lstrip().startswith("[")

    def _values(self, bad: BadRows) -> Iterator[tuple[int, Any]]:
        """Each value with its number, counted from 1."""
        return self._elements() if self._is_array else self._lines(bad)

    def _lines(self, bad: BadRows) -> Iterator[tuple[int, Any]]:
        with self.source.open() as file:
            for number, line in enumerate(self.source.lines(file), start=1):
                if line.strip():
                    try:
                        value = json.loads(line)
                    except (ValueError, RecursionError):
                        hint = _ONE_A_LINE if line.strip() == "{" else None
                        self._refuse(bad, number, f"JSON, {_AN_OBJECT}", shown(line.strip()), hint)
                    else:
                        yield number, value

    def _elements(self) -> Iterator[tuple[int, Any]]:
        """The objects of an array; anything else in it cannot be passed over.

        Raises:
            InvalidData: the array is invalid, or has something else in it.
        """
        with self.source.open() as file:
            text = _Text(self.source.blocks(file))
            text.skip("[")
            for number in count(1):
                if text.next() == "]":
                    break
                if number > 1 and not text.skip(","):
                    raise self._not_json(number, text)
                if text.next() != "{":
                    given = "an array" if text.next() == "[" else text.shown()
                    raise self._problem(number, _AN_OBJECT, given)
                try:
                    yield number, text.value()
                except UnicodeError:
                    raise
                except (ValueError, RecursionError):
                    raise self._not_json(number, text) from None
            text.skip("]")
            if text.next():
                raise self._problem(number, "the end of the array", text.shown())

    def _not_json(self, number: int, text: "_Text") -> InvalidData:
        return self._problem(number, f"JSON, {_AN_OBJECT}", text.shown() or "the end of the file")

    def _problem(self, number: int, expected: str, given: str, hint: str | None = None) -> InvalidData:
        return problem_at(self.source.path, number, expected, given, hint, unit=self.unit)


class _Text:
    """A text that comes in blocks, of which little more than one value is held."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks = blocks
        self._decoder = json.JSONDecoder()
        self._held, self._place = "", 0

    def next(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            if found := _SPACE.match(self._held, self._place):
                self._place = found.end()
            if self._place < len(self._held) or not self._more(1):
                return self._held[self._place : self._place + 1]

    def skip(self, character: str) -> bool:
        """Pass over a character, if it is the next one."""
        found = self.next() == character
        self._place += found
        return found

    def value(self) -> Any:
        """The next value.

        Raises:
            ValueError: it is not JSON, or longer than `LONGEST_REVIEW` allows.
            RecursionError: it is too deep.
        """
        while True:
            try:
                value, self._place = self._decoder.raw_decode(self._held, self._place)
            except json.JSONDecodeError as error:
                # It may only be cut: an open text is reported where it begins, anything else at its end.
                is_cut = error.msg.startswith("Unterminated") or error.pos > len(self._held) - _LONGEST_WORD
                held = len(self._held) - self._place
                # Doubled each time, so that a long value is not read anew for each block.
                if not is_cut or held > LONGEST_REVIEW or not self._more(held):
                    raise
            else:
                return value

    def shown(self) -> str:
        """The beginning of what comes next, for a message."""
        return shown(self._held[self._place : self._place + 60]) if self.next() else ""

    def _more(self, size: int) -> bool:
        """Hold so many more characters, or as many as there are; whether there was one."""
        blocks, count = [self._held[self._place :]], 0
        while count < size and (block := next(self._blocks, "")):
            blocks.append(block)
            count += len(block)
        self._held, self._place = "".join(blocks), 0
        return count > 0
