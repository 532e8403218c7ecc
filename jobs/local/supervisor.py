"""Workers on this machine and their private Redis, for people without Docker."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import SecretStr

from jobs.errors import MissingPart, QuartetError
from jobs.ledger.ledger import Ledger
from jobs.local.private_folders import check_above, make_private
from jobs.local.processes import (
    SHUTDOWN_SECONDS,
    Lasting,
    end_process,
    ending,
    is_stopped,
    kill_session,
    log_end,
    open_log,
    uninterrupted,
)
from jobs.local.redis_server import PrivateRedis
from jobs.local.state_folder import held, temporary_folder
from jobs.settings import Settings

FROZEN_SECONDS = 60.0
"""How long a worker's main process may be stopped before it is killed and started again."""

PARENT_VARIABLE = "QUARTET_PARENT"
"""The variable with the id of a worker's parent process; the worker ends when that process is gone."""

TEMPORARY_VARIABLE = "QUARTET_TEMPORARY"
"""The variable with the temporary folder of a worker's Redis: both end with the worker's parent process."""


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


def start_worker(
    settings: Settings, redis_url: str, name: str, log: IO[bytes], temporary: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start a worker in a process that ends with this one.

    Args:
        settings: the worker's settings.
        redis_url: the Redis to use instead of that of the settings.
        name: the worker's name.
        log: receives its output.
        temporary: the folder of a Redis that ends with it.

    Returns:
        The worker's process, the leader of a session of its own.
    """
    chosen = settings.model_copy(update={"redis_url": SecretStr(redis_url)}).environment()
    environment = os.environ | chosen | {PARENT_VARIABLE: str(os.getpid())}
    if temporary is not None:
        # What the worker's libraries leave in temporary files goes with the folder.
        environment |= {TEMPORARY_VARIABLE: str(temporary), "TMPDIR": str(temporary)}
    command = [sys.executable, "-P", "-m", "worker.cli", "--name", name]
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


def _ignore(_: str) -> None:
    """Nobody wants to know."""


@dataclass
class Service:
    """Workers and their private Redis, while they run.

    Attributes:
        settings: name the private Redis.
        workers: those that run.
        redis: the private Redis; None if somebody else watches it.
        report: called with a sentence that says what was restarted.
    """

    settings: Settings
    workers: list["LocalWorker"]
    redis: PrivateRedis | None = None
    report: Callable[[str], None] = _ignore

    def check(self) -> None:
        """Restart Redis and the workers, whichever died or froze. To be called about every second.

        Raises:
            QuartetError: one keeps dying; the message gives the end of its log.
        """
        for watched in (self.redis, *self.workers):
            what = watched.check() if watched is not None else ""
            if what:
                self.report(what)


class LocalWorker:
    """One worker, in a new process whenever the last one died."""

    def __init__(
        self, settings: Settings, redis_url: str, name: str, log: Path, temporary: Path | None = None
    ) -> None:
        """Start the first process."""
        self._drained, self._temporary = False, temporary
        self._settings, self._redis_url, self._name, self._log = settings, redis_url, name, log
        self._starts: list[float] = []
        self.restart()

    def restart(self) -> None:
        """Start the next process, whether the last one has ended or not.

        Raises:
            QuartetError: its log cannot be written, or the system starts no more processes.
        """
        self._starts.append(time.monotonic())
        self._frozen = Lasting(FROZEN_SECONDS)
        try:
            with os.fdopen(open_log(self._log), "ab") as log, uninterrupted():
                self.process = start_worker(self._settings, self._redis_url, self._name, log, self._temporary)
        except OSError as error:
            why = (error.strerror or "unusable").lower()
            raise QuartetError(f"worker {self._name} cannot be started ({why}: {self._log})") from None

    def check(self) -> str:
        """Restart it if it died, or if its main process is stopped; leave one alone that was drained.

        Returns:
            What happened, in a sentence; empty if nothing did.

        Raises:
            QuartetError: it died three times within a minute, and never took jobs.
        """
        code = self.process.poll()
        if self._drained:
            return ""
        if code == 0 and self._was_drained():
            self._drained = True
            return f"worker {self._name} was drained; it is not started again"
        if code is not None:
            trouble = f"ended ({ending(code)})"
        elif self._frozen.seen(is_stopped(self.process.pid)):
            trouble = f"was stopped for {FROZEN_SECONDS:g} seconds"
            kill_session(self.process)
        else:
            return ""
        if self._has_announced():
            self._starts.clear()  # whatever ended it, it had taken jobs
        if len([start for start in self._starts if time.monotonic() - start < 60]) >= 3:
            end = log_end(self._log, 5)
            raise QuartetError(f"worker {self._name} keeps dying at startup; {self._log} ends with: {end}")
        self.restart()
        return f"worker {self._name} {trouble}; it was started again"

    def _has_announced(self) -> bool:
        """Whether its Redis knows that it was ready a few seconds ago."""
        try:
            return self._full_name in Ledger(self._redis_url).workers()
        except QuartetError:
            return False

    def _was_drained(self) -> bool:
        """Whether its Redis knows that this process was drained."""
        try:
            drain = Ledger(self._redis_url).drains([self._full_name]).get(self._full_name)
        except QuartetError:
            return False
        return drain is not None and drain.stopped and drain.process == self.process.pid

    @property
    def _full_name(self) -> str:
        return f"{self._name}@{os.uname().nodename}"


@contextmanager
def temporary_service(settings: Settings, workers: int = 1) -> Iterator[Service]:
    """Start a private Redis and workers, in a temporary folder, for the length of the block.

    Args:
        settings: of the workers; which Redis they name does not matter.
        workers: how many.

    Raises:
        InvalidSetting: the state folder, where workers say how they are, cannot be used.
        MissingPart: no Redis server is installed, or no Celery or TensorFlow.
        QuartetError: Redis did not start, or no temporary folder can be made.
    """
    check_worker_is_installed()
    make_private(settings.state_dir.absolute())
    folder = temporary_folder()
    try:
        redis = PrivateRedis(folder / "redis.sock", folder, keep=False)
        with redis.running(), _service(settings, redis, folder, workers) as service:
            yield service
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def kept_service(
    settings: Settings, workers: int, report: Callable[[str], None] = _ignore
) -> Iterator[Service]:
    """Start the Redis of the state folder and `workers` workers for the length of the block: `quartet up`.

    Args:
        settings: name the state folder.
        workers: how many.
        report: called with a sentence that says what was restarted.

    Raises:
        InvalidSetting: the state folder cannot be used, or another `quartet up` uses it.
        MissingPart: no Redis server is installed, or none that reads the queue, or no Celery or TensorFlow.
        QuartetError: Redis did not start.
    """
    check_worker_is_installed()
    folder = settings.state_dir.absolute()
    with held(folder):
        socket = settings.private_socket()
        if socket.parent != folder:
            make_private(socket.parent)
            check_above(socket.parent)
        redis = PrivateRedis(socket, folder, keep=True)
        with redis.running(), _service(settings, redis, folder, workers, report) as service:
            yield service


@contextmanager
def _service(
    settings: Settings, redis: PrivateRedis, logs: Path, count: int, report: Callable[[str], None] = _ignore
) -> Iterator[Service]:
    """Start workers for the length of the block."""
    chosen = settings.model_copy(update={"redis_url": SecretStr(redis.address)})
    service = Service(chosen, [], redis, report)
    try:
        for number in range(1, count + 1):
            name, log = f"quartet-{number}", logs / f"worker-{number}.log"
            with uninterrupted():
                temporary = None if redis.keep else redis.folder
                service.workers.append(LocalWorker(settings, chosen.redis_address(), name, log, temporary))
        yield service
    finally:
        seconds = settings.stop_grace_seconds + SHUTDOWN_SECONDS
        end_workers([worker.process for worker in service.workers], seconds)


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
