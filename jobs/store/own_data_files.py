"""Lists, hashes and copies a person's own file or folder: regular files alone, of a bounded number.

The SHA-256 of a file is its own. That of a folder is the SHA-256 of the list that `sha256sum` would print of
its files, by path, in the order of their bytes: `find . -type f -printf '%P\\0' | LC_ALL=C sort -z |
xargs -0 sha256sum | sha256sum`.
"""

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.atomic_files import fsync_folder
from jobs.store.manifest import reason
from jobs.store.regular_files import open_regular
from jobs.wording import counted

MOST_FILES = 200_000
"""Of a folder."""

MOST_DEPTH = 32
"""Folders within folders."""

_BLOCK = 4 * 2**20
_AT_ONCE = 8
"""Files that are copied and synced at the same time: a disk syncs many in hardly more time than one."""

Stamp = tuple[tuple[int, ...], ...]
Alive = Callable[[], object]
"""Is called after each block that is read."""


@dataclass(frozen=True)
class OwnFiles:
    """The files of a person's own data.

    Attributes:
        root: the file, or the folder.
        names: their paths within the folder, in the order in which they are hashed; of a file, an empty one.
        stamp: of each, its device, number, size, and when it and its record changed.
    """

    root: Path
    names: tuple[str, ...]
    stamp: Stamp

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return self.names != ("",)

    @property
    def size(self) -> int:
        """Of all files, in bytes."""
        return sum(size for _, _, size, *_ in self.stamp)

    @classmethod
    def of(cls, path: Path) -> "OwnFiles":
        """List a file or folder.

        Raises:
            InvalidData: there is a link, something that is no regular file, a name that cannot be printed,
                or too much; or it cannot be read.
        """
        try:
            if path.is_symlink():
                raise _refused(path, "a symbolic link", hint=f"name what it leads to: {path.resolve()}")
            if not path.is_dir():
                return cls(path, ("",), (_stamp(path),))
            found = sorted(islice(_below(path), MOST_FILES + 1))
            if len(found) > MOST_FILES:
                raise _refused(path, "more", f"at most {MOST_FILES:,} files")
            return cls(path, tuple(name for name, _ in found), tuple(stamp for _, stamp in found))
        except (OSError, RuntimeError) as error:
            raise unreadable(path, error) from None

    def sha256(self, alive: Alive = lambda: None) -> str:
        """The SHA-256 of the content.

        Raises:
            InvalidData: a file cannot be read.
        """
        return self._digest(lambda path, _: _hashed(path, None, alive))

    def copy(self, target: Path, umask: int, alive: Alive = lambda: None) -> str:
        """Copy everything to a path that does not exist, and sync it to disk.

        Args:
            target: of the copy.
            umask: permissions to remove from the copy's files, which nobody may write.
            alive: called after each block.

        Returns:
            The SHA-256 of what was written.

        Raises:
            InvalidData: a file cannot be read.
            OSError: the volume is full, read-only or gone.
        """
        folders = {target} if self.folder else set()
        for name in self.names if self.folder else ():
            folders |= {target / above for above in Path(name).parents}
        for folder in sorted(folders):
            folder.mkdir()

        def copied(path: Path, name: str) -> str:
            with (target / name if name else target).open("xb") as copy:
                found = _hashed(path, copy, alive)
                copy.flush()
                os.fchmod(copy.fileno(), 0o444 & ~umask)
                os.fsync(copy.fileno())
            return found

        found = self._digest(copied)
        for folder in folders:
            folder.chmod(0o777 & ~umask)
            fsync_folder(folder)
        return found

    def _digest(self, hashed: Callable[[Path, str], str]) -> str:
        """The SHA-256 of the content, given a function that hashes the file at a path of a name."""
        if not self.folder:
            return hashed(self.root, "")
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="own-data") as threads:
            each = list(threads.map(lambda name: hashed(self.root / name, name), self.names))
        lines = (f"{sha256}  {name}\n" for sha256, name in zip(each, self.names, strict=True))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def _hashed(path: Path, copy: IO[bytes] | None, alive: Alive) -> str:
    """The SHA-256 of a file, which is copied on the way."""
    digest = hashlib.sha256()
    try:
        file = open_regular(path, sys.maxsize)
    except OSError as error:
        raise unreadable(path, error) from None
    with file:
        while block := _block_of(file, path):
            digest.update(block)
            if copy is not None:
                copy.write(block)
            alive()
    return digest.hexdigest()


def _block_of(file: IO[bytes], path: Path) -> bytes:
    try:
        return file.read(_BLOCK)
    except OSError as error:
        raise unreadable(path, error) from None


def _below(folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The path and the stamp of each file in a folder and those below it."""
    pending, seen = [("", 0)], 0
    while pending:
        above, depth = pending.pop()
        if depth > MOST_DEPTH:
            raise _refused(folder / above, f"one below {counted(MOST_DEPTH, 'other')}", "a folder")
        with os.scandir(folder / above) as entries:
            for entry in entries:
                name, seen = f"{above}{entry.name}", seen + 1
                if seen > 2 * MOST_FILES:
                    raise _refused(folder, "more", f"at most {MOST_FILES:,} files")
                if not name.isprintable():
                    raise _refused(folder / name, "one with a name that cannot be printed")
                if entry.is_symlink():
                    raise _refused(folder / name, "a symbolic link")
                if entry.is_dir(follow_symlinks=False):
                    pending.append((f"{name}/", depth + 1))
                else:
                    yield name, _stamp(folder / name)


def _stamp(path: Path) -> tuple[int, ...]:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise _refused(path, "something else")
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _refused(
    path: Path, given: str, expected: str = "a regular file", hint: str | None = None
) -> InvalidData:
    return InvalidData(shown_path(path), expected=expected, given=given, hint=hint)


def unreadable(path: Path, error: Exception) -> InvalidData:
    """The error for a file or folder that cannot be read."""
    why = error.strerror if isinstance(error, OSError) else None
    return InvalidData(
        shown_path(path), expected="a file that can be read", given=f"{why or reason(error)}".lower()
    )
