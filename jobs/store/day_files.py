"""The files of the index: one for each day on which jobs were submitted, a line for each job.

Lines are added at the end, by several workers at once; the last line of a job counts. Whatever a file holds
besides whole lines of its own day is passed over: half a line of a worker that died, a line of a stranger.
"""

import re
import stat
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader
from pathlib import Path

from jobs.store.appended_lines import LOCK_SECONDS, append_lines
from jobs.store.atomic_files import whole_file
from jobs.store.file_lock import try_lock
from jobs.store.regular_files import open_regular, read_regular

MOST_BYTES = 2**30
"""The largest file that is read: two million jobs on one day."""

_LOCK = ".lock"
_COMPLETE = "complete"
_NAME = re.compile(r"(\d{4})-(\d{2})-(\d{2})\.jsonl")
_LINE = re.compile(rb'^\{"id":"(\d{8}-\d{6}-\d{3}-[a-z2-7]{4})",[^\n]*\}$', re.MULTILINE)


@dataclass(frozen=True)
class DayFiles:
    """The files of an index.

    Attributes:
        folder: in which they are.
    """

    folder: Path

    def days(self) -> list[str]:
        """The days that have a file, as the first eight digits of their ids, newest first."""
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError:
            return []
        return sorted(
            ("".join(match.groups()) for match in map(_NAME.fullmatch, names) if match), reverse=True
        )

    def content(self, day: str) -> bytes:
        """All of a day's file, empty where there is none.

        Raises:
            OSError: what is there cannot be read, or is no regular file.
        """
        try:
            return read_regular(self._path(day), MOST_BYTES)
        except FileNotFoundError:
            return b""

    def opened(self, day: str) -> BufferedReader:
        """A day's file as it is now, which the caller closes: whoever removes lines replaces the file.

        Raises:
            FileNotFoundError: there is none.
            OSError: as `content` does.
        """
        return open_regular(self._path(day), MOST_BYTES)

    def lines(self, day: str) -> dict[str, bytes]:
        """The line of each job of a day.

        Raises:
            OSError: as `content` does.
        """
        return lines_of(self.content(day), day)

    def count(self, day: str) -> int:
        """How many jobs a day has; an unchanged file is read once.

        Raises:
            OSError: as `content` does.
        """
        stamp = self.stamp(day)
        return 0 if stamp is None else _count(self, day, stamp)

    def stamp(self, day: str) -> tuple[int, int, int] | None:
        """What changes with a day's file, None where there is none.

        Raises:
            OSError: the volume is gone.
        """
        try:
            now = self._path(day).lstat()
        except FileNotFoundError:
            return None
        return now.st_ino, now.st_size, now.st_mtime_ns

    def append(self, day: str, lines: Iterable[bytes]) -> None:
        """Add lines to a day's file, and sync them to disk.

        Raises:
            OSError: the volume is full, read-only or gone, or what is there cannot be replaced.
        """
        self.make_folder()
        append_lines(self._path(day), self.folder / _LOCK, lines, MOST_BYTES)

    def drop(self, day: str, ids: Collection[str]) -> None:
        """Remove the lines of jobs whose folders are gone, unless another process holds the lock.

        Raises:
            OSError: as `append` does.
        """
        with try_lock(self.folder / _LOCK, LOCK_SECONDS) as held:
            if not held:
                return
            left = [line for job_id, line in self.lines(day).items() if job_id not in ids]
            if not left:
                self._path(day).unlink(missing_ok=True)
                return
            with whole_file(self._path(day)) as file:
                file.writelines(line + b"\n" for line in left)

    def age(self) -> float:
        """Seconds since the index was last known to be complete; infinite if it never was."""
        try:
            return abs(time.time() - (self.folder / _COMPLETE).lstat().st_mtime)
        except OSError:
            return float("inf")

    def mark_complete(self) -> None:
        """Note that the index has every folder that there is now.

        Raises:
            OSError: the volume is full, read-only or gone.
        """
        self.make_folder()
        with whole_file(self.folder / _COMPLETE, durable=False):
            pass

    def _path(self, day: str) -> Path:
        return self.folder / f"{day[:4]}-{day[4:6]}-{day[6:]}.jsonl"

    def make_folder(self) -> None:
        """Make the index's folder, if need be.

        Raises:
            OSError: the volume is full, read-only or gone, or something else is in its place.
        """
        self.folder.mkdir(exist_ok=True)
        if not stat.S_ISDIR(self.folder.lstat().st_mode):
            raise NotADirectoryError(20, "Not a folder of its own", str(self.folder))


def lines_of(content: bytes, day: str) -> dict[str, bytes]:
    """The line of each job of a day, from the content of its file."""
    start = day.encode()
    return {match[1].decode(): match[0] for match in _LINE.finditer(content) if match[1].startswith(start)}


@lru_cache(maxsize=10_000)
def _count(files: DayFiles, day: str, _stamp: tuple[int, int, int]) -> int:
    return len(files.lines(day))
