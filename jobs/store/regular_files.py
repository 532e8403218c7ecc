"""Opens what lies in a folder as a regular file of bounded size, whatever was put there in its place.

Ours, since `open` waits for ever for the writer of a named pipe, follows links out of the folder, and reads a
file of any size.
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

_BLOCK = 1 << 13


class NotRegular(OSError):
    """A path leads to no regular file of the expected size; `strerror` says to what instead."""


def open_regular(path: Path, most_bytes: int, *, follow: bool = False) -> BufferedReader:
    """Open a regular file for reading; this never blocks.

    Args:
        path: of the file.
        most_bytes: the largest size that it may have now. It may grow later, so read no more than that.
        follow: whether the path itself may be a symbolic link.

    Returns:
        The file, which the caller closes.

    Raises:
        NotRegular: it is a link, a folder, a named pipe, a socket or a device, or it is larger.
        OSError: there is no such file, or it cannot be read.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        # ELOOP: a link; ENXIO and EOPNOTSUPP: a socket, or a device that is not there.
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EOPNOTSUPP):
            raise _not_regular(path) from None
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _not_regular(path)
        if status.st_size > most_bytes:
            raise _too_large(path, most_bytes)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most_bytes: int, *, follow: bool = False) -> bytes:
    """The content of a regular file.

    Args:
        path: of the file.
        most_bytes: the most to read; a file with more is refused, even if it grows while it is read.
        follow: whether the path itself may be a symbolic link.

    Raises:
        NotRegular: it is a link, a folder, a named pipe, a socket or a device, or it is larger.
        OSError: there is no such file, or it cannot be read.
    """
    blocks, left = [], most_bytes + 1
    with open_regular(path, most_bytes, follow=follow) as file:
        # `read` takes the memory that it is asked for at first. Mostly there is one block, the whole file.
        at_once = max(os.fstat(file.fileno()).st_size + 1, _BLOCK)
        while left and (block := file.read(min(at_once, left))):
            blocks.append(block)
            left -= len(block)
    if not left:
        raise _too_large(path, most_bytes)
    return b"".join(blocks)


def _not_regular(path: Path) -> NotRegular:
    return NotRegular(errno.EINVAL, "Not a regular file", str(path))


def _too_large(path: Path, most_bytes: int) -> NotRegular:
    return NotRegular(errno.EFBIG, f"Larger than {most_bytes:,} bytes", str(path))
