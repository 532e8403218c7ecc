"""Fetches files of a published job from an object store; what a stopped process has fetched is kept."""

import hashlib
import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jobs.errors import DamagedFolder, JobConflict
from jobs.store.atomic_files import sha256_of
from jobs.store.file_lock import try_lock
from jobs.store.job_folder import MANIFEST
from jobs.store.manifest import MOST_MANIFEST_BYTES, text_of
from jobs.store.objects.layout import Published, file_of, manifest_of, manifest_text, read_manifest
from jobs.store.objects.objects import Objects

FETCHING = ".fetching"
"""In the results folder: what is being fetched."""

MOST_BYTES = 64 * 2**30
"""Of one file."""

_LOCK_SECONDS = 3_600.0
_LOCKS = 1_024
"""Jobs that have the same one wait for each other."""


def published(objects: Objects, job_id: str) -> Published | None:
    """What a job's manifest in the store says; None if the job is not published.

    Raises:
        UnknownJob: `job_id` is not a job id.
        DamagedFolder: the manifest cannot be read.
        StoreUnreachable: the store does not answer.
    """
    content = objects.read(manifest_of(job_id), MOST_MANIFEST_BYTES)
    return None if content is None else read_manifest(content, job_id)


def fetch(objects: Objects, root: Path, job_id: str, wanted: Callable[[str], bool]) -> bool:
    """Fetch the files of a job that its folder lacks.

    Args:
        objects: the store.
        root: in which the job's folder is made, if need be, whole or not at all.
        job_id: the job.
        wanted: whether a file of this name is needed.

    Returns:
        Whether the job is published.

    Raises:
        UnknownJob: `job_id` is not a job id.
        JobConflict: another process has been fetching it for an hour.
        DamagedFolder: a file in the store does not match the manifest.
        StoreUnreachable: the store does not answer.
        OSError: the volume is full, read-only or gone.
    """
    found = published(objects, job_id)
    if found is None:
        return False
    parts = root / FETCHING
    parts.mkdir(parents=True, exist_ok=True)
    final = root / job_id
    with try_lock(parts / f"{zlib.crc32(job_id.encode()) % _LOCKS:04}.lock", _LOCK_SECONDS) as held:
        if not held:
            raise JobConflict("job", expected="one that nobody fetches", given=f"{job_id}, being fetched")
        names = [name for name in found.checksums if wanted(name) and not (final / name).is_file()]
        new = parts / f"{job_id}.new"
        for name in names:
            _fetch_file(objects, job_id, found, name, new)
        _put_in_place(new, final, found, names)
    return True


def _put_in_place(new: Path, final: Path, found: Published, names: Sequence[str]) -> None:
    """Make a folder of what was fetched, or add that to the one that is there or comes meanwhile."""
    if not final.is_dir():
        new.mkdir(exist_ok=True)
        (new / MANIFEST).write_text(text_of(found.checksums))
        try:
            new.rename(final)
        except OSError:
            if not final.is_dir():  # made by whoever was told of the job
                raise
        else:
            return
    for name in names:
        (final / name).parent.mkdir(parents=True, exist_ok=True)
        (new / name).replace(final / name)
    shutil.rmtree(new, ignore_errors=True)


def _fetch_file(objects: Objects, job_id: str, found: Published, name: str, new: Path) -> None:
    """Fetch one file. What an earlier try left of it is gone on with, and thrown away if it does not fit."""
    wanted = found.checksums[name]
    # Jobs that are fetched at the same time may have equal files.
    part, path = new.with_name(f"{job_id}.{wanted}"), new / name
    if path.is_file() and sha256_of(path) == wanted:
        return
    for _ in range(2):
        key = file_of(job_id, found.publication, name)
        if not objects.download(key, part, MOST_BYTES):
            raise DamagedFolder(f"job {job_id}: {name} is missing in the store")
        if sha256_of(part) == wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.replace(path)
            return
        part.unlink()
    raise DamagedFolder(f"job {job_id}: {name} in the store does not match its manifest")


def make_folder(root: Path, job_id: str, found: Published, files: Mapping[str, bytes]) -> bool:
    """Make a job's folder from files that are at hand, each compared with the manifest among them.

    Args:
        root: in which the folder is made, whole or not at all.
        job_id: the job.
        found: what its manifest in the store says.
        files: that manifest, and some of the files that it names.

    Returns:
        Whether the folder is there now.

    Raises:
        DamagedFolder: the manifest is another one, or a file does not match it.
        OSError: the volume is full, read-only or gone.
    """
    if files.get(MANIFEST) != manifest_text(found.checksums, found.publication):
        raise DamagedFolder(f"job {job_id}: {MANIFEST} is not the one in the store")
    place = root / FETCHING / f"{job_id}.{hashlib.sha256(files[MANIFEST]).hexdigest()[:8]}"
    for name, content in files.items():
        if name == MANIFEST:
            continue
        if hashlib.sha256(content).hexdigest() != found.checksums.get(name):
            raise DamagedFolder(f"job {job_id}: {name[:80]!r} does not match its manifest")
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    place.mkdir(parents=True, exist_ok=True)
    (place / MANIFEST).write_text(text_of(found.checksums))
    try:
        place.rename(root / job_id)
    except OSError:  # another process was first
        shutil.rmtree(place, ignore_errors=True)
    return (root / job_id).is_dir()
