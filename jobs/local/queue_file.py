"""The append-only file of a private Redis, in which the queue lives, as it lies in a state folder.

Since Redis 7 it is a folder: a base file, which a rewrite makes, a file that grows, and a manifest that names
both. What a server does not miss is looked for here: without the manifest it would start with an empty queue,
and with an empty base file without most of it.
https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
"""

import os
import re
from pathlib import Path

FOLDER = "appendonlydir"
MANIFEST = "appendonly.aof.manifest"
OLD_FILE = "appendonly.aof"
"""The whole file, before Redis 7."""

FIRST_FORMAT = 10
"""The RDB format of Redis 7.0, the first with a manifest."""

EMPTY_BYTES = 200
"""A base file that is smaller holds no key."""

_BASE = re.compile(rb'^file "?([^"/\n]+)"? seq (\d+) type b', re.M)


def has_queue(folder: Path) -> bool:
    """Whether a state folder holds an append-only file."""
    try:
        return (folder / OLD_FILE).is_file() or (folder / FOLDER).is_dir()
    except (OSError, ValueError):
        return False


def is_incomplete(folder: Path) -> bool:
    """Whether part of the append-only file is missing that a server would not miss.

    Args:
        folder: the state folder.

    Raises:
        OSError: it cannot be read.
    """
    queue = folder / FOLDER
    if not queue.is_dir():
        return False
    if not (queue / MANIFEST).exists():
        grown = any(path.stat().st_size for path in queue.glob("*.incr.aof"))
        return grown or any(path.stat().st_size > EMPTY_BYTES for path in queue.glob("*.base.rdb"))
    base = _base(queue)
    # The first base file holds nothing: it is written before the first job.
    return base is not None and base[1] > 1 and base[0].exists() and base[0].stat().st_size == 0


def base_format(folder: Path) -> tuple[str, int] | None:
    """The format of the base file, from its first bytes.

    Args:
        folder: the state folder.

    Returns:
        The kind of server that writes it (`redis` for all formats that are common to both) and the format's
        number; None if there is no manifest, or a file cannot be read.
    """
    try:
        base = _base(folder / FOLDER)
        if base is None:
            return "redis", FIRST_FORMAT
        with base[0].open("rb") as file:
            head = re.match(rb"(REDIS|VALKEY)(\d{3,4})", file.read(10))
    except OSError:
        return None
    if head is None:
        return "redis", FIRST_FORMAT
    return head[1].decode().lower(), max(int(head[2]), FIRST_FORMAT)


def _base(queue: Path) -> tuple[Path, int] | None:
    """The base file that the manifest names, and its number; None if it names none."""
    with (queue / MANIFEST).open("rb") as manifest:
        found = _BASE.search(manifest.read(65_536))
    return None if found is None else (queue / os.fsdecode(found[1]), int(found[2]))
