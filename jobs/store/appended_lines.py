"""Adds lines at the end of a file, which several processes do at once; each may die at any moment."""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from jobs.store.atomic_files import fsync_folder
from jobs.store.file_lock import try_lock
from jobs.store.regular_files import NotRegular, open_regular

log = logging.getLogger(__name__)

LOCK_SECONDS = 3.0
"""How long a lock is tried that another process holds."""


def append_lines(path: Path, lock: Path, lines: Iterable[bytes], most_bytes: int) -> None:
    """Add lines to a file, which is made if need be, and sync them to disk.

    Args:
        path: of the file; what is there and is no regular file, or too large to be read, is replaced.
        lock: the file by which the writers keep apart.
        lines: without their ends.
        most_bytes: of a file that is read.

    Raises:
        OSError: the volume is full, read-only or gone, or what is there cannot be replaced.
    """
    text = b"".join(line + b"\n" for line in lines)
    with try_lock(lock, LOCK_SECONDS) as held:
        if not held:
            # Two lines may mix, or one be lost to a rewrite: of an index, `History.catch_up` adds it again.
            log.warning("%s: another process has held the lock for %g s", path.parent, LOCK_SECONDS)
        descriptor = _open(path, most_bytes)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":  # a worker died while it wrote
                text = b"\n" + text
            while text:
                text = text[os.write(descriptor, text) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    if not size:
        fsync_folder(path.parent)


def _open(path: Path, most_bytes: int) -> int:
    try:
        open_regular(path, most_bytes).close()
    except FileNotFoundError:
        pass
    except NotRegular:
        path.unlink()
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.open(path, flags, 0o666)
