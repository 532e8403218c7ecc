"""What data a job reads, by its content: equal data has an equal identity, whoever computes it."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from jobs.datasets import Dataset
from jobs.models import datasets
from jobs.store.atomic_files import sha256_of
from jobs.store.own_data_pin import Pin

MOST_BYTES = 256 * 2**20
"""That are read to know data; what has more has no identity."""

MOST_FILES = 20_000
"""Of a folder."""

MADE = "made by the model's code"
"""The identity of a dataset that is generated: the checksum of the code changes with it."""


@dataclass
class _Unknown(Exception):
    """Data that is too large, is no plain file or folder, or changed."""


def data_identity(data: str, data_dir: Path, unchanged_since: float | None = None) -> str | None:
    """The identity of a dataset or of a person's own data.

    Args:
        data: a dataset's name, the pin of stored data, or an absolute path; empty for none.
        data_dir: the data folder.
        unchanged_since: seconds since 1970; what changed later is unknown, unless it is a file as its
            publisher offers it.

    Returns:
        A SHA-256, `MADE`, or empty for no data; None where it is not known: it is large, or not there.
    """
    if not data:
        return ""
    pin = Pin.read(data)
    if pin is not None:
        return pin.sha256
    dataset = datasets().get(data)
    try:
        if dataset is None:
            return _identity(Path(data), unchanged_since)
        return MADE if dataset.offline else _of_dataset(dataset, data_dir, unchanged_since)
    except (OSError, ValueError, _Unknown):
        return None


def _of_dataset(dataset: Dataset, data_dir: Path, unchanged_since: float | None) -> str | None:
    """The identity of a dataset's files; of one that would be downloaded, that of the download."""
    found = dataset.find(data_dir)
    if found is None:
        return _joined([original.sha256 for original in dataset.downloads]) if dataset.downloads else None
    layout = next(layout for layout in dataset.layouts if data_dir / layout[0] == found)
    parts = []
    for name in layout:
        if any(other.startswith(name) for other in layout if name.endswith("/") and other != name):
            continue  # a folder of which each file is named
        pinned = None if name.endswith("/") else _identity(data_dir / name, None)
        known = pinned is not None and pinned in {original.sha256 for original in dataset.originals}
        parts.append(pinned if known and pinned else _identity(data_dir / name, unchanged_since))
    return _joined(parts)


def _joined(parts: list[str]) -> str:
    """The identity of data of several parts, each with its own."""
    return parts[0] if len(parts) == 1 else hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _identity(path: Path, unchanged_since: float | None) -> str:
    """The SHA-256 of a file, or of what is in a folder.

    Raises:
        _Unknown: it is too large, has links to folders, or changed later than it may.
        OSError: it cannot be read.
    """
    if not path.is_dir():
        return _of_file(path, unchanged_since)
    digest, left = hashlib.sha256(), MOST_BYTES
    for number, each in enumerate(_files_in(path, unchanged_since)):
        left -= each.stat().st_size
        if left < 0 or number >= MOST_FILES:
            raise _Unknown
        name = each.relative_to(path).as_posix()
        digest.update(
            f"{_of_file(each, unchanged_since)} {len(name)} {name}\n".encode(errors="surrogateescape")
        )
    return digest.hexdigest()


def _files_in(folder: Path, unchanged_since: float | None) -> Iterator[Path]:
    """The files of a folder and those below it, in a fixed order."""
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders.sort()
        if any(Path(place, name).is_symlink() for name in folders):
            raise _Unknown
        _check_age(Path(place).stat(), unchanged_since)
        yield from (Path(place, name) for name in sorted(names))


def _refuse(error: OSError) -> None:
    raise error


def _of_file(path: Path, unchanged_since: float | None) -> str:
    now = path.stat()
    _check_age(now, unchanged_since)
    if now.st_size > MOST_BYTES:
        raise _Unknown
    return _sha256(path, (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns))


def _check_age(status: os.stat_result, unchanged_since: float | None) -> None:
    if unchanged_since is not None and max(status.st_mtime, status.st_ctime) > unchanged_since:
        raise _Unknown


@lru_cache(maxsize=4 * MOST_FILES)
def _sha256(path: Path, _stamp: tuple[int, ...]) -> str:
    return sha256_of(path)
