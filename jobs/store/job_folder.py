"""One published job folder, read-only: its record, metrics, tables and manifest."""

import csv
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import DamagedFolder
from jobs.store.atomic_files import sha256_of

MANIFEST = "MANIFEST.sha256"
CHECKPOINT = "checkpoint.npz"
MODEL = "model.keras"


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
            DamagedFolder: it is missing or is not JSON.
        """
        job: dict[str, Any] = self.json("job.json")
        return job

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
        except (LookupError, TypeError):
            raise DamagedFolder(f"{self.path}: its timeline in job.json cannot be read") from None

    @property
    def metrics(self) -> dict[str, float]:
        """`metrics.json`, empty where the job wrote none.

        Raises:
            DamagedFolder: it is not JSON.
        """
        return self.json("metrics.json") if (self.path / "metrics.json").exists() else {}

    @property
    def history(self) -> list[dict[str, float]]:
        """`history.csv`, one row for each epoch, empty where nothing was trained.

        Raises:
            DamagedFolder: it is not a table of numbers.
        """
        path = self.path / "history.csv"
        if not path.exists():
            return []
        try:
            return self.numbers(path.name)
        except (ValueError, TypeError, csv.Error) as error:
            raise DamagedFolder(f"{path} cannot be read ({type(error).__name__})") from None

    def json(self, name: str) -> Any:
        """The content of one of its JSON files.

        Raises:
            DamagedFolder: the file is missing, or is not JSON.
        """
        try:
            return json.loads((self.path / name).read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise DamagedFolder(f"{self.path / name} cannot be read ({type(error).__name__})") from None

    def table(self, name: str) -> list[dict[str, str]]:
        """The rows of one of its CSV files, as `JobContext.write_table` wrote them.

        Raises:
            OSError: there is no such file.
            ValueError: it is not UTF-8.
        """
        with (self.path / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def numbers(self, name: str) -> list[dict[str, float]]:
        """The rows of a CSV file that holds only numbers.

        Raises:
            OSError: there is no such file.
            ValueError: a value is not a number.
            TypeError: a row is too long or too short.
        """
        return [{column: float(value) for column, value in row.items()} for row in self.table(name)]

    def verify(self) -> list[str]:
        """Every difference between the folder and its manifest, one sentence each.

        Raises:
            OSError: a file cannot be read.
        """
        manifest = self.path / MANIFEST
        if not manifest.is_file():
            return [f"{MANIFEST} is missing"]
        listed = {}
        for line in manifest.read_text(encoding="utf-8", errors="replace").splitlines():
            digest, _, name = line.partition("  ")
            listed[name] = digest
        present = set(files_in(self.path)) - {MANIFEST}
        problems = [f"{name} is missing" for name in sorted(listed.keys() - present)]
        problems += [f"{name} is not in {MANIFEST}" for name in sorted(present - listed.keys())]
        problems += [
            f"{path.relative_to(self.path)} is a symbolic link, and no job writes one"
            for path in sorted(self.path.rglob("*"))
            if path.is_symlink()
        ]
        problems += [
            f"{name} was changed after it was published"
            for name in sorted(present & listed.keys())
            if sha256_of(self.path / name) != listed[name]
        ]
        return problems

    def check(self) -> None:
        """Refuse a folder that does not match its manifest.

        Raises:
            DamagedFolder: it does not; the message gives the first difference.
            OSError: a file cannot be read.
        """
        problems = self.verify()
        if problems:
            raise DamagedFolder(f"{self.path}: {problems[0]}")


def files_in(folder: Path) -> Iterator[str]:
    """The regular files of a folder and its sub-folders, without links, as paths relative to it."""
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()
