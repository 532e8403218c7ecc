"""A private Redis on a Unix socket, for people without Docker."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import QuartetError
from jobs.ledger.connection import connect
from jobs.local.processes import (
    SHUTDOWN_SECONDS,
    Lasting,
    end_process,
    ending,
    kill_session,
    log_end,
    open_log,
    uninterrupted,
)
from jobs.local.queue_file import FOLDER, MANIFEST, has_queue, is_incomplete
from jobs.local.redis_lock import only_one, responds
from jobs.local.servers import Server, choose_server, find_server, remember
from jobs.redis_access.address import socket_address

START_SECONDS = 60.0
"""How long Redis may be silent while it starts; one that loads a large file is not silent."""

HANG_SECONDS = 60.0
"""How long a running Redis may be silent before it is killed and started again."""

SHORT_LIFE_SECONDS = 10.0
MOST_SHORT_LIVES = 5
"""A Redis that ended so often in a row, each time within SHORT_LIFE_SECONDS, is not started again."""

_DAMAGED = (
    "reading the append only file",
    "AOF manifest",
    "AOF file",
    "AOF loading",
    "RDB reading",
    "RDB format",
)
"""What servers say of an append-only file that they cannot load."""


class PrivateRedis:
    """A Redis of this process' own: started, watched, started again if it dies or hangs, and stopped."""

    def __init__(self, socket: Path, folder: Path, *, keep: bool) -> None:
        """Nothing is started yet.

        Args:
            socket: the path of the socket.
            folder: for its log and its append-only file.
            keep: write an append-only file, which the next start reads.
        """
        self.socket, self.folder, self.keep = socket, folder, keep
        self.address = socket_address(socket)
        self.log = folder / "redis.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._ready_at: float | None = None
        self._short_lives = 0
        self._silent = Lasting(HANG_SECONDS)

    def start(self) -> None:
        """Start it, and wait until it answers; one that has outlived its parent is ended first.

        Raises:
            MissingPart: no Redis server is installed, or none that reads the queue in the folder.
            QuartetError: it did not start; the message gives the end of its log.
        """
        for path in (self.folder, self.socket.parent):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        server = Server(find_server())
        try:
            if self.keep:
                if is_incomplete(self.folder):
                    raise self._damaged("a part of it is missing", "")
                server = choose_server(self.folder)
            with only_one(self.folder, self.socket) as lock:
                log_start = self._launch(server, lock)
            self._wait(log_start)
            if self.keep:
                remember(server, self.folder)
        except OSError as error:
            self.stop()
            why = (error.strerror or "unusable").lower()
            raise QuartetError(f"Redis cannot be started in {shown_path(self.folder)} ({why})") from None
        except BaseException:
            self.stop()
            raise
        self._ready_at, self._silent = time.monotonic(), Lasting(HANG_SECONDS)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start it for the length of the block.

        Raises:
            MissingPart: no Redis server is installed, or none that reads the queue in the folder.
            QuartetError: it did not start; the message gives the end of its log.
        """
        try:
            self.start()
            yield
        finally:
            self.stop()

    def check(self) -> str:
        """Start it again if it died or hangs.

        Returns:
            What happened, in a sentence; empty if nothing did.

        Raises:
            QuartetError: it keeps ending, or it has no file; the message gives the end of its log.
        """
        trouble = self._trouble()
        if not trouble:
            return ""
        if not self.keep:
            raise QuartetError(
                f"Redis {trouble}, and its jobs with it; its log ends with: {log_end(self.log, 3)}"
            )
        lived = time.monotonic() - self._ready_at if self._ready_at is not None else 0.0
        self._short_lives = self._short_lives + 1 if lived < SHORT_LIFE_SECONDS else 1
        self._ready_at = None
        self._end(0)
        if self._short_lives >= MOST_SHORT_LIVES:
            end = f"{self.log} ends with: {log_end(self.log, 3)}"
            raise QuartetError(f"Redis {trouble} again, and is not started any more; {end}")
        try:
            self.start()
        except QuartetError as error:
            if self._short_lives + 1 >= MOST_SHORT_LIVES:
                raise
            return f"Redis {trouble}, and could not be started again: {error}"
        return f"Redis {trouble}; it was started again on the same queue"

    def stop(self) -> None:
        """Stop it, or kill it where nothing is kept; a second Ctrl-C kills it as well."""
        self._end(SHUTDOWN_SECONDS if self.keep else 0)
        with contextlib.suppress(OSError):
            self.socket.unlink(missing_ok=True)

    def _end(self, seconds: float) -> None:
        if self._process is None:
            return
        if seconds:
            end_process(self._process, seconds)
        # Also after it has ended: a process that rewrites the file for it may be left.
        kill_session(self._process)
        self._process = None

    def _trouble(self) -> str:
        if self._process is None:
            return "did not start"
        code = self._process.poll()
        if code is not None:
            return f"ended ({ending(code)})"
        if self._silent.seen(not responds(self.socket)):
            return f"did not answer for {HANG_SECONDS:g} seconds"
        return ""

    def _launch(self, server: Server, lock: int) -> int:
        """Start the process; returns where its part of the log begins, in bytes."""
        command = [server.path, "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"]
        command += ["--dir", str(self.folder), "--save", "", "--daemonize", "no"]
        command += ["--maxmemory-policy", "noeviction"]
        command += ["--appendonly", "yes" if self.keep else "no", "--appendfsync", "always"]
        self.socket.unlink(missing_ok=True)
        log = open_log(self.log)
        try:
            log_start = os.fstat(log).st_size
            with uninterrupted():
                # In its own session, Ctrl-C does not reach it: this process stops it after the workers.
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    pass_fds=(lock,),
                    umask=0o077,
                )
                os.ftruncate(lock, 0)
                os.pwrite(lock, str(self._process.pid).encode(), 0)
        finally:
            os.close(log)
        return log_start

    def _wait(self, log_start: int) -> None:
        assert self._process is not None
        silent = Lasting(START_SECONDS)
        while self._process.poll() is None:
            if answers(self.address):
                return
            if silent.seen(not responds(self.socket)):
                break
            time.sleep(0.02)
        said, failed = log_end(self.log, 5, log_start), (self._process.poll() or 0) > 0
        if failed and has_queue(self.folder) and any(words in said for words in _DAMAGED):
            fix = f"`redis-check-aof --fix {shown_path(self._queue / MANIFEST)}`"
            raise self._damaged(
                f"{shown_path(self.log)} says where", f"cut off its damaged end with {fix}, or "
            )
        raise QuartetError(f"Redis did not start; {self.log} ends with: {log_end(self.log, 3, log_start)}")

    @property
    def _queue(self) -> Path:
        return self.folder / FOLDER

    def _damaged(self, where: str, fix: str) -> QuartetError:
        queue = shown_path(self._queue)
        return QuartetError(
            f"Redis cannot load the queue in {queue}, which is damaged ({where}); nothing in it was changed",
            hint=f"copy {queue}, then {fix}move it away, and restore what the results folder knows with "
            "`quartet rebuild` beside the next `quartet up`",
        )


@contextmanager
def private_redis(socket: Path, folder: Path, *, keep: bool) -> Iterator[str]:
    """Start a private Redis on a Unix socket for the length of the block; yield its address.

    Args:
        socket: the path of the socket.
        folder: for its log and its append-only file.
        keep: write an append-only file, which the next start reads.

    Raises:
        MissingPart: no Redis server is installed, or none that reads the queue in the folder.
        QuartetError: it did not start; the message gives the end of its log.
    """
    redis = PrivateRedis(socket, folder, keep=keep)
    with redis.running():
        yield redis.address


def answers(address: str) -> bool:
    """Whether a Redis answers at this address and is ready."""
    from redis.exceptions import RedisError

    try:
        return bool(connect(address).ping())
    except (RedisError, OSError):
        return False
