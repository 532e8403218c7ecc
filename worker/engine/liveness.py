"""What a worker's main process and its pool's process know of each other, without Redis.

They share a private folder, named by `QUARTET_WORKER_DIR`. A stamp in it is a file that its process touches
every second. Whoever watches one asks only whether it changed, and counts the time by a clock of its own, and
only while it runs itself: neither a suspended machine, nor a changed clock, nor a loaded CPU ends a process.

    main            touched by the main process
    child-<pid>     touched by the pool's process
    claim-<token>   exists while the pool's process holds that job
    stopping        exists once the worker is shutting down: its jobs hand themselves back
"""

import contextlib
import logging
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Hashable, Iterator
from pathlib import Path

from jobs.settings import Settings

log = logging.getLogger(__name__)

FOLDER_VARIABLE = "QUARTET_WORKER_DIR"
PREFIX = "quartet-worker-"
MAIN, CHILD, CLAIM, STOPPING = "main", "child-", "claim-", "stopping"

LOOK_SECONDS = 1.0
"""Between two stamps, and between two looks at the other process' stamp."""

FROZEN_LEASES = 3
"""A main process that was silent for so many leases is frozen."""

LEAST_SECONDS = 5.0
"""Nobody is ended for a shorter silence, however short the lease."""

_frozen_main: int | None = None
"""The id of the main process, once the pool's process has found it frozen."""


class Silence:
    """How long something has not changed, as counted by a watcher that may itself have been frozen."""

    def __init__(self) -> None:
        """Begin to count at the first look."""
        self._last: Hashable = None
        self._looked = time.monotonic()
        self._seconds = 0.0

    def look(self, value: Hashable) -> float:
        """The seconds for which `value` has been what it is, each gap between two looks counting little.

        Args:
            value: what should change.
        """
        now = time.monotonic()
        gap, self._looked = now - self._looked, now
        self._seconds = 0.0 if value != self._last else self._seconds + min(gap, 2 * LOOK_SECONDS)
        self._last = value
        return self._seconds


def make_folder() -> Path:
    """Make this worker's folder, for its owner alone, and name it to the processes that this one starts.

    Raises:
        OSError: the system's temporary folder is full or read-only.
    """
    path = Path(tempfile.mkdtemp(prefix=PREFIX))
    (path / MAIN).write_text(str(os.getpid()))
    os.environ[FOLDER_VARIABLE] = str(path)
    return path


def remove_folder(path: Path) -> None:
    """Remove a worker's folder; nothing else is removed."""
    if path.name.startswith(PREFIX) and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)


def folder() -> Path | None:
    """The folder of the worker that this process belongs to; None outside of a worker."""
    path = os.environ.get(FOLDER_VARIABLE)
    return Path(path) if path else None


def stamp(path: Path) -> None:
    """Touch a stamp, which takes no space of a volume; make a missing one, with this process' id in it.

    Raises:
        OSError: the folder is gone or read-only.
    """
    now = time.monotonic_ns()
    try:
        os.utime(path, ns=(now, now))
    except FileNotFoundError:
        path.write_text(str(os.getpid()))


def stamped(path: Path) -> int:
    """When a stamp was touched, in nanoseconds of the monotonic clock.

    One that is missing is of now: a process that cannot write to a full volume must not look silent.
    """
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return time.monotonic_ns()


def ask_to_stop() -> None:
    """Let this worker's jobs hand themselves back. Safe in a signal handler, as it waits for no lock."""
    path = folder()
    if path is not None:
        (path / STOPPING).touch()


def is_stopping() -> bool:
    """Whether this worker is shutting down."""
    path = folder()
    return path is not None and (path / STOPPING).exists()


def hold(token: str) -> None:
    """Mark that this process holds a job, until `release`."""
    path = folder()
    if path is not None:
        with _logged():
            (path / f"{CLAIM}{token}").write_text(str(os.getpid()))


def release(token: str) -> None:
    """Mark that this process holds the job no longer."""
    path = folder()
    if path is not None:
        with _logged():
            (path / f"{CLAIM}{token}").unlink(missing_ok=True)


def holders(path: Path) -> set[int]:
    """The ids of the processes that hold a job.

    Args:
        path: the worker's folder.

    Raises:
        OSError: the folder is gone.
    """
    found = set()
    for claim in path.glob(f"{CLAIM}*"):
        with contextlib.suppress(OSError, ValueError):  # a moment ago it was removed, or is being written
            found.add(int(claim.read_text()))
    return found


def leave(status: int) -> None:
    """End the pool's process at once, and with it a main process that it found frozen.

    Args:
        status: its exit status.
    """
    if _frozen_main is not None and os.getppid() == _frozen_main:
        path = folder()
        if path is not None:
            remove_folder(path)
        # On Linux this process is killed along with it.
        os.kill(_frozen_main, signal.SIGKILL)
    os._exit(status)


def watch_main(settings: Settings) -> None:
    """In the pool's process: stamp, and watch the main process, from a thread.

    Args:
        settings: of this worker.
    """
    path = folder()
    if path is not None:
        child = _Child(path, max(LEAST_SECONDS, FROZEN_LEASES * settings.lease_seconds))
        threading.Thread(target=child.run, name="liveness", daemon=True).start()


def _main_of(path: Path) -> int:
    """The id of the main process, which may have ended before this process got here."""
    try:
        return int((path / MAIN).read_text())
    except (OSError, ValueError):  # somebody emptied the system's temporary folder
        return os.getppid()


class _Child:
    """The side of the pool's process: it ends with its main process, and ends one that is frozen."""

    def __init__(self, path: Path, frozen_after: float) -> None:
        self._folder = path
        self._frozen_after = frozen_after
        self._main = _main_of(path)
        self._silence = Silence()

    def run(self) -> None:
        """Look every second, for ever."""
        while True:
            try:
                self._look()
            except Exception:
                log.exception("this process could not show that it is alive; it tries again")
            time.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        if os.getppid() != self._main:
            os._exit(1)  # nobody would take this process' result, or give it another job
        if self._silence.look(stamped(self._folder / MAIN)) > self._frozen_after:
            self._leave_frozen_main()
        stamp(self._folder / f"{CHILD}{os.getpid()}")

    def _leave_frozen_main(self) -> None:
        """Have the jobs of this process hand themselves back; once it holds none, end the worker."""
        global _frozen_main
        if _frozen_main is None:
            log.error("the worker's main process is frozen; this worker ends")
            _frozen_main = self._main
            ask_to_stop()
        if os.getpid() not in holders(self._folder):
            leave(1)


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        log.warning("%s cannot be used: %s", folder(), error)
