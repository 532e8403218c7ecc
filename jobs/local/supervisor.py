"""Workers on this machine and their private Redis, for people without Docker."""

import fcntl
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from jobs.errors import InvalidSetting, MissingPart, QuartetError
from jobs.local.redis_server import SHUTDOWN_SECONDS, end_process, private_redis, stop_orphan
from jobs.settings import Settings

PARENT_VARIABLE = "QUARTET_PARENT"
"""The variable with the id of a worker's parent process; the worker ends when that process is gone."""


def check_worker_is_installed() -> None:
    """Refuse to start a worker that lacks a package.

    Raises:
        MissingPart: TensorFlow or Celery is not installed.
    """
    for package in ("celery", "tensorflow"):
        if importlib.util.find_spec(package) is None:
            raise MissingPart(
                f"{package} is not installed, and a worker needs it",
                hint="install it: `pip install 'quartet[worker]'`",
            )


def start_worker(settings: Settings, redis_url: str, name: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a worker in a process that ends with this one.

    Args:
        settings: the worker's settings.
        redis_url: the Redis to use instead of that of the settings.
        name: the worker's name.
        log: receives its output.

    Returns:
        The worker's process, the leader of a session of its own.
    """
    chosen = settings.model_copy(update={"redis_url": SecretStr(redis_url)}).environment()
    environment = os.environ | chosen | {PARENT_VARIABLE: str(os.getpid())}
    command = [sys.executable, "-m", "worker.cli", "--name", name]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
    )


def end_workers(workers: list[subprocess.Popen[bytes]], seconds: float) -> None:
    """Shut workers down: they hand back their jobs; those still alive after `seconds` are killed."""
    for worker in workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    for worker in workers:
        end_process(worker, max(0.1, deadline - time.monotonic()), ask=False)


@dataclass
class Service:
    """Workers and their private Redis, while they run."""

    settings: Settings
    workers: list["LocalWorker"]

    def check(self) -> None:
        """Restart the workers that died.

        Raises:
            QuartetError: one keeps dying; the message gives the end of its log.
        """
        for worker in self.workers:
            worker.check()


class LocalWorker:
    """One worker, in a new process whenever the last one died."""

    def __init__(self, settings: Settings, redis_url: str, name: str, log: Path) -> None:
        """Start the first process."""
        self._settings, self._redis_url, self._name, self._log = settings, redis_url, name, log
        self._starts: list[float] = []
        self.process = self._start()

    def restart(self) -> None:
        """Start the next process, whether the last one has ended or not."""
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self._starts.append(time.monotonic())
        with self._log.open("ab") as log:
            return start_worker(self._settings, self._redis_url, self._name, log)

    def check(self) -> None:
        """Restart it if it died.

        Raises:
            QuartetError: it died three times within a minute.
        """
        if self.process.poll() is None:
            return
        if len([start for start in self._starts if time.monotonic() - start < 60]) >= 3:
            end = self._log.read_text(errors="replace").splitlines()[-5:]
            raise QuartetError(
                f"worker {self._name} keeps dying at startup; {self._log} ends with: {' / '.join(end)}"
            )
        self.restart()


@contextmanager
def one_worker(settings: Settings) -> Iterator[Service]:
    """Start a private Redis and one worker, in a temporary folder, for the length of the block.

    Raises:
        MissingPart: no Redis server is installed, or no Celery or TensorFlow.
        QuartetError: Redis did not start.
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
    """Start the Redis of the state folder and `workers` workers for the length of the block: `quartet up`.

    Raises:
        InvalidSetting: another `quartet up` uses this state folder.
        MissingPart: no Redis server is installed, or no Celery or TensorFlow.
        QuartetError: Redis did not start.
    """
    check_worker_is_installed()
    folder = settings.state_dir.absolute()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidSetting(
                "QUARTET_STATE_DIR",
                expected="a folder that no other `quartet up` uses",
                given=str(folder),
                hint="stop the other one first",
            ) from None
        socket = settings.private_socket()
        stop_orphan(f"unix://{socket}")
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


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that nothing is left running.

    Raises:
        KeyboardInterrupt: one of them arrived.
    """

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
