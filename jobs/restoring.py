"""Restores jobs from an archive, which may come from anywhere: each is published whole or not at all."""

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from jobs.claim import Claim
from jobs.datasets import shown_path
from jobs.deleting import alone
from jobs.errors import DamagedFolder, InvalidInput, JobConflict, LeaseLost, RedisUnreachable
from jobs.finding.known_jobs import KnownJobs
from jobs.ledger.job_record import ENDED, state_phrase
from jobs.store import archive_index
from jobs.store.archive_file import ArchiveReader
from jobs.store.archive_index import ArchivedJob
from jobs.store.file_lock import try_lock
from jobs.store.fingerprints import Fingerprints
from jobs.store.history_row import Row
from jobs.store.job_folder import MANIFEST, JobFolder
from jobs.store.labels import Labels
from jobs.store.labels_script import write_labels_script
from jobs.store.manifest import MOST_MANIFEST_BYTES, checksums_in
from jobs.store.objects.layout import well_named
from jobs.store.page_deletions import forget_deleted
from jobs.store.regular_files import open_regular, read_regular
from jobs.wording import reason_of, shown, size_text

RESTORING = ".restoring"
"""Holds the folder of the job that is being restored; no command finds it there."""

MOST_TIMES = 10_000
"""How much larger an archive may become when it is unpacked; pages of many jobs have much in common."""

_LOCK = ".restoring.lock"


def restore_archive(known: KnownJobs, path: Path, umask: int) -> Iterator[tuple[str, bool]]:
    """Restore the jobs of an archive, one after another, under the ids that they had.

    Args:
        known: finds jobs.
        path: of the archive.
        umask: permissions to remove from what is written.

    Yields:
        Each job's id, and whether it was restored; False for one that is there already, with the same files.

    Raises:
        InvalidInput: there is no such file.
        DamagedArchive: it cannot be read, or is none that `write_archive` wrote; the jobs that were yielded
            are restored.
        JobConflict: a job is there with other files or has not ended, or another process deletes or restores.
        RedisUnreachable: Redis cannot be reached, so nobody knows whether the jobs have ended.
        StoreUnreachable: the object store does not answer.
        DamagedFolder: the results folder cannot be written.
    """
    root = known.results.root
    try:
        file = open_regular(path, 2**60, follow=True)
    except (OSError, ValueError) as error:
        why = reason_of(error) if isinstance(error, OSError) else str(error)
        given = f"{shown_path(path)} ({why})"
        raise InvalidInput("file", expected="an archive that `quartet archive` wrote", given=given) from None
    with file:
        archive = ArchiveReader(file, shown_path(path))
        jobs = _index(archive)
        _check_room(root, archive, jobs, os.fstat(file.fileno()).st_size)
        try:
            root.mkdir(parents=True, exist_ok=True)
            with try_lock(root / _LOCK, 0.0) as held:
                if not held:
                    raise JobConflict(
                        "jobs", expected="jobs that nobody restores", given="a restore that runs"
                    )
                try:
                    for job in jobs:
                        yield job.id, _restore(known, archive, job, umask)
                finally:
                    shutil.rmtree(root / RESTORING, ignore_errors=True)
            archive.end()
            known.history.catch_up()  # a killed command may have restored one that it did not list
        except OSError as error:
            raise DamagedFolder(f"the results folder {root} cannot be changed ({reason_of(error)})") from None


def _index(archive: ArchiveReader) -> list[ArchivedJob]:
    content = b"".join(archive.member(archive_index.NAME, archive_index.MOST_BYTES))
    try:
        return archive_index.read_index(content)
    except ValueError as error:
        raise archive.refused(str(error)) from None


def _check_room(root: Path, archive: ArchiveReader, jobs: list[ArchivedJob], packed: int) -> None:
    """Refuse an archive that would fill the disk, or that no job's folder becomes."""
    size = sum(job.bytes for job in jobs)
    if size > MOST_TIMES * packed:
        raise archive.refused(f"its {size_text(packed)} would become {size_text(size)}, which no jobs do")
    place = next(each for each in (root, *root.parents) if each.exists())
    free, new = shutil.disk_usage(place).free, sum(job.bytes for job in jobs if not (root / job.id).is_dir())
    if new > free:
        raise archive.refused(f"it needs {size_text(new)}, and {root} has {size_text(free)} left")


def _restore(known: KnownJobs, archive: ArchiveReader, job: ArchivedJob, umask: int) -> bool:
    """Restore the next job of an archive; whether it was not there."""
    _check_ended(known, job.id)
    checksums = _manifest(archive, job)
    with alone(known):  # what is being deleted comes back or goes first
        known.history.sync()
        before = known.results.whole(job.id)
    if before is not None:
        _check_same(before, checksums)
    place = None if before is not None else _new_folder(known.results.root, job.id)
    left = job.bytes
    for name, wanted in checksums.items():
        digest, target = hashlib.sha256(), None
        if place is not None:
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
        left -= _unpack(archive, f"{job.id}/{name}", left, digest, target)
        if digest.hexdigest() != wanted:
            raise archive.refused(f"{shown(f'{job.id}/{name}', 120)} in it does not match its manifest")
    if place is not None:
        with alone(known):
            _publish(known, archive, place, umask)
    else:
        known.results.tell_again(job.id)  # which a command that was killed may not have come to
    _label(known, job)
    return before is None


def _manifest(archive: ArchiveReader, job: ArchivedJob) -> dict[str, str]:
    content = b"".join(archive.member(f"{job.id}/{MANIFEST}", MOST_MANIFEST_BYTES))
    try:
        checksums = checksums_in(content)
    except ValueError as error:
        raise archive.refused(f"job {job.id}: {error}") from None
    strange = sorted(checksums.keys() - well_named(checksums))
    if strange:
        raise archive.refused(f"{shown(strange[0], 120)} is no name of a file of job {job.id}")
    if len(checksums) != job.files:
        raise archive.refused(f"job {job.id} has {len(checksums):,} files and not {job.files:,}")
    return checksums


def _unpack(archive: ArchiveReader, name: str, most: int, digest: "hashlib._Hash", to: Path | None) -> int:
    """Read a file, and write it where it is wanted; its size."""
    size = 0
    with open(os.devnull if to is None else to, "wb") as file:  # noqa: PTH123 - either
        for block in archive.member(name, most):
            digest.update(block)
            size += file.write(block)
    return size


def _new_folder(root: Path, job_id: str) -> Path:
    above = root / RESTORING
    if above.is_symlink():  # somebody made it to have us write elsewhere
        raise OSError(errno.ELOOP, "the folder for restoring is a symbolic link", str(above))
    shutil.rmtree(above, ignore_errors=True)
    (above / job_id).mkdir(parents=True)
    return above / job_id


def _check_ended(known: KnownJobs, job_id: str) -> None:
    """Refuse a job that a worker may publish."""
    try:
        record = known.ledger.record(job_id)
    except RedisUnreachable:
        if known.redis_is_optional():
            return
        raise
    if record is not None and not (record.state in ENDED and record.folder):
        given = f"{job_id}, which {state_phrase(record.state)}"
        raise JobConflict("job", expected="one that has ended, with a folder", given=given)


def _check_same(folder: JobFolder, checksums: dict[str, str]) -> None:
    """Refuse a job that is there with other files than in the archive."""
    found: dict[str, str] = {}
    with suppress(OSError, ValueError):
        found = checksums_in(read_regular(folder.path / MANIFEST, MOST_MANIFEST_BYTES))
    if found != checksums or folder.verify():
        given = f"{folder.id}, which is there with other files"
        hint = f"`quartet verify {folder.id}` says whether it was changed, `quartet delete` makes room"
        raise JobConflict("job", expected="one that is not there, or is the same", given=given, hint=hint)


def _publish(known: KnownJobs, archive: ArchiveReader, place: Path, umask: int) -> None:
    if Row.of_folder(JobFolder(place)).damaged:
        raise archive.refused(f"job {place.name} has no job.json that is the record of an ended job")
    claim = Claim(place.name, 1, secrets.token_hex(8))
    try:
        folder = known.results.publish(claim, umask, lambda: _check_ended(known, place.name), staging=place)
    except LeaseLost:
        given = f"{place.name}, which another process published"
        raise JobConflict("job", expected="one that is not there", given=given) from None
    with suppress(DamagedFolder, LookupError, TypeError):
        Fingerprints(known.results.root).add(str(folder.job["fingerprint"]["key"]), folder.id)
    with suppress(OSError):
        if (known.results.root / "index").is_dir():
            forget_deleted(known.results.root, {folder.id})


def _label(known: KnownJobs, job: ArchivedJob) -> None:
    """Give a job the label that it had, unless it has one."""
    labels = Labels(known.results.root)
    if job.label is not None and labels.find(job.id) is None:
        labels.put(job.id, job.label)
        known.results.labelled(job.id, job.label.tags, job.label.note)
        write_labels_script(known.results.root)
