"""One published job folder, read-only: its record, metrics, tables and manifest.

A folder may come from anywhere, and anybody may have changed it. So every file is opened as a regular file of
bounded size, and whatever is wrong with it is a DamagedFolder.
"""

import csv
import io
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from jobs.errors import DamagedFolder
from jobs.store import manifest
from jobs.store.regular_files import read_regular
from jobs.store.strict_json import parse_json

MANIFEST = manifest.NAME
CHECKPOINT = "checkpoint.npz"
MODEL = "model.keras"
LOG = "log.txt"
HISTORY = "history.csv"
LOSS_WITHIN_EPOCHS = "loss_within_epochs.csv"

MOST_JSON_BYTES = 16 * 2**20
"""The largest JSON file that is read; those of jobs have a thousandth of it, and samples a few hundredths."""

MOST_TABLE_BYTES = 64 * 2**20
"""The largest CSV file that is read."""

MOST_CELLS = 4_000_000
"""Of a CSV file that is read, since an empty one takes one byte in the file and hundreds in memory."""


@dataclass(frozen=True)
class JobFolder:
    """A published folder, read-only."""

    path: Path

    @property
    def id(self) -> str:
        """The job's id, which is the folder's name."""
        return self.path.name

    @property
    def job(self) -> dict[str, Any]:
        """`job.json`: spec, state, attempts, times, versions, data, device.

        Raises:
            DamagedFolder: it is missing or is not a JSON object.
        """
        return self._object("job.json")

    @property
    def timeline(self) -> list[dict[str, Any]]:
        """The job's events: `time` (ISO 8601) and `text`, oldest first.

        Raises:
            DamagedFolder: `job.json` has no timeline that can be read.
        """
        try:
            return [
                {"time": str(entry["time"]), "text": str(entry["text"])} for entry in self.job["timeline"]
            ]
        except (LookupError, TypeError, ValueError):
            raise DamagedFolder(f"{self.path}: its timeline in job.json cannot be read") from None

    @property
    def metrics(self) -> dict[str, float]:
        """`metrics.json`, empty where the job wrote none.

        Raises:
            DamagedFolder: it is not a JSON object of numbers.
        """
        if not os.path.lexists(self.path / "metrics.json"):
            return {}
        values = self._object("metrics.json")
        if not all(is_finite(value) for value in values.values()):
            raise DamagedFolder(f"{self.path / 'metrics.json'} cannot be read (a value is not a number)")
        return values

    @property
    def history(self) -> list[dict[str, float]]:
        """`history.csv`, one row for each epoch, empty where nothing was trained.

        Raises:
            DamagedFolder: it is not a table of numbers.
        """
        return self.numbers(HISTORY) if os.path.lexists(self.path / HISTORY) else []

    def json(self, name: str) -> Any:
        """The content of one of its JSON files.

        Raises:
            DamagedFolder: the file is missing, is not a regular file of bounded size, or is not JSON.
        """
        try:
            return parse_json(read_regular(self.path / name, MOST_JSON_BYTES))
        except (OSError, ValueError) as error:
            raise self._damaged(name, error) from None

    def table(self, name: str) -> list[dict[str, str]]:
        """The rows of one of its CSV files, as `JobContext.write_table` wrote them.

        Raises:
            DamagedFolder: the file is missing, is not a regular file of bounded size, or is not a table.
        """
        try:
            text = read_regular(self.path / name, MOST_TABLE_BYTES).decode("utf-8")
            lines = csv.reader(io.StringIO(text, newline=""), strict=True)
            columns = next(lines, [])
            rows = list(islice((row for row in lines if row), MOST_CELLS // max(1, len(columns)) + 1))
            if len(rows) * len(columns) > MOST_CELLS:
                raise ValueError("too many cells")
            return [dict(zip(columns, row, strict=True)) for row in rows]
        except (OSError, ValueError, csv.Error) as error:
            raise self._damaged(name, error) from None

    def numbers(self, name: str) -> list[dict[str, float]]:
        """The rows of a CSV file that holds only numbers.

        Raises:
            DamagedFolder: as `table` does, or a value is not a number.
        """
        try:
            return [{column: float(value) for column, value in row.items()} for row in self.table(name)]
        except ValueError as error:
            raise self._damaged(name, error) from None

    def verify(self) -> list[str]:
        """Every difference between the folder and its manifest, one sentence each, none that is unbounded."""
        return manifest.differences(self.path)

    def check(self) -> None:
        """Refuse a folder that does not match its manifest.

        Raises:
            DamagedFolder: it does not; the message gives the first difference.
        """
        problems = self.verify()
        if problems:
            raise DamagedFolder(f"{self.path}: {problems[0]}")

    def _object(self, name: str) -> dict[str, Any]:
        value = self.json(name)
        if not isinstance(value, dict):
            raise DamagedFolder(f"{self.path / name} cannot be read (it is not a JSON object)")
        return value

    def _damaged(self, name: str, error: Exception) -> DamagedFolder:
        return DamagedFolder(f"{self.path / name} cannot be read ({manifest.reason(error)})")


def is_finite(value: object) -> bool:
    """Whether a value from JSON is a number that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def files_in(folder: Path) -> Iterator[str]:
    """The regular files of a folder and its sub-folders, without links, as paths relative to it."""
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()
