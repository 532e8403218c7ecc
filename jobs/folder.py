"""One job's directory under results/: staged out of sight, published whole or not at all.

A folder is staged as `.staging/<job id>.<attempt>` and published by one rename to `<job id>`.
The rename is also the fence between attempts: a new attempt first renames the staging of the
one before to its own name, so that an attempt which was frozen and wakes up finds nothing to
publish; and whoever comes second finds the published name taken.
"""

import csv
import errno
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.errors import DamagedFolder, LeaseLost
from jobs.files import fsync_folder, seal_file, sha256_of, write_text
from jobs.job_id import check_job_id, is_job_id

MANIFEST = "MANIFEST.sha256"
CHECKPOINT = "checkpoint.npz"
STAGING = ".staging"


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
        job: dict[str, Any] = self._json("job.json")
        return job

    @property
    def metrics(self) -> dict[str, float]:
        """`metrics.json`, empty where the job made none."""
        return self._json("metrics.json") if (self.path / "metrics.json").exists() else {}

    @property
    def history(self) -> list[dict[str, float]]:
        """`history.csv`, one row an epoch, empty where nothing was trained.

        Raises:
            DamagedFolder: it is no table of numbers.
        """
        path = self.path / "history.csv"
        if not path.exists():
            return []
        try:
            return self.numbers(path.name)
        except (ValueError, TypeError, csv.Error) as error:
            raise DamagedFolder(f"{path} cannot be read ({type(error).__name__})") from None

    def table(self, name: str) -> list[dict[str, str]]:
        """The rows of one of its CSV files, as `Run.write_table` wrote them."""
        with (self.path / name).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def numbers(self, name: str) -> list[dict[str, float]]:
        """The rows of a CSV file that has nothing but numbers."""
        return [{column: float(value) for column, value in row.items()} for row in self.table(name)]

    def verify(self) -> list[str]:
        """What is wrong with the folder, one sentence each; empty if it matches its manifest."""
        manifest = self.path / MANIFEST
        if not manifest.is_file():
            return [f"{MANIFEST} is missing"]
        listed = {}
        for line in manifest.read_text(encoding="utf-8", errors="replace").splitlines():
            digest, _, name = line.partition("  ")
            listed[name] = digest
        present = set(_files(self.path)) - {MANIFEST}
        problems = [f"{name} is missing" for name in sorted(listed.keys() - present)]
        problems += [f"{name} is not in {MANIFEST}" for name in sorted(present - listed.keys())]
        problems += [
            f"{path.relative_to(self.path)} is a symbolic link, which no job leaves"
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
            DamagedFolder: with the first problem.
        """
        problems = self.verify()
        if problems:
            raise DamagedFolder(f"{self.path}: {problems[0]}")

    def _json(self, name: str) -> Any:
        try:
            return json.loads((self.path / name).read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise DamagedFolder(f"{self.path / name} cannot be read ({type(error).__name__})") from None


@dataclass(frozen=True)
class Results:
    """The results directory: published folders, and the staging that nobody lists."""

    root: Path

    def find(self, job_id: str) -> JobFolder | None:
        """The published folder of a job, if there is one; a symbolic link is none.

        Raises:
            UnknownJob: `job_id` is not an id.
        """
        path = self.root / check_job_id(job_id)
        return JobFolder(path) if (path / "job.json").is_file() and not path.is_symlink() else None

    def ids(self) -> list[str]:
        """Ids of all published jobs, newest first."""
        if not self.root.is_dir():
            return []
        with os.scandir(self.root) as entries:
            names = [entry.name for entry in entries if is_job_id(entry.name) and not entry.is_symlink()]
        return sorted(names, reverse=True)

    def folders(self) -> Iterator[JobFolder]:
        """All published folders, newest first."""
        for job_id in self.ids():
            folder = self.find(job_id)
            if folder is not None:
                yield folder

    def staging(self, job_id: str, attempt: int) -> Path:
        """Where this attempt of a job writes."""
        return self.root / STAGING / f"{check_job_id(job_id)}.{attempt}"

    def stage(self, job_id: str, attempt: int) -> Path:
        """Make this attempt's staging folder; the checkpoint of an earlier attempt moves into it.

        Raises:
            OSError: the results volume is full, read-only or gone.
        """
        mine = self.staging(job_id, attempt)
        mine.parent.mkdir(parents=True, exist_ok=True)
        if mine.parent.is_symlink():
            raise OSError(errno.ELOOP, "the folder for staging is a symbolic link", str(mine.parent))
        earlier = self.staged_attempts(job_id)
        if earlier:
            self.staging(job_id, earlier[-1]).rename(mine)
            keep_checkpoint_alone(mine)
        mine.mkdir(exist_ok=True)
        for attempt_before in earlier[:-1]:
            shutil.rmtree(self.staging(job_id, attempt_before))
        return mine

    def staged_attempts(self, job_id: str) -> list[int]:
        """Attempts of this job that have left a staging folder, oldest first."""
        stem = f"{check_job_id(job_id)}."
        found = (path for path in self._staged() if path.name.startswith(stem))
        folders = [path for path in found if path.suffix[1:].isdecimal()]
        for path in folders:
            if path.is_symlink():  # somebody put it there, to have us write elsewhere
                path.unlink()
        return sorted(int(path.suffix[1:]) for path in folders if path.is_dir())

    def staged_ids(self) -> list[str]:
        """Jobs that have left a staging folder."""
        found = (path.name.rpartition(".")[0] for path in self._staged())
        return sorted({job_id for job_id in found if is_job_id(job_id)})

    def _staged(self) -> list[Path]:
        folder = self.root / STAGING
        return list(folder.iterdir()) if folder.is_dir() else []

    def publish(self, job_id: str, attempt: int, umask: int) -> JobFolder:
        """Make a staging folder visible in one step, with its manifest, durable.

        Raises:
            LeaseLost: a later attempt took the staging over, or has published already.
            OSError: the results volume is full, read-only or gone.
        """
        staging = self.staging(job_id, attempt)
        final = self.root / check_job_id(job_id)
        try:
            names = sorted(set(_files(staging)) - {MANIFEST})
            lines = [f"{seal_file(staging / name, 0o666 & ~umask)}  {name}\n" for name in names]
            write_text(staging / MANIFEST, "".join(lines), durable=False)
            seal_file(staging / MANIFEST, 0o666 & ~umask)
            for folder in (Path(place) for place, _, _ in os.walk(staging, topdown=False)):
                folder.chmod(0o777 & ~umask)
                fsync_folder(folder)
            staging.rename(final)
        except OSError:
            if final.exists() or not staging.exists():
                raise LeaseLost(f"job {job_id}: attempt {attempt} is no longer the current one") from None
            raise
        fsync_folder(self.root)
        return JobFolder(final)


def keep_checkpoint_alone(staging: Path) -> None:
    """Remove everything from a staging folder but its checkpoint.

    Raises:
        OSError: the results volume is read-only or gone.
    """
    for leftover in staging.iterdir():
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        elif leftover.name != CHECKPOINT or leftover.is_symlink():
            leftover.unlink()


def _files(folder: Path) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder).as_posix()
