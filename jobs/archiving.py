"""Writes published jobs into an archive, each file compared with its manifest while it is read."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobs.datasets import shown_path
from jobs.errors import DamagedFolder, InvalidInput
from jobs.ids import submitted_at
from jobs.store import archive_index
from jobs.store.archive_file import SUFFIX, ArchiveWriter
from jobs.store.archive_index import ArchivedJob
from jobs.store.atomic_files import whole_file
from jobs.store.job_folder import MANIFEST, JobFolder, files_in
from jobs.store.labels import Labels
from jobs.store.manifest import MOST_MANIFEST_BYTES, checksums_in, reason
from jobs.store.objects.layout import well_named
from jobs.store.regular_files import open_regular, read_regular
from jobs.wording import reason_of, shown

_CHUNK = 1 << 20


def archive_path(given: str | os.PathLike[str], root: Path) -> Path:
    """The path of a new archive.

    Args:
        given: as a person named it.
        root: the results folder, of whose jobs none may get a file more.

    Raises:
        InvalidInput: it does not end as archives do, something is there, or it is in the results folder.
    """
    path = Path(given)
    if not path.name.endswith(SUFFIX) or path.name == SUFFIX:
        hint = "name the new file last"
        raise InvalidInput(
            "file", expected=f"a name that ends in {SUFFIX}", given=shown(str(given)), hint=hint
        )
    if os.path.lexists(path):
        raise InvalidInput("file", expected="a new file", given=f"{shown_path(path)}, which exists")
    if root.resolve() in path.resolve().parents:
        expected = f"a path outside the results folder {shown_path(root)}"
        raise InvalidInput("file", expected=expected, given=shown_path(path))
    return path.absolute()


def write_archive(folders: Sequence[JobFolder], labels: Labels, path: Path) -> None:
    """Write jobs into a new file, which is there whole or not at all.

    The same jobs give the same bytes, with the same version of zstd.

    Args:
        folders: of the jobs, with all their files.
        labels: what the jobs were labelled with.
        path: of the file, from `archive_path`.

    Raises:
        InvalidInput: there is no job, or there are too many for one archive.
        DamagedFolder: a folder does not match its manifest, or the file cannot be written.
    """
    if not folders:
        raise InvalidInput("jobs", expected="jobs that have ended", given="none")
    folders = sorted(folders, key=lambda folder: folder.id)
    manifests = {folder.id: _manifest_of(folder) for folder in folders}
    index = archive_index.index_text([_described(each, manifests[each.id][1], labels) for each in folders])
    if len(folders) > archive_index.MOST_JOBS or len(index) > archive_index.MOST_BYTES:
        expected = f"at most {archive_index.MOST_JOBS:,} jobs in one archive"
        raise InvalidInput("jobs", expected=expected, given=f"{len(folders):,}")
    try:
        with whole_file(path) as file, ArchiveWriter(file) as archive:
            archive.add(archive_index.NAME, len(index), [index], 0.0)
            for folder in folders:
                _add(archive, folder, *manifests[folder.id])
    except OSError as error:
        raise DamagedFolder(f"{shown_path(path)} cannot be written ({reason_of(error)})") from None


def _manifest_of(folder: JobFolder) -> tuple[bytes, Mapping[str, str]]:
    """A folder's manifest, and what it says; the folder has exactly the files that it names."""
    try:
        content = read_regular(folder.path / MANIFEST, MOST_MANIFEST_BYTES)
        checksums = checksums_in(content)
        present = set(files_in(folder.path)) - {MANIFEST}
    except (OSError, ValueError) as error:
        raise DamagedFolder(f"{folder.path}: {MANIFEST} cannot be read ({reason(error)})") from None
    strange = checksums.keys() - well_named(checksums)
    for name in sorted(strange | (checksums.keys() ^ present)):
        how = "is missing" if name in checksums else f"is not in {MANIFEST}"
        how = "is no name that a job gives" if name in strange else how
        raise DamagedFolder(f"{folder.path}: {shown(name, 120)} {how}")
    return content, checksums


def _described(folder: JobFolder, checksums: Mapping[str, str], labels: Labels) -> ArchivedJob:
    size = sum(_size(folder.path / name) for name in checksums)
    return ArchivedJob(folder.id, len(checksums), size, labels.find(folder.id))


def _add(archive: ArchiveWriter, folder: JobFolder, manifest: bytes, checksums: Mapping[str, str]) -> None:
    moment = submitted_at(folder.id).timestamp()
    archive.add(f"{folder.id}/{MANIFEST}", len(manifest), [manifest], moment)
    for name, wanted in checksums.items():
        path, digest = folder.path / name, hashlib.sha256()
        size = _size(path)
        same = archive.add(f"{folder.id}/{name}", size, _blocks(path, size, digest), moment)
        if not same or digest.hexdigest() != wanted:
            raise DamagedFolder(f"{folder.path}: {shown(name, 120)} was changed after it was published")


def _size(path: Path) -> int:
    with _read(path):
        return path.lstat().st_size


def _blocks(path: Path, size: int, digest: Any) -> Iterator[bytes]:
    """A file's first bytes, so many, in blocks."""
    with _read(path), open_regular(path, size) as file:
        while block := file.read(min(size, _CHUNK)):
            digest.update(block)
            size -= len(block)
            yield block


@contextmanager
def _read(path: Path) -> Iterator[None]:
    """Say in a sentence that a file cannot be read, which is not that the archive cannot be written.

    Raises:
        DamagedFolder: it cannot.
    """
    try:
        yield
    except OSError as error:
        raise DamagedFolder(f"{path} cannot be read ({reason(error)})") from None
