"""Reads reviews from a Parquet file, by pyarrow in a process of its own (`parquet_child.py`)."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from jobs.datasets import shown_path
from jobs.errors import InvalidData, MissingPart
from jobs.store.regular_files import open_regular
from jobs.wording import shown
from worker.tasks.sentiment import parquet_child
from worker.tasks.sentiment.bad_rows import BadRows
from worker.tasks.sentiment.bounded_file import BoundedFile, Enough, problem_at
from worker.tasks.sentiment.columns import Columns, NoColumns, find_columns
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.records import Record
from worker.tasks.sentiment.reviews import LARGEST_FILE, LONGEST_REVIEW, Note

MOST_EXPANSION = 200
"""Characters for each byte of a file: repeated texts take no room in one, and its rows have no end."""

_ALWAYS = 50_000_000
"""Characters that any file may have."""

_ROW = 16
"""Characters that a row counts for beside its text."""

_FRUGAL = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Keeps libraries from reserving address space for each core of a large machine, which counts as memory."""

_LONGEST_ANSWER = 8 * LONGEST_REVIEW


@dataclass(frozen=True)
class ParquetRecords:
    """A Parquet file."""

    source: BoundedFile
    options: FileOptions
    labelled: bool
    unit = "row"

    @cached_property
    def columns(self) -> Columns:
        """Those that are read.

        Raises:
            InvalidData: they are not there, or the file cannot be read.
            MissingPart: pyarrow is not installed.
        """
        with self._child() as child:
            return self._find(child.answer())

    def records(self, note: Note, bad: BadRows) -> Iterator[Record]:  # noqa: ARG002 - as every form
        """Yield number, text and label of each row, the label as the file has it.

        Args:
            note: gets a sentence about what was guessed.
            bad: gets nothing: every row has all columns.

        Raises:
            InvalidData: the columns are not there, or the file cannot be read.
            MissingPart: pyarrow is not installed.
            Enough: what was wanted of the file has been read.
        """
        passed = 0
        most = _ALWAYS + MOST_EXPANSION * self.source.path.stat().st_size
        with self._child() as child:
            columns = self._find(child.answer())
            if columns.note:
                note(f"{shown_path(self.source.path.name)}: {columns.note}.")
            places = [columns.text, *([] if columns.label is None else [columns.label])]
            child.ask(places)
            for number, row in enumerate(child.rows(), start=1):
                if self.source.most is not None and passed > self.source.most:
                    raise Enough
                text = row[0] or ""
                passed += len(text) + _ROW
                if len(text) > LONGEST_REVIEW:
                    expected = f"at most {LONGEST_REVIEW:,} characters"
                    raise problem_at(self.source.path, number, expected, "a longer text", unit=self.unit)
                if passed > most:
                    raise InvalidData(
                        shown_path(self.source.path),
                        expected=f"at most {MOST_EXPANSION} characters of text for each byte",
                        given="more",
                    )
                yield number, text, row[1] if len(row) > 1 else None

    def _find(self, names: list[str]) -> Columns:
        try:
            return find_columns(names, self.options, labelled=self.labelled)
        except NoColumns as error:
            raise InvalidData(
                shown_path(self.source.path), expected=error.expected, given=error.given, hint=error.hint
            ) from None

    @contextmanager
    def _child(self) -> Iterator["_Child"]:
        with open_regular(self.source.path, LARGEST_FILE, follow=True) as file:
            process = subprocess.Popen(
                # Its folder is no place to import from: it has a `datasets.py`.
                [sys.executable, "-P", parquet_child.__file__, str(file.fileno())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(file.fileno(),),
                env=os.environ | _FRUGAL,
            )
            try:
                yield _Child(self.source.path, process)
            finally:
                process.kill()
                process.communicate()


class _Child:
    """The process that reads a file."""

    def __init__(self, path: Path, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        assert process.stdout
        self._path = path
        self._questions: IO[bytes] = process.stdin
        self._answers: IO[bytes] = process.stdout

    def ask(self, places: list[int]) -> None:
        """Have columns read, by their places."""
        try:
            self._questions.write(json.dumps(places).encode() + b"\n")
            self._questions.flush()
        except BrokenPipeError:
            pass  # its last answer says why

    def rows(self) -> Iterator[Any]:
        """The values of each row."""
        while isinstance(answer := self.answer(), list):
            yield answer

    def answer(self) -> Any:
        """The next line.

        Raises:
            InvalidData: the file cannot be read.
            MissingPart: pyarrow is not installed.
        """
        line = self._answers.readline(_LONGEST_ANSWER)
        answer = json.loads(line) if line.endswith(b"\n") else {"error": "memory"}
        error = answer.get("error") if isinstance(answer, dict) else None
        if error == "pyarrow":
            hint = "`pip install 'quartet[parquet]'` installs it"
            raise MissingPart("Parquet files need pyarrow, which is not installed", hint=hint)
        if error == "memory":
            raise InvalidData(
                shown_path(self._path),
                expected=f"a Parquet file that is read in {parquet_child.MEMORY >> 30} GiB of memory",
                given="one that takes more memory, or too long",
                hint="write it anew with pages of the usual size, or as JSONL",
            )
        if error is not None:
            raise InvalidData(
                shown_path(self._path),
                expected="a Parquet file with a column of text",
                given=shown(error, 200),
            )
        return answer
