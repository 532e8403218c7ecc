"""Only one Redis at a time writes the append-only file of a folder."""

import contextlib
import fcntl
import os
import signal
import socket as sockets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import QuartetError
from jobs.ledger.connection import connect
from jobs.local.processes import SHUTDOWN_SECONDS
from jobs.redis_access.address import socket_address


def responds(socket: Path, seconds: float = 1.0) -> bool:
    """Whether a Redis on this socket says anything at all, even that it is loading or busy.

    Args:
        socket: the path of the socket.
        seconds: how long it may take.
    """
    try:
        with sockets.socket(sockets.AF_UNIX) as connection:
            connection.settimeout(seconds)
            connection.connect(str(socket))
            connection.sendall(b"PING\r\n")
            return bool(connection.recv(1))
    except OSError:
        return False


def stop_orphan(socket: Path) -> None:
    """Ask a Redis that outlived its `quartet up` to stop: only one may write the append-only file."""
    if responds(socket):
        address = socket_address(socket)
        with contextlib.suppress(Exception):
            connect(address).shutdown(nosave=True)
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        while responds(socket) and time.monotonic() < deadline:
            time.sleep(0.05)


@contextmanager
def only_one(folder: Path, socket: Path) -> Iterator[int]:
    """Hold a folder's `redis.lock`, which its Redis inherits: it is locked for as long as that lives.

    One that outlived its parent is asked to stop, and one that does not listen, as it is frozen, is killed:
    going on later, it would write into the file of the next one.
    """
    descriptor = os.open(folder / "redis.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        stop_orphan(socket)
        if not _locked(descriptor, 2.0):
            pid = os.pread(descriptor, 20, 0)
            if pid.isdigit() and int(pid) > 1:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(int(pid), signal.SIGKILL)
            if not _locked(descriptor, SHUTDOWN_SECONDS):
                raise QuartetError(f"another Redis uses {shown_path(folder)} and cannot be stopped")
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        else:
            return True
