"""The folder of `quartet up`, for one service at a time, and that of `quartet run`, which is not kept."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidSetting, QuartetError
from jobs.local.private_folders import FIELD, check_above, in_sentences, make_private
from jobs.redis_access.address import LONGEST_SOCKET_PATH

LEAST_FREE_BYTES = 2**24
"""Free space on the state folder's volume below which Redis is not started."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make the state folder, and hold its lock for the length of the block.

    Args:
        folder: an absolute path.

    Raises:
        InvalidSetting: it cannot be used, is not private, has no space, or another `quartet up` uses it.
    """
    make_private(folder)
    check_above(folder)
    with in_sentences(folder):
        lock = os.open(folder / "up.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        with in_sentences(folder):
            _take(lock, folder)
        yield
    finally:
        os.close(lock)


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InvalidSetting(
            FIELD,
            expected="a folder that no other `quartet up` uses",
            given=shown_path(folder),
            hint="stop the other one first",
        ) from None
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise InvalidSetting(
            FIELD,
            expected=f"a folder on a volume with at least {LEAST_FREE_BYTES / 2**20:.0f} MB of free space",
            given=f"{shown_path(folder)} with {free / 2**20:.1f} MB",
        )


def temporary_folder() -> Path:
    """A new folder of this user's, whose path leaves room for that of a socket.

    Raises:
        QuartetError: none can be made.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="quartet-"))
        if len(os.fsencode(folder / "redis.sock")) > LONGEST_SOCKET_PATH:
            folder.rmdir()
            folder = Path(tempfile.mkdtemp(prefix="quartet-", dir="/tmp"))
    except OSError as error:
        why = (error.strerror or "unusable").lower()
        raise QuartetError(
            f"no temporary folder can be made ({why})", hint="TMPDIR names another folder to make it in"
        ) from None
    return folder
