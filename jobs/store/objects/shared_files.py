"""Small files of the results folder that every host needs: in an object store, below `.shared`."""

from pathlib import Path

from jobs.store.atomic_files import whole_file
from jobs.store.objects.layout import SHARED, well_named
from jobs.store.objects.objects import Objects

MOST_BYTES = 256 * 2**20
"""Of one file."""

MOST_FILES = 1_000_000


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
    """Bring a file, or all files of a folder, to what the store has; what was never there stays.

    Args:
        objects: the store.
        root: the results folder.
        path: of the file or the folder, in that folder; it need not exist.

    Raises:
        DamagedFolder: a file there is larger than any that Quartet wrote.
        StoreUnreachable: the store does not answer.
        OSError: the volume is full, read-only or gone.
    """
    key = _key(root, path)
    content = objects.read(key, MOST_BYTES)
    if content is not None:
        _write(root, path, content)
        return
    names = well_named(name for name in objects.names(key, most=MOST_FILES) if name.endswith(".json"))
    for name in names:
        content = objects.read(f"{key}/{name}", MOST_BYTES)
        if content is not None:
            _write(root, path / name, content)
    marks = _mark_of(root, path)
    for mark in [marks] if marks.is_file() else marks.rglob("*"):
        if mark.is_file() and mark.relative_to(marks).as_posix() not in names:
            (root / mark.relative_to(root / SHARED)).unlink(missing_ok=True)  # another host removed it
            mark.unlink(missing_ok=True)


def _key(root: Path, path: Path) -> str:
    return f"{SHARED}/{path.relative_to(root).as_posix()}"


def _mark_of(root: Path, path: Path) -> Path:
    """What says that a file was in the store: an empty file of the same name, below `.shared`."""
    return root / _key(root, path)


def _mark(root: Path, path: Path) -> None:
    mark = _mark_of(root, path)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def _write(root: Path, path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path, durable=False) as file:
        file.write(content)
    _mark(root, path)
