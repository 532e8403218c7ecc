"""Whether the file system of the results folder does what Quartet relies on: each promise is tried.

Hosts share a results folder through a network file system, and these differ. What only a second host could
show, such as locks that stay on this one, the options of the mount say: see `jobs.local.mounts`.
"""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.local.mounts import harmful_options, mount_of
from jobs.store.atomic_files import fsync_folder
from jobs.store.file_lock import try_lock
from jobs.wording import reason_of

PATIENCE_SECONDS = 60.0
"""For the second process, which takes a fraction of a second on a machine that is not busy."""

SKEW_SECONDS = 5.0
"""Of the file server's clock: Quartet compares ages of minutes."""


@dataclass(frozen=True)
class Broken:
    """A promise that the file system does not keep.

    Attributes:
        promise: its name, one or two words.
        finding: what was seen, and what Quartet needs the promise for.
        fix: what to do.
    """

    promise: str
    finding: str
    fix: str


class _NotKeptError(Exception):
    """What was seen in place of what was promised."""


def broken_promises(root: Path) -> Iterator[Broken]:
    """Try what Quartet relies on, in a folder of its own that is removed again.

    Args:
        root: the results folder, which exists.

    Raises:
        OSError: no folder can be made or removed there.
    """
    mount = mount_of(root)
    for option, (effect, instead) in (harmful_options(mount) if mount else {}).items():
        yield Broken("mount options", f"{option} {effect}", f"mount it {instead}")
    with tempfile.TemporaryDirectory(prefix=".trial-", dir=root) as name:
        for number, promise in enumerate(_PROMISES):
            folder = Path(name) / str(number)
            folder.mkdir()
            try:
                promise.attempt(folder)
            except _NotKeptError as error:
                yield Broken(promise.name, f"{error}; {promise.need}", promise.fix)
            except OSError as error:
                seen = f"{promise.doing} fails ({reason_of(error)})"
                yield Broken(promise.name, f"{seen}; {promise.need}", promise.fix)


def clock_skew(root: Path) -> float:
    """How many seconds the clock of the file system is ahead of this host's; 0.0 within `SKEW_SECONDS`.

    Args:
        root: the results folder, in which a file is made and removed.

    Raises:
        OSError: no file can be made there.
    """
    before = time.time()
    with tempfile.NamedTemporaryFile(prefix=".trial-", dir=root) as file:
        file.write(b"-")
        file.flush()
        os.fsync(file.fileno())
        written = os.fstat(file.fileno()).st_mtime
    after = time.time()
    skew = min(0.0, written - before) + max(0.0, written - after)
    return skew if abs(skew) > SKEW_SECONDS else 0.0


def _renames_a_file(folder: Path) -> None:
    old, new = folder / "old", folder / "new"
    old.write_text("old")
    new.write_text("new")
    new.replace(old)
    if old.read_text() != "new" or new.exists():
        raise _NotKeptError("a file renamed over another does not take its place")


def _renames_a_folder(folder: Path) -> None:
    staged, published = folder / "staged", folder / "published"
    staged.mkdir()
    with (staged / "file").open("w") as file:  # as in the folder of an attempt that is frozen
        staged.rename(published)
        file.write("x")
    if staged.exists() or (published / "file").read_text() != "x":
        raise _NotKeptError("a folder does not move with its files")


def _refuses_a_second_folder(folder: Path) -> None:
    first, second = folder / "first", folder / "second"
    for place in (first, second):
        place.mkdir()
        (place / "file").write_text(place.name)
    with contextlib.suppress(OSError):  # of whatever kind: publishing asks no more
        second.rename(first)
    if not second.exists() or (first / "file").read_text() != "first":
        raise _NotKeptError("a folder replaces one that has files")


def _refuses_a_second_file(folder: Path) -> None:
    path = folder / "file"
    path.write_text("first")
    try:
        path.open("x").close()
    except FileExistsError:
        return
    raise _NotKeptError("a file that exists is made a second time")


def _syncs(folder: Path) -> None:
    with (folder / "file").open("w") as file:
        file.write("x")
        file.flush()
        os.fsync(file.fileno())
    fsync_folder(folder)


def _keeps_a_lock(folder: Path) -> None:
    with try_lock(folder / _LOCK, 0) as held:
        if not held:
            raise _NotKeptError("a new file cannot be locked")
        if _ask_second_process(folder)["locked"]:
            raise _NotKeptError("a second process gets a lock that is held")


def _shows_a_closed_file(folder: Path) -> None:
    content = secrets.token_hex(8)
    (folder / _CONTENT).write_text(content)
    if _ask_second_process(folder)["content"] != content:
        raise _NotKeptError("a second process does not read what the first one wrote and closed")


_LOCK = "lock"
_CONTENT = "content"


def _ask_second_process(folder: Path) -> dict[str, object]:
    """What another process on this host sees in a folder."""
    command = [sys.executable, "-P", "-m", "jobs.local.file_system_check", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
        seen: dict[str, object] = json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        raise _NotKeptError("a second process cannot use the folder") from None
    return seen


def _look(folder: Path) -> dict[str, object]:
    """What this process sees: it is the second one."""
    with try_lock(folder / _LOCK, 0) as locked:
        content = (folder / _CONTENT).read_text() if (folder / _CONTENT).exists() else None
        return {"locked": locked, "content": content}


@dataclass(frozen=True)
class _Promise:
    name: str
    attempt: Callable[[Path], None]
    doing: str
    need: str
    fix: str


_ANOTHER = "keep the results on a local disk or on NFS 4, or in an object store (QUARTET_STORE)"
_PROMISES = (
    _Promise(
        "rename file",
        _renames_a_file,
        "renaming a file over another",
        "pages and records are replaced that way, so that nobody reads half of one",
        _ANOTHER,
    ),
    _Promise(
        "rename folder",
        _renames_a_folder,
        "renaming a folder in which a file is open",
        "a job is published that way, and a later attempt takes the folder of a frozen one",
        _ANOTHER,
    ),
    _Promise(
        "rename refused",
        _refuses_a_second_folder,
        "renaming a folder to a name that is taken",
        "this is what keeps two attempts at one job from both publishing",
        _ANOTHER,
    ),
    _Promise(
        "exclusive file",
        _refuses_a_second_file,
        "making a file",
        "this is what keeps two workers from each giving the store an id",
        "mount NFS as version 3 or later",
    ),
    _Promise(
        "fsync",
        _syncs,
        "syncing a file and its folder to disk",
        "a job counts as published once its folder is on disk",
        _ANOTHER,
    ),
    _Promise(
        "locks",
        _keeps_a_lock,
        "locking a file",
        "changes to tags and to the list of jobs made at the same moment may be lost",
        "use NFS 4, or NFS 3 with rpc.statd and without nolock; mount SMB without nobrl",
    ),
    _Promise(
        "close to open",
        _shows_a_closed_file,
        "reading what another process wrote",
        "a job that moves to another worker reads its checkpoint",
        "mount NFS without nocto, SMB with cache=strict",
    ),
)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_look(Path(sys.argv[1]))))
