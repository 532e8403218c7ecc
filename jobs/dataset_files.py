"""Whether the files of a dataset in the data folder are whole, and those that their publisher offers."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal, NamedTuple

from jobs.datasets import Dataset, Original
from jobs.store.atomic_files import sha256_of
from jobs.wording import counted

MOST_BYTES = 512 * 2**20
"""Of an archive that are decompressed to see whether it is whole, and of a file compared by SHA-256."""

_BLOCK = 1 << 20


class StoredDataset(NamedTuple):
    """What the data folder holds of a dataset.

    Attributes:
        here: `always`, for one that is generated; `no`; `yes`; `differs`, for a file that is not the one
            published; `damaged`, for one that cannot be read to its end.
        path: of its file or folder; None where there is none.
        problem: what is wrong with which file; empty unless it differs or is damaged.
    """

    here: Literal["always", "no", "yes", "differs", "damaged"]
    path: Path | None = None
    problem: str = ""


def stored_dataset(dataset: Dataset, data_dir: Path) -> StoredDataset:
    """Look for a dataset in the data folder, and compare its files with those published.

    A file without a known checksum counts as whole if it is no archive, or one that can be read to its end.
    Of files with more than `MOST_BYTES` only the size is compared.

    Args:
        dataset: to look for.
        data_dir: the data folder.
    """
    if dataset.offline:
        return StoredDataset("always")
    path = dataset.find(data_dir)
    if path is None:
        return StoredDataset("no")
    layout = next(layout for layout in dataset.layouts if data_dir / layout[0] == path)
    for name in (name for name in layout if not name.endswith("/")):
        original = next((each for each in dataset.originals if each.file == name), None)
        try:
            difference = original and _difference(data_dir / name, original)
            damage = _damage(data_dir / name) if difference or original is None else None
        except OSError as error:
            return StoredDataset("damaged", path, f"{name} cannot be read ({(error.strerror or '').lower()})")
        if damage:
            return StoredDataset("damaged", path, f"{name} {damage}")
        if difference:
            return StoredDataset("differs", path, f"{name} {difference}")
    return StoredDataset("yes", path)


def _difference(path: Path, original: Original) -> str | None:
    """How a file differs from the one published, to be read after its name."""
    size = path.stat().st_size
    if size != original.size:
        if size < original.size:
            return f"has only {size:,} of the {counted(original.size, 'byte')} of the published file"
        return f"has {counted(size, 'byte')}, the published file {original.size:,}"
    if size <= MOST_BYTES and sha256_of(path) != original.sha256:
        return "has another SHA-256 than the published file"
    return None


def _damage(path: Path) -> str | None:
    """What is wrong with an archive, to be read after its name; None for what is whole or no archive."""
    if not path.stat().st_size:
        return "is empty"
    read = {".npz": _members, ".zip": _members, ".gz": _stream, ".tgz": _stream}.get(path.suffix.lower())
    if read is None:
        return None
    try:
        left = MOST_BYTES
        for file in read(path):
            while left > 0 and (block := file.read(_BLOCK)):
                left -= len(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile, NotImplementedError, RuntimeError):
        return "is damaged or was cut off"
    return None


def _members(path: Path) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                yield file


def _stream(path: Path) -> Iterator[IO[bytes]]:
    with gzip.open(path) as file:
        yield file  # type: ignore[misc]  # it reads as any binary file does
