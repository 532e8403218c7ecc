"""The content of own data, by its SHA-256: put into place whole, and compared with it before it is read.

It lies in `<sha256>/`, under the name that it first had. Until it is complete and synced, it lies in a folder
`.part-…`, and so does what is being removed.
"""

import os
import secrets
import shutil
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.atomic_files import fsync_folder
from jobs.store.own_data_files import OwnFiles, Stamp
from jobs.store.own_data_pin import SUFFIX

PART_SECONDS = 3_600.0
"""After so long without a sign of life, what is half written belongs to nobody."""

_PART = ".part-"
_MOST_FORMS = 16
"""Of one content: the same bytes may be stored as a .txt and as a .csv file."""

_MOST_SEEN = 64
_SIGN_OF_LIFE_SECONDS = 30.0

_seen: dict[tuple[Path, str], Stamp] = {}
"""The content that this process has compared with its checksum, with the stamp that it had then."""


@dataclass(frozen=True)
class Content:
    """All content of one store.

    Attributes:
        folder: `results/.data`.
        umask: permissions to remove from what is written.
    """

    folder: Path
    umask: int

    def find(self, sha256: str, suffix: str) -> Path | None:
        """Where content of a form lies, None if it is not there.

        Args:
            sha256: of it.
            suffix: of a file, in lower case; empty for a folder.

        Raises:
            OSError: the store cannot be read.
        """
        try:
            folder = self.folder / sha256
            if not stat.S_ISDIR(folder.lstat().st_mode):
                return None
            with os.scandir(folder) as entries:
                names = sorted(
                    entry.name for entry in islice(entries, _MOST_FORMS) if _has_form(entry, suffix)
                )
        except (FileNotFoundError, NotADirectoryError):
            return None
        return folder / names[0] if names else None

    def difference(self, path: Path, sha256: str) -> str | None:
        """How content that was found differs from its checksum, None where it does not.

        It is read once in a process, unless a file of it changes.
        """
        try:
            files = OwnFiles.of(path)
            if _seen.get((path, sha256)) == files.stamp:
                return None
            found = files.sha256()
        except InvalidData as error:
            return str(error)
        if found != sha256:
            return f"its SHA-256 is {found}"
        if len(_seen) >= _MOST_SEEN:
            _seen.clear()
        _seen[path, sha256] = files.stamp
        return None

    def copy(self, files: OwnFiles, sha256: str) -> Path:
        """Copy files into a folder of their own, which `put` moves into place, or the caller removes.

        Args:
            files: what to copy.
            sha256: that they had when they were looked at.

        Raises:
            InvalidData: they cannot be read, or changed.
            OSError: the volume is full, read-only or gone.
        """
        part, last = self.new_part(), [time.monotonic()]

        def alive() -> None:
            if time.monotonic() - last[0] > _SIGN_OF_LIFE_SECONDS:
                last[0] = time.monotonic()
                os.utime(part)

        try:
            if files.copy(part / _name_of(files.root), self.umask, alive) != sha256:
                raise InvalidData(
                    shown_path(files.root),
                    expected="data that nobody changes while it is stored",
                    given="data that changed meanwhile",
                )
            fsync_folder(part)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
        return part

    def put(self, part: Path, sha256: str, suffix: str) -> None:
        """Move a copy into place, and what is there in this form out of it.

        Args:
            part: from `copy`; what it holds then, the caller removes.
            sha256: of the copy.
            suffix: as for `find`.

        Raises:
            OSError: the volume is full, read-only or gone.
        """
        (copy,) = part.iterdir()
        folder, before = self.folder / sha256, self.find(sha256, suffix)
        if before is not None:
            before.rename(part / f"{_PART}{before.name}")
        elif os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir()):
            folder.rename(part / _PART)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o777 & ~self.umask)
        copy.rename(folder / copy.name)
        fsync_folder(folder)
        fsync_folder(self.folder)

    def take_away(self, path: Path) -> Path:
        """Move content out of its place, by one rename, into a folder that the caller removes.

        Raises:
            OSError: the volume is read-only or gone.
        """
        part = self.new_part()
        path.rename(part / path.name)
        with suppress(OSError):  # another form of it is there
            path.parent.rmdir()
        fsync_folder(self.folder)
        return part

    def sweep(self) -> None:
        """Remove what was half written or half removed when a process died."""
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if not entry.name.startswith(_PART):
                    continue
                with suppress(OSError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime > PART_SECONDS:
                        _remove(Path(entry.path))

    def used(self, path: Path) -> None:
        """Note that content is read now, so that `make_room` keeps it."""
        with suppress(OSError):  # of another user, or on a volume that is read-only
            os.utime(path.parent)

    def make_room(self, most_bytes: float) -> None:
        """Remove the content that was not read for longest, until at most so much is left.

        What was read within `PART_SECONDS` stays, since a job may be reading it.

        Args:
            most_bytes: that may stay.
        """
        found = []
        with suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False) and len(entry.name) == 64:
                    files = Path(entry.path).rglob("*")
                    size = sum(path.lstat().st_size for path in files if not path.is_dir())
                    found.append((entry.stat().st_mtime, size, Path(entry.path)))
        left = sum(size for _, size, _ in found)
        for used, size, folder in sorted(found):
            if left <= most_bytes or time.time() - used < PART_SECONDS:
                return
            with suppress(OSError):
                part = self.new_part()
                folder.rename(part / folder.name)
                shutil.rmtree(part, ignore_errors=True)
                left -= size

    def new_part(self) -> Path:
        """An empty folder, which `put` moves content from; the caller removes it.

        Raises:
            OSError: the volume is full, read-only or gone.
        """
        part = self.folder / f"{_PART}{secrets.token_hex(8)}"
        part.mkdir()
        return part


def _has_form(entry: "os.DirEntry[str]", suffix: str) -> bool:
    if not suffix:
        return entry.is_dir(follow_symlinks=False)
    return entry.is_file(follow_symlinks=False) and Path(entry.name).suffix.lower() == suffix


def _name_of(root: Path) -> str:
    """The name of a copy: that of the original, unless it is long or hidden."""
    name = root.name
    plain = name.isprintable() and not name.startswith(".") and len(name.encode()) <= 200
    return name if plain else f"data{root.suffix if SUFFIX.fullmatch(root.suffix.lower()) else ''}"


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()
