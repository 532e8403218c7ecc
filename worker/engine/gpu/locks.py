"""Who holds which GPU: one lock file for each card, in a folder that all workers of the machine share.

The lock is `flock`, which the kernel frees when the holder's process ends, however it ends; a leftover
lock file means nothing. A worker with a card of its own locks `<uuid>.lock` exclusively. Workers that
share a card lock that file together, and each a numbered file `<uuid>.shared-<n>.lock` for itself, which
spreads them evenly even if they all start in the same second. The locks are ours because lock libraries
neither share a file among holders nor tell who they are, and CUDA hands every process the same first GPU.
"""

import contextlib
import fcntl
import json
import os
import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.datasets import shown_path
from jobs.errors import InvalidSetting
from worker.engine.gpu.nvml import Card

MOST_SHARERS = 64
"""Most workers on one card in the mode `shared`."""


@dataclass(frozen=True)
class Hold:
    """A card that this process holds, until it ends, by lock files that stay open."""

    card: Card
    descriptors: tuple[int, ...]


def hold_alone(cards: Iterable[Card], folder: Path, worker: str) -> Hold | None:
    """Take the least loaded card that nobody holds; None if all are held.

    Args:
        cards: those that may be taken.
        folder: where the lock files are.
        worker: the name of the worker that takes it, written into the lock file for people to read.

    Raises:
        InvalidSetting: no lock can be made in the folder.
    """
    for card in _least_loaded_first(cards):
        descriptor = _lock(_path(folder, card), fcntl.LOCK_EX)
        if descriptor is not None:
            _note(descriptor, worker)
            return Hold(card, (descriptor,))
    return None


def hold_shared(cards: Iterable[Card], folder: Path, worker: str) -> Hold | None:
    """Take the card with the fewest sharers, among those the least loaded; None if all are held exclusively.

    Args:
        cards: those that may be taken.
        folder: where the lock files are.
        worker: the name of the worker that takes it, written into the lock file for people to read.

    Raises:
        InvalidSetting: no lock can be made in the folder.
    """
    ordered = _least_loaded_first(cards)
    for number in range(MOST_SHARERS):
        for card in ordered:
            whole = _lock(_path(folder, card), fcntl.LOCK_SH)
            if whole is None:
                continue
            mine = _lock(_path(folder, card, number), fcntl.LOCK_EX)
            if mine is None:
                os.close(whole)
                continue
            _note(mine, worker)
            return Hold(card, (whole, mine))
    return None


def holders(card: Card, folder: Path) -> list[dict[str, Any]]:
    """Who holds a card, as their lock files say.

    Args:
        card: which card.
        folder: where the lock files are.

    Returns:
        `worker`, `host`, `pid` and `since` (seconds since 1970) of each.
    """
    found = []
    for path in [_path(folder, card), *sorted(folder.glob(f"{_file_name(card.uuid)}.shared-*.lock"))]:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            # Shared, so that two processes that look at the same time do not see each other.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            found += _noted(descriptor)
        finally:
            os.close(descriptor)
    return found


def _least_loaded_first(cards: Iterable[Card]) -> list[Card]:
    return sorted(cards, key=lambda card: (card.load or 0, card.memory_used / max(1, card.memory_total)))


def _file_name(uuid: str) -> str:
    # A UUID of NVML is made of these; anything else must not become a path.
    return re.sub(r"[^A-Za-z0-9-]", "_", uuid)


def _path(folder: Path, card: Card, sharer: int | None = None) -> Path:
    return folder / (_file_name(card.uuid) + ("" if sharer is None else f".shared-{sharer}") + ".lock")


def _lock(path: Path, kind: int) -> int | None:
    """Lock a file without waiting; its descriptor, or None if another holds it."""
    try:
        _make_folder(path.parent)
        descriptor = _open(path)
    except OSError as error:
        raise InvalidSetting(
            "QUARTET_GPU_LOCK_DIR",
            expected="a folder that every worker of this machine may write to",
            given=f"{shown_path(error.filename or path)} ({error.strerror})",
        ) from None
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _make_folder(folder: Path) -> None:
    # The state folder may be among those above it: no umask opens that to others for writing.
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(mode=0o755, exist_ok=True)


def _open(path: Path) -> int:
    while True:
        try:
            # Without O_CREAT: Linux refuses that for another user's file in a folder like /tmp.
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
                os.fchmod(descriptor, 0o666)  # whatever the umask: the next holder may be another user
                return descriptor


def _note(descriptor: int, worker: str) -> None:
    """Write the holder into the lock file, for people to read; nothing depends on it."""
    note = {"worker": worker, "host": socket.gethostname(), "pid": os.getpid(), "since": round(time.time())}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(note).encode(), 0)


def _noted(descriptor: int) -> list[dict[str, Any]]:
    try:
        note = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:
        # Taken a moment ago, or `<uuid>.lock` of a shared card, which has no note.
        return []
    return [note] if isinstance(note, dict) and "worker" in note else []
