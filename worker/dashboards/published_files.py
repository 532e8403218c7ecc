"""Opens what a results folder publishes, and nothing else: nothing hidden, nothing behind a link."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote_to_bytes

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class MalformedPath(ValueError):
    """A path of a request that is none."""


def names_in(raw_path: bytes) -> list[str]:
    """The names of the folders and the file in a request's path; the last one is empty for a folder.

    Args:
        raw_path: as it was sent, with its escapes and without its query.

    Raises:
        MalformedPath: it does not begin with a slash, is not UTF-8 or holds a NUL.
    """
    if not raw_path.startswith(b"/"):
        raise MalformedPath
    try:
        # Split first: an escaped slash is part of a name, and no file is called that.
        names = [unquote_to_bytes(name).decode() for name in raw_path[1:].split(b"/")]
    except UnicodeDecodeError:
        raise MalformedPath from None
    if any("\0" in name for name in names):
        raise MalformedPath
    return names


def open_published(root: Path, names: Sequence[str]) -> tuple[int, os.stat_result]:
    """Open a folder or a regular file for reading; this never blocks.

    It goes down from folder to folder, so that nobody can replace one with a link in between.

    Args:
        root: the results folder.
        names: of the folders and the file below it.

    Returns:
        A descriptor, which the caller closes, and what is known of the file.

    Raises:
        OSError: there is no such file, or it is not published.
    """
    if any(not name or name.startswith(".") or "/" in name for name in names):
        raise FileNotFoundError
    opened = os.open(root, _READ & ~os.O_NOFOLLOW)
    try:
        for name in names:
            above, opened = opened, os.open(name, _READ, dir_fd=opened)
            os.close(above)
        status = os.fstat(opened)
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise FileNotFoundError
    except BaseException:
        os.close(opened)
        raise
    return opened, status
