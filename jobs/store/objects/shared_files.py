"""Small JSON files of the results folder that every host needs: in an object store, below `.shared`."""

from pathlib import Path

from jobs.store.atomic_files import whole_file
from jobs.store.objects.layout import SHARED, well_named
from jobs.store.objects.objects import Objects

MOST_BYTES = 256 * 2**20
"""Of one file."""

MOST_FILES = 1_000_000

_SUFFIX = ".json"
"""Of every file that is shared; a path without it is a folder, whatever a stranger gave that name."""


def share(objects: Objects, root: Path, path: Path) -> None:
    """Write a file to the store; remove it there if it is gone here.

    Args:
        objects: the store.
        root: the results folder.
        path: of the file, in that folder.

    Raises:
        StoreUnreachable: the store does not answer.
        OSError: the file cannot be read.
    """
    key = _key(root, path)
    if path.exists():
        objects.upload(key, path)
        _mark(root, path)
    else:
        objects.remove([key])
        _mark_of(root, path).unlink(missing_ok=True)


def take(objects: Objects, root: Path, path: Path) -> None:
    """Bring a file, or all files of a folder, to what the store has; what was never in it stays.

    Args:
        objects: the store.
        root: the results folder.
        path: of the file or the folder, in that folder; it need not exist.

    Raises:
        DamagedFolder: a file there is larger than any that Quartet wrote.
        StoreUnreachable: the store does not answer.
        OSError: the volume is full, read-only or gone.
    """
    if path.suffix == _SUFFIX:
        _take_file(objects, root, path)
        return
    listed = objects.names(_key(root, path), most=MOST_FILES)
    names = well_named(name for name in listed if name.endswith(_SUFFIX))
    for name in names:
        _take_file(objects, root, path / name)
    marks = _mark_of(root, path)
    for mark in marks.rglob("*"):
        if mark.is_file() and mark.relative_to(marks).as_posix() not in names:
            _remove(root, root / mark.relative_to(root / SHARED))


def _take_file(objects: Objects, root: Path, path: Path) -> None:
    content = objects.read(_key(root, path), MOST_BYTES)
    if content is not None:
        _write(root, path, content)
    elif _mark_of(root, path).is_file():
        _remove(root, path)


def _key(root: Path, path: Path) -> str:
    return f"{SHARED}/{path.relative_to(root).as_posix()}"


def _mark_of(root: Path, path: Path) -> Path:
    """What says that a file was in the store: an empty file of the same name, below `.shared`."""
    return root / _key(root, path)


def _mark(root: Path, path: Path) -> None:
    mark = _mark_of(root, path)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _remove(root: Path, path: Path) -> None:
    """Remove a file that another host removed."""
    path.unlink(missing_ok=True)
    _mark_of(root, path).unlink(missing_ok=True)


def _write(root: Path, path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, durable=False) as file:
        file.write(content)
    _mark(root, path)
