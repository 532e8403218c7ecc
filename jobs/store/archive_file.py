"""The file of an archive: a tar file, compressed by zstd, with all that it holds in one order.

quartet-archive.json        what is in it, as `archive_index` writes it
<job>/MANIFEST.sha256       of each job, in the order of their ids
<job>/<file>                each file that the manifest names, in its order

`tar --zstd -xf` unpacks it. The reader is ours, since that of the standard library takes whatever a stranger
wrote: links, devices, headers that fill the memory. Here a member is a regular file, with the name that must
come next, or the archive is refused.
"""

import sys
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BufferedReader
from typing import IO, Self

from jobs.errors import DamagedArchive
from jobs.wording import shown

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SUFFIX = ".tar.zst"

_BLOCK = tarfile.BLOCKSIZE
_CHUNK = 1 << 20
_LONGEST_NAME = 1_000
"""Bytes of a name: that of a file may have 500 characters."""

_WINDOW_LOG = 27
"""The reader's memory, 128 MiB at most; what is written here needs 2 MiB."""

_KINDS = {
    tarfile.LNKTYPE: "a hard link",
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.DIRTYPE: "a folder",
    tarfile.FIFOTYPE: "a named pipe",
}


class ArchiveWriter:
    """Writes the members of an archive."""

    def __init__(self, file: IO[bytes]) -> None:
        """Write into an open file, which the caller closes."""
        self._stream = zstd.ZstdFile(file, "wb", options={zstd.CompressionParameter.checksum_flag: 1})

    def add(self, name: str, size: int, blocks: Iterable[bytes], moment: float) -> bool:
        """Write a member.

        Args:
            name: its path.
            size: its bytes.
            blocks: its content.
            moment: seconds since 1970.

        Returns:
            Whether the content has that size; the archive is none if it has another.

        Raises:
            OSError: the volume is full, read-only or gone.
        """
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o644, int(moment)
        self._stream.write(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict"))
        for block in blocks:
            self._stream.write(block)
            size -= len(block)
        self._stream.write(bytes(-info.size % _BLOCK))
        return size == 0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write the end, unless there was an error; the stream is closed before its file is.

        Raises:
            OSError: the volume is full, read-only or gone.
        """
        if kind is not None:
            with suppress(OSError):
                self._stream.close()
            return
        try:
            self._stream.write(bytes(2 * _BLOCK))
        finally:
            self._stream.close()


class ArchiveReader:
    """Reads the members of an archive in their order; whatever is not as it should be is a DamagedArchive."""

    def __init__(self, file: BufferedReader, shown_as: str) -> None:
        """Read from an open file, which the caller closes.

        Args:
            file: of whatever content.
            shown_as: its name in messages.
        """
        self._name = shown_as
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        self._stream = zstd.ZstdFile(file, "rb", options=options)

    def member(self, name: str, most: int) -> Iterator[bytes]:
        """The content of the next member, in blocks; all of it must be read.

        Args:
            name: which it must be.
            most: bytes that it may have.

        Raises:
            DamagedArchive: it is another one, is no regular file, or is larger; or the archive is cut off.
        """
        size = self._header(name)
        if size > most:
            raise self.refused(f"{shown(name, 120)} has {size:,} bytes, more than its archive may hold there")
        left = size
        while left:
            block = self._read(min(left, _CHUNK))
            left -= len(block)
            yield block
        self._read(-size % _BLOCK)

    def end(self) -> None:
        """Refuse what comes after the last member.

        Raises:
            DamagedArchive: there is something.
        """
        if any(self._read(2 * _BLOCK)) or self._at_most(1):
            raise self.refused("it goes on after its last file")

    def refused(self, why: str) -> DamagedArchive:
        """The error for this archive, with what is wrong."""
        return DamagedArchive(f"{self._name} cannot be restored: {why}")

    def _header(self, wanted: str) -> int:
        """The size of the next member, which has the wanted name."""
        info, name = self._info(), None
        if info.type == tarfile.GNUTYPE_LONGNAME:
            if info.size > _LONGEST_NAME:
                raise self.refused(f"a name in it has {info.size:,} bytes")
            padded = self._read(info.size + -info.size % _BLOCK)
            name = padded[: info.size].rstrip(b"\0").decode("utf-8", "replace")
            info = self._info()
        name = info.name if name is None else name
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            kind = _KINDS.get(info.type, "of a kind that Quartet never writes")
            raise self.refused(f"{shown(name, 120)} in it is {kind}")
        if name != wanted:
            raise self.refused(f"it has {shown(name, 120)} where {shown(wanted, 120)} must be")
        return info.size

    def _info(self) -> tarfile.TarInfo:
        content = self._read(_BLOCK)
        try:
            info = tarfile.TarInfo.frombuf(content, "utf-8", "surrogateescape")
        except (tarfile.HeaderError, ValueError):
            whole = any(content)
            raise self.refused(
                "it has no tar header where one must be" if whole else "it ends early"
            ) from None
        if info.size < 0:
            raise self.refused("it has a file of negative size")
        return info

    def _read(self, size: int) -> bytes:
        """So many bytes."""
        blocks = []
        while size:
            block = self._at_most(size)
            if not block:
                raise self.refused("it is cut off")
            blocks.append(block)
            size -= len(block)
        return b"".join(blocks)

    def _at_most(self, size: int) -> bytes:
        try:
            content: bytes = self._stream.read(size)
        except EOFError:
            raise self.refused("it is cut off") from None
        except zstd.ZstdError:
            raise self.refused("it is no zstd file, or is damaged") from None
        return content
