"""The results folder: published job folders, and staging folders that are never listed.

A folder is staged as `.staging/<job id>.<attempt>` and published by one rename to `<job id>`. The rename
also fences attempts off from each other: a new attempt first renames the staging folder of the one before to
its own name, so an attempt that was frozen and wakes up has nothing to publish; and the second one to publish
finds the name taken.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import LeaseLost
from jobs.ids import check_job_id, is_job_id
from jobs.store.atomic_files import fsync_folder, seal_file, write_text
from jobs.store.job_folder import CHECKPOINT, MANIFEST, JobFolder, files_in

STAGING = ".staging"


@dataclass(frozen=True)
class Results:
    """The results folder.

    Attributes:
        root: its path.
    """

    root: Path

    def find(self, job_id: str) -> JobFolder | None:
        """The published folder of a job, None if there is none; a symbolic link does not count.

        Raises:
            UnknownJob: `job_id` is not a job id.
        """
        path = self.root / check_job_id(job_id)
        return JobFolder(path) if (path / "job.json").is_file() and not path.is_symlink() else None

    def ids(self) -> list[str]:
        """The ids of all published jobs, newest first.

        Raises:
            OSError: the results folder cannot be read.
        """
        if not self.root.is_dir():
            return []
        with os.scandir(self.root) as entries:
            names = [entry.name for entry in entries if is_job_id(entry.name) and not entry.is_symlink()]
        return sorted(names, reverse=True)

    def folders(self) -> Iterator[JobFolder]:
        """All published folders, newest first.

        Raises:
            OSError: the results folder cannot be read.
        """
        for job_id in self.ids():
            folder = self.find(job_id)
            if folder is not None:
                yield folder

    def staging(self, job_id: str, attempt: int) -> Path:
        """The folder in which an attempt writes.

        Raises:
            UnknownJob: `job_id` is not a job id.
        """
        return self.root / STAGING / f"{check_job_id(job_id)}.{attempt}"

    def stage(self, job_id: str, attempt: int) -> Path:
        """Make an attempt's staging folder; the checkpoint of an earlier attempt moves into it.

        Returns:
            The staging folder.

        Raises:
            UnknownJob: `job_id` is not a job id.
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
        """The attempts of a job that left a staging folder, oldest first.

        Raises:
            UnknownJob: `job_id` is not a job id.
            OSError: the results volume is read-only or gone.
        """
        stem = f"{check_job_id(job_id)}."
        found = (path for path in self._staged() if path.name.startswith(stem))
        folders = [path for path in found if path.suffix[1:].isdecimal()]
        for path in folders:
            if path.is_symlink():  # somebody made it to have us write elsewhere
                path.unlink()
        return sorted(int(path.suffix[1:]) for path in folders if path.is_dir())

    def staged_ids(self) -> list[str]:
        """The ids of the jobs that left a staging folder, oldest first.

        Raises:
            OSError: the results folder cannot be read.
        """
        found = (path.name.rpartition(".")[0] for path in self._staged())
        return sorted({job_id for job_id in found if is_job_id(job_id)})

    def _staged(self) -> list[Path]:
        folder = self.root / STAGING
        return list(folder.iterdir()) if folder.is_dir() else []

    def publish(self, job_id: str, attempt: int, umask: int) -> JobFolder:
        """Publish a staging folder atomically: write its manifest, sync it to disk, rename it.

        Args:
            job_id: the job's id.
            attempt: the attempt that staged it.
            umask: permissions to remove from its files and folders.

        Returns:
            The published folder.

        Raises:
            UnknownJob: `job_id` is not a job id.
            LeaseLost: a later attempt took the staging folder over, or has published already.
            OSError: the results volume is full, read-only or gone.
        """
        staging = self.staging(job_id, attempt)
        final = self.root / check_job_id(job_id)
        try:
            names = sorted(set(files_in(staging)) - {MANIFEST})
            lines = [f"{seal_file(staging / name, 0o666 & ~umask)}  {name}\n" for name in names]
            write_text(staging / MANIFEST, "".join(lines), durable=False)
            seal_file(staging / MANIFEST, 0o666 & ~umask)
            for folder in (Path(place) for place, _, _ in os.walk(staging, topdown=False)):
                folder.chmod(0o777 & ~umask)
                fsync_folder(folder)
            staging.rename(final)
        except OSError:
            if final.exists() or not staging.exists():
                raise LeaseLost(f"attempt {attempt} of job {job_id} is no longer the current one") from None
            raise
        fsync_folder(self.root)
        return JobFolder(final)


def keep_checkpoint_alone(staging: Path) -> None:
    """Remove everything from a staging folder except its checkpoint.

    Raises:
        OSError: the results volume is read-only or gone.
    """
    for leftover in staging.iterdir():
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover)
        elif leftover.name != CHECKPOINT or leftover.is_symlink():
            leftover.unlink()
