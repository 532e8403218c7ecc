"""Reads the members of a gzipped tar archive from one end to the other, in memory that does not grow.

Ours, because `tarfile` reads extended headers whole, copies all of them for each member, collects the map of
a sparse file whatever its length, and keeps every member that it has passed. Here extended headers are passed
over: no name in an archive of reviews needs one.
"""

import gzip
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import counted
from worker.tasks.sentiment.reviews import LONGEST_REVIEW

LARGEST_HEADER = 1 << 20
"""Bytes of an extended header."""

_BLOCK = tarfile.BLOCKSIZE
_AT_ONCE = 1 << 20
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
_LINKS = (tarfile.LNKTYPE, tarfile.SYMTYPE)
_HEADERS = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)


def read_members(
    path: Path, unpacked: gzip.GzipFile, most_bytes: int, wanted: Callable[[str], bool]
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the files that are wanted, in the archive's order.

    Args:
        path: of the archive, for messages.
        unpacked: the archive, as it is decompressed.
        most_bytes: of the archive after decompression.
        wanted: whether a file of this name is.

    Raises:
        InvalidData: a member is a link, leads out of the archive's folder or is too large.
        tarfile.TarError: it is not a tar archive.
        EOFError, OSError: it is damaged.
    """
    stream = _Stream(path, unpacked, most_bytes)
    while (block := stream.read(_BLOCK, end=True)).strip(b"\0"):
        member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        is_wanted = member.type in _FILES and wanted(member.name)
        _check_member(path, member, is_wanted)
        padding = -member.size % _BLOCK
        if is_wanted:
            yield member.name, stream.read(member.size)
            stream.skip(padding)
        else:
            stream.skip(member.size + padding)


def refused(path: Path, expected: str, given: str) -> InvalidData:
    """Return the error for an archive that is not what it should be."""
    return InvalidData(shown_path(path), expected=expected, given=given)


def _check_member(path: Path, member: tarfile.TarInfo, is_wanted: bool) -> None:
    name = member.name[:100]
    if member.name.startswith("/") or ".." in member.name.split("/"):
        raise refused(path, "names inside the archive's folder", f"{name!r}, which leads out of it")
    if member.type in _LINKS:
        raise refused(path, "no links, as in the original", f"the link {name!r}")
    if member.type not in (*_FILES, *_HEADERS, tarfile.DIRTYPE):
        raise refused(path, "files and folders, as in the original", f"{name!r}, which is neither")
    if member.size < 0:
        raise tarfile.TarError("a negative size")
    if member.type in _HEADERS and member.size > LARGEST_HEADER:
        raise refused(path, f"headers of at most {LARGEST_HEADER:,} bytes", "a larger one")
    if is_wanted and member.size > LONGEST_REVIEW:
        raise refused(
            path,
            f"reviews of at most {LONGEST_REVIEW:,} bytes",
            f"{name!r}, which has {counted(member.size, 'byte')}",
        )


class _Stream:
    """A decompressed archive that is read once, and refuses to go on for ever."""

    def __init__(self, path: Path, unpacked: gzip.GzipFile, most_bytes: int) -> None:
        self._path, self._unpacked, self._most_bytes = path, unpacked, most_bytes
        self._place = 0

    def read(self, size: int, *, end: bool = False) -> bytes:
        """Read `size` bytes, or nothing at the `end` if the archive may end here."""
        self._pass(size)
        content = self._unpacked.read(size)
        if len(content) < size and not (end and not content and self._place > size):
            raise EOFError("the archive ends too early")
        return content

    def skip(self, size: int) -> None:
        """Pass over `size` bytes."""
        self._pass(size)
        while size:
            content = self._unpacked.read(min(size, _AT_ONCE))
            if not content:
                raise EOFError("the archive ends too early")
            size -= len(content)

    def _pass(self, size: int) -> None:
        self._place += size
        if self._place > self._most_bytes:
            raise refused(
                self._path, f"at most {self._most_bytes:,} bytes after decompression", "a larger archive"
            )
