"""The id of a store: a small file at the root of the results folder, which goes with it where it is copied.

Ours, since a path says nothing: two hosts may have the same one, each on its own disk.
"""

import errno
import os
import re
import secrets
import time
from pathlib import Path

from jobs.store.atomic_files import fsync_folder
from jobs.store.regular_files import NotRegular, read_regular

ID_FILE = ".store-id"
UNREADABLE = "unreadable"
"""In place of the id, where the file holds none."""

WRITER_SECONDS = 3.0
"""How long an empty file may be one that its maker is about to write."""

_ID = re.compile(r"[0-9a-f]{32}")


def read_store_id(root: Path) -> str | None:
    """The id of a store: 32 hexadecimal digits, or `UNREADABLE`; None if it has none yet, or an empty file.

    Args:
        root: the results folder.

    Raises:
        OSError: the results volume cannot be read.
    """
    try:
        content = read_regular(root / ID_FILE, 1_000)
    except FileNotFoundError:
        return None
    except NotRegular:
        return UNREADABLE
    return id_in(content) if content else None


def id_in(content: bytes) -> str:
    """The id that the content of such a file is; `UNREADABLE` if it is none."""
    found = content.decode("ascii", "replace").strip()
    return found if _ID.fullmatch(found) else UNREADABLE


def new_store_id() -> str:
    """An id that no other store has."""
    return secrets.token_hex(16)


def give_store_id(root: Path, wanted: str | None = None) -> str:
    """Give a store an id; of several who try at once, one succeeds. It needs no hard links and no locks.

    Whoever makes the file writes it, in one piece. If that process dies in between, the file is empty, and
    whoever comes next replaces it.

    Args:
        root: the results folder; it is made if it does not exist.
        wanted: the id; None for a new one.

    Returns:
        The id that the store has now.

    Raises:
        OSError: the volume is full, read-only or gone, or does not keep what is written.
    """
    root.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    while True:
        _write_new(root, wanted or new_store_id())
        found = read_store_id(root)  # what is written now may be in a file that somebody has replaced
        if found is not None:
            fsync_folder(root)
            return found
        waited = time.monotonic() - began
        if waited > 2 * WRITER_SECONDS:
            raise OSError(errno.EIO, "What is written there is not read again", str(root / ID_FILE))
        if waited > WRITER_SECONDS:
            _remove_empty(root)
        time.sleep(0.02)


def _write_new(root: Path, store_id: str) -> None:
    """Write the file, unless something is there."""
    try:
        with (root / ID_FILE).open("xb") as file:  # unlike a rename, it replaces nothing
            file.write(f"{store_id}\n".encode())
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        return
    except OSError:
        _remove_empty(root)
        raise


def _remove_empty(root: Path) -> None:
    if read_store_id(root) is None:
        (root / ID_FILE).unlink(missing_ok=True)
