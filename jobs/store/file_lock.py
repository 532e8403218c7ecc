"""A lock on a file that several processes share, also on several machines; whoever holds it may be frozen.

Ours, since `flock` waits for ever, and the standard library has no lock with a time limit.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_POLL_SECONDS = 0.05


@contextmanager
def try_lock(path: Path, patience_seconds: float) -> Iterator[bool]:
    """Try to hold a lock for the length of the block.

    Args:
        path: of the lock file; it is created if need be.
        patience_seconds: how long to try while another process holds it.

    Yields:
        Whether it is held. On a volume without locks it always is.

    Raises:
        OSError: the file is a link or no regular file, or cannot be made.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        held = _lock(descriptor, patience_seconds)
        try:
            yield held
        finally:
            if held:  # closing is not enough where a forked process has the descriptor too
                _unlock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, patience_seconds: float) -> bool:
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
            return True


def _unlock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise
