"""The results folder: published job folders, and staging folders that are never listed.

A folder is staged as `.staging/<job id>.<attempt>.<token>` and published by one rename to `<job id>`. The
rename also fences attempts off from each other: a new attempt first renames the staging folder of the one
before to its own name, so an attempt that was frozen and wakes up has nothing to publish; and the second one
to publish finds the name taken. Folders that Quartet 0.1 staged have no token.
"""

import errno
import logging
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jobs.claim import Claim
from jobs.errors import LeaseLost
from jobs.ids import check_job_id, is_job_id
from jobs.store.atomic_files import fsync_folder, seal_file, write_text
from jobs.store.copying import copy_folder
from jobs.store.history import History
from jobs.store.job_folder import MANIFEST, JobFolder, files_in
from jobs.store.manifest import text_of
from jobs.store.objects.checkpoints import SharedCheckpoints
from jobs.store.objects.shared_data import SharedData
from jobs.store.staging import (
    STAGING,
    job_of_staging,
    keep_checkpoint_alone,
    progress_of_staging,
    real_folders,
)
from jobs.store.store_id import give_store_id, read_store_id

log = logging.getLogger(__name__)

_SYNCED_AT_ONCE = 8
"""Files of a folder: a disk syncs many in the time of a few. A job may write ten thousand images."""


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
        is_folder = path.is_dir() and not path.is_symlink()
        return JobFolder(path) if is_folder and os.path.lexists(path / "job.json") else None

    def here(self, job_id: str) -> JobFolder | None:
        """As `find`, by what this host knows already.

        Raises:
            UnknownJob: `job_id` is not a job id.
        """
        return self.find(job_id)

    def whole(self, job_id: str) -> JobFolder | None:
        """As `find`, with every file that the job published.

        Raises:
            UnknownJob: `job_id` is not a job id.
        """
        folder = self.find(job_id)
        if folder is None:
            # NFS remembers for up to a minute that a name was not there, unless the folder is looked at anew.
            with suppress(OSError):
                fsync_folder(self.root)
            folder = self.find(job_id)
        return folder

    def with_page(self, job_id: str) -> JobFolder | None:
        """As `find`, with every file that the job's page shows.

        Raises:
            UnknownJob: `job_id` is not a job id.
        """
        return self.find(job_id)

    def fetch(self, job_id: str, to: Path) -> JobFolder | None:
        """Copy a published job's folder, every file compared with its manifest.

        Args:
            job_id: the job.
            to: the folder in which the copy will be. What is there of it already is not fetched again.

        Returns:
            The copy, None if the job is not published.

        Raises:
            UnknownJob: `job_id` is not a job id.
            DamagedFolder: a file does not match the manifest.
            OSError: a file cannot be read or written.
        """
        folder = self.find(job_id)
        return None if folder is None else copy_folder(folder, to)

    def sync(self) -> None:
        """Learn what other hosts did to published jobs: nothing, where all hosts have the same folder."""

    @property
    def checkpoints(self) -> SharedCheckpoints | None:
        """Where attempts on other hosts find checkpoints; None where it is the staging folders."""
        return None

    @property
    def shared_data(self) -> SharedData | None:
        """A person's own data that all hosts have; None where it is in the results folder."""
        return None

    @property
    def name(self) -> str:
        """The store, as people know it."""
        return str(self.root)

    def place(self) -> str:
        """What tells this store from another one to a person: the host and the path."""
        return f"{platform.node()}:{os.path.realpath(self.root)}"

    def id(self) -> str | None:
        """The store's id, `UNREADABLE`, or None if it has none yet.

        Raises:
            OSError: the results volume cannot be read.
        """
        return read_store_id(self.root)

    def give_id(self, wanted: str | None = None) -> str | None:
        """Give the store an id unless it has one, and return the one that it has.

        Args:
            wanted: the id; None for a new one.

        Raises:
            OSError: the volume is full, read-only or gone.
        """
        return give_store_id(self.root, wanted)

    def share(self, path: Path) -> None:
        """Let other hosts have a small file of the results folder, or know that it is gone."""

    def take_shared(self, path: Path) -> None:
        """Bring a small file of the results folder, or all of a folder, to what other hosts have."""

    def tell_again(self, job_id: str) -> None:
        """Let other hosts know of a published job whose worker died before it did."""

    def labelled(self, job_id: str, tags: Sequence[str], note: str) -> None:
        """Let other hosts know the tags and the note that a job has now."""

    def bytes_of(self, job_ids: Sequence[str]) -> list[int]:
        """What each of these published jobs takes in the store, in bytes; 0 for one that is not there."""
        places = (self.root / check_job_id(job_id) for job_id in job_ids)
        return [sum(_bytes_at(place / name) for name in files_in(place)) for place in places]

    def deleted(self, job_id: str) -> None:
        """Remove what the store has of a job beside its folder, which is gone; let other hosts know."""

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

    def staging(self, claim: Claim) -> Path:
        """The folder in which an attempt writes; no other claim has the same.

        Raises:
            UnknownJob: the claim's job has no job id.
        """
        return self.root / STAGING / f"{check_job_id(claim.job_id)}.{claim.attempt}.{claim.token}"

    def stage(self, claim: Claim) -> Path:
        """Make an attempt's staging folder; the newest checkpoint of the attempts before it moves into it.

        Returns:
            The staging folder.

        Raises:
            UnknownJob: the claim's job has no job id.
            LeaseLost: another attempt takes the folder over at this moment.
            OSError: the results volume is full, read-only or gone.
        """
        mine = self.staging(claim)
        mine.parent.mkdir(parents=True, exist_ok=True)
        if mine.parent.is_symlink():
            raise OSError(errno.ELOOP, "the folder for staging is a symbolic link", str(mine.parent))
        earlier = self._others(mine, claim.job_id)
        if not earlier:
            mine.mkdir(exist_ok=True)
            # A folder that was renamed while the others were listed may have been in neither place.
            earlier = self._others(mine, claim.job_id)
        if not earlier:
            return mine
        try:
            earlier.pop(earlier.index(max(earlier, key=progress_of_staging))).rename(mine)
            keep_checkpoint_alone(mine)
        except FileNotFoundError:
            # Made anew, it would be published without the checkpoint, which the other one has.
            raise _superseded(claim) from None
        for path in earlier:
            shutil.rmtree(path, ignore_errors=True)
        return mine

    def _others(self, mine: Path, job_id: str) -> list[Path]:
        return [path for path in self.staged(job_id) if path != mine]

    def staged(self, job_id: str) -> list[Path]:
        """The staging folders of a job, by the number of the attempt.

        Raises:
            UnknownJob: `job_id` is not a job id.
            OSError: the results volume is read-only or gone.
        """
        check_job_id(job_id)
        return real_folders(path for path in self._staged() if job_of_staging(path) == job_id)

    def staged_by_job(self) -> dict[str, list[Path]]:
        """The staging folders of each job that left one, by the number of the attempt; listed once for all.

        Raises:
            OSError: the results volume is read-only or gone.
        """
        found: dict[str, list[Path]] = {}
        for path in self._staged():
            job_id = job_of_staging(path)
            if job_id is not None:
                found.setdefault(job_id, []).append(path)
        return {job_id: real_folders(paths) for job_id, paths in found.items()}

    def staged_ids(self) -> list[str]:
        """The ids of the jobs that left a staging folder, oldest first.

        Raises:
            OSError: the results folder cannot be read.
        """
        return sorted({job_id for job_id in map(job_of_staging, self._staged()) if job_id})

    def _staged(self) -> list[Path]:
        folder = self.root / STAGING
        return list(folder.iterdir()) if folder.is_dir() else []

    def publish(
        self,
        claim: Claim,
        umask: int,
        fence: Callable[[], object] = lambda: None,
        staging: Path | None = None,
    ) -> JobFolder:
        """Publish a staging folder atomically: write its manifest, sync it to disk, rename it.

        Args:
            claim: of the attempt that staged it.
            umask: permissions to remove from its files and folders.
            fence: called before what makes it public; raises LeaseLost where another attempt holds the job.
            staging: the folder to publish, where no attempt staged it.

        Returns:
            The published folder.

        Raises:
            UnknownJob: the claim's job has no job id.
            LeaseLost: a later attempt took the staging folder over, or has published already.
            OSError: the results volume is full, read-only or gone.
        """
        staging = staging or self.staging(claim)
        final = self.root / check_job_id(claim.job_id)
        try:
            for path in staging.rglob(".*.tmp"):  # whoever wrote it was cut short
                path.unlink()
            checksums = _seal(staging, umask)
            self._make_public(claim, staging, checksums, fence)
        except OSError:
            if final.exists() or not staging.exists():
                raise _superseded(claim) from None
            raise
        try:
            fsync_folder(self.root)
        except OSError as error:  # it is published, and others may have read it
            log.warning("job %s is published, and may not be if this host fails now: %s", claim.job_id, error)
        published = JobFolder(final)
        History(self).add(published)
        return published

    def _make_public(
        self,
        claim: Claim,
        staging: Path,
        checksums: Mapping[str, str],  # noqa: ARG002 - an object store needs them
        fence: Callable[[], object],
    ) -> None:
        """Make a sealed staging folder a published one.

        Args:
            claim: of the attempt that staged it.
            staging: the folder.
            checksums: file's name -> SHA-256.
            fence: as for `publish`.
        """
        fence()
        staging.rename(self.root / claim.job_id)


def _seal(staging: Path, umask: int) -> dict[str, str]:
    """Write a staging folder's manifest and sync all of it to disk; file's name -> SHA-256."""
    names = set(files_in(staging)) - {MANIFEST}
    seal = partial(seal_file, mode=0o666 & ~umask)
    with ThreadPoolExecutor(_SYNCED_AT_ONCE) as pool:
        checksums = dict(zip(names, pool.map(seal, (staging / name for name in names)), strict=True))
    write_text(staging / MANIFEST, text_of(checksums), durable=False)
    seal_file(staging / MANIFEST, 0o666 & ~umask)
    for folder in (Path(place) for place, _, _ in os.walk(staging, topdown=False)):
        folder.chmod(0o777 & ~umask)
        fsync_folder(folder)
    return checksums


def _bytes_at(path: Path) -> int:
    with suppress(OSError):  # it is being deleted
        return path.lstat().st_size
    return 0


def _superseded(claim: Claim) -> LeaseLost:
    return LeaseLost(f"attempt {claim.attempt} of job {claim.job_id} is no longer the current one")
