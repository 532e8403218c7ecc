"""Opens zip files that anyone may have sent, so that their directory costs no more than it should.

Ours, since `zipfile` reads a directory of any length, takes the last of two members with one name, and starts
decompressors that allocate what a file asks for.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

LARGEST_READ = 1 << 20
"""Bytes that are read at once. A directory is read at once, so this bounds it too, to some 10,000 members."""

BEST_RATIO = 1032
"""Of deflate: no byte can become more than this many."""

_ENCRYPTED = 0x1 | 0x40


@contextmanager
def open_zip(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """Open a zip file whose members are plain: no two of a name, none encrypted, stored or deflated.

    Args:
        file: open for reading.

    Raises:
        zipfile.BadZipFile: it is another file.
        Exception: nearly any, of a damaged file.
    """
    size = file.seek(0, 2)
    with zipfile.ZipFile(_ShortReads(file)) as archive:
        members = archive.infolist()
        if len({member.filename for member in members}) < len(members):
            raise zipfile.BadZipFile("two members have one name")
        for member in members:
            _check_member(member, size)
        yield archive


def _check_member(member: zipfile.ZipInfo, size: int) -> None:
    """Refuse a member that is not plain, or that says it is larger than it can be."""
    if member.flag_bits & _ENCRYPTED:
        raise zipfile.BadZipFile("a member is encrypted")
    ratio = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: BEST_RATIO}.get(member.compress_type, 0)
    if not 0 <= member.compress_size <= size or not 0 <= member.file_size <= ratio * member.compress_size:
        raise zipfile.BadZipFile("a member cannot be as large as it says")


class _ShortReads:
    """A file that returns no more than `LARGEST_READ` bytes at once, as a file may; `zipfile` reads on."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read some bytes."""
        return self._file.read(LARGEST_READ if size < 0 else min(size, LARGEST_READ))
