"""Reads a file of jobs, one on each line as JSON, as `quartet submit --file` takes it."""

import json
import sys
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any

from jobs.datasets import shown_path
from jobs.errors import InvalidInput
from jobs.spec import MOST_BYTES
from jobs.store.regular_files import NotRegular, open_regular
from jobs.store.strict_json import parse_json
from jobs.wording import reason_of, shown

MOST_JOBS = 100_000
MOST_LINE_BYTES = 2 * MOST_BYTES
_MOST_FILE_BYTES = 2**30
_EXPECTED = "a job as a JSON object, on one line"
_EXAMPLE = '{"model": "NAME", "action": "train", "parameters": {"epochs": 5}}'


def read_job_file(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each job of a file, and where it stands there: `jobs.jsonl, line 3`. Empty lines are passed over.

    Args:
        path: of the file; `-` for standard input.

    Raises:
        InvalidInput: the file cannot be read, holds no job, or a line is not a JSON object.
    """
    try:
        if str(path) == "-":
            yield from _jobs_in(sys.stdin.buffer, "standard input")
            return
        with open_regular(path.expanduser(), _MOST_FILE_BYTES, follow=True) as file:
            yield from _jobs_in(file, path.name)
    except OSError as error:
        given = f"{shown_path(path)} ({reason_of(error)})"
        hint = "`--file -` reads from a pipe" if isinstance(error, NotRegular) else None
        raise InvalidInput(
            "file", expected="a file with a job on each line", given=given, hint=hint
        ) from None


def _jobs_in(file: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    found = 0
    for number, line in enumerate(_lines(file), start=1):
        where = f"{name}, line {number:,}"
        if len(line) > MOST_LINE_BYTES:
            given = f"more than {MOST_LINE_BYTES // 1024} kB"
            raise InvalidInput(where, expected="a job as JSON", given=given)
        if not line.strip():
            continue
        found += 1
        if found > MOST_JOBS:
            raise InvalidInput(name, expected=f"at most {MOST_JOBS:,} jobs", given="more")
        yield where, _job_of(line, where)
    if not found:
        raise InvalidInput(name, expected="a job on each line", given="none", hint=f"a line: {_EXAMPLE}")


def _lines(file: BufferedReader) -> Iterator[bytes]:
    while line := file.readline(MOST_LINE_BYTES + 2):
        yield line


def _job_of(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = parse_json(line.removeprefix(b"\xef\xbb\xbf"), unique_keys=True)
    except ValueError as error:
        raise _no_job(where, _in_words(error)) from None
    if isinstance(value, list):
        raise _no_job(where, "a list")
    if not isinstance(value, dict):
        raise _no_job(where, shown(value))
    return value


def _no_job(where: str, given: str) -> InvalidInput:
    return InvalidInput(where, expected=_EXPECTED, given=given, hint=f"such as {_EXAMPLE}")


def _in_words(error: ValueError) -> str:
    """What is wrong with a line, without the words of Python's parsers."""
    if isinstance(error, UnicodeDecodeError):
        return "bytes that are not UTF-8"
    if isinstance(error, json.JSONDecodeError):
        return f"a text that is not JSON from character {error.pos + 1:,} on"
    return str(error)
