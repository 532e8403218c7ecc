"""A worker's main process watches over its pool's process and itself, and says how it is.

It runs in threads beside Celery, and never waits for Redis where it watches. What it finds, and what it does:

    the pool's process no longer runs, for instance because its job holds Python's lock     it is killed
    there is no pool's process, and Celery starts none                                      the worker ends
    Celery's event loop is stuck, although Redis answers                                    the worker ends
"""

import contextlib
import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from jobs.errors import QuartetError
from jobs.local.private_folders import make_private
from jobs.local.redis_server import answers
from jobs.settings import Settings
from jobs.store.atomic_files import whole_file
from worker import health
from worker.engine import liveness
from worker.engine.liveness import CHILD, LEAST_SECONDS, LOOK_SECONDS, MAIN, STOPPING, Silence
from worker.engine.name_lock import only_one, server

log = logging.getLogger(__name__)

IDLE_SECONDS = 90.0
"""A pool's process without a job may be silent, or missing, for so long: it starts, it loads TensorFlow."""

STUCK_SECONDS = 300.0
"""How long the event loop may stand still while Redis answers; Celery waits up to 32 seconds to reconnect."""

PING_SECONDS = 10.0
"""Between two looks at whether Redis answers."""

STATE_SECONDS = 5.0
"""Between two writes of the state that `worker.health` reads."""


class Watchdog:
    """Watches one worker, from its start to its end.

    Attributes:
        name: of the worker, with its host.
        waits: what the worker waits for, to be read after "waits"; empty while it takes jobs.
        killed: the ids of the processes that it killed, since they no longer ran.
    """

    def __init__(self, settings: Settings, name: str, folder: Path, state: Path) -> None:
        """Nothing is watched before `start`.

        Args:
            settings: of this worker.
            name: of the worker, with its host.
            folder: the worker's own, as `liveness.make_folder` made it.
            state: the file to write for `worker.health`.
        """
        self.name = name
        self.waits = ""
        self.killed: set[int] = set()
        self._settings = settings
        self._folder = folder
        self._state = state
        self._redis = time.monotonic()
        self._loop = 0.0
        self._alive = time.monotonic()
        self._over = False
        self._writing = threading.Lock()
        self._children: dict[int, Silence] = {}
        self._childless, self._stuck = Silence(), Silence()

    def start(self) -> None:
        """Watch from threads that end with this process."""
        # A thread each: neither Redis nor a state folder on a slow volume may hold up the first.
        looks = (
            (self._look, LOOK_SECONDS),
            (self._ask_redis, PING_SECONDS),
            (self.write_state, STATE_SECONDS),
        )
        for look, pause in looks:
            threading.Thread(target=self._repeat, args=(look, pause), name="watchdog", daemon=True).start()

    def loop_runs(self) -> None:
        """Celery's event loop says so, every second from when the worker is ready."""
        self._loop = time.monotonic()

    def redis_silent(self) -> float:
        """The seconds since Redis last answered; since this worker started, if it never did."""
        return time.monotonic() - self._redis

    def holds_jobs(self) -> bool:
        """Whether this worker runs a job, or ends one in the background, as far as its folder says."""
        try:
            return bool(liveness.holders(self._folder))
        except OSError:  # it is gone; a shutdown waits for the pool's process anyway
            return False

    def write_state(self) -> None:
        """Write what `worker.health` reads; it is written every few seconds without being asked.

        Raises:
            OSError: the state folder is full, read-only or gone.
        """
        state = {
            "name": self.name,
            "pid": os.getpid(),
            "folder": str(self._folder),
            "alive": self._alive,
            "redis": self._redis,
            "loop": self._loop,
            "waits": self.waits,
            "stopping": self._is_stopping(),
        }
        with self._writing:
            if not self._over:
                with whole_file(self._state, durable=False) as file:
                    file.write(json.dumps(state).encode())

    def end(self, why: str) -> None:
        """End this worker at once, with its pool; whoever supervises it starts another.

        Args:
            why: the worker's last words.
        """
        from billiard import active_children

        log.error("%s; this worker ends", why)
        for child in active_children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self.clean_up()
        os._exit(1)

    def clean_up(self) -> None:
        """Leave nothing behind, when the worker ends."""
        self._over = True
        liveness.remove_folder(self._folder)
        # Without the wait, a state that is being written would stay; a dead volume must not hold up the end.
        if self._writing.acquire(timeout=5):
            self._writing.release()
            self._state.unlink(missing_ok=True)

    def _repeat(self, look: Callable[[], None], pause: float) -> None:
        """Look again and again; an error is logged, once as long as it stays the same."""
        last = ""
        while not self._over:
            try:
                look()
                last = ""
            except Exception as error:
                if str(error) != last and not self._over:
                    log.warning("the worker could not watch itself, and tries again", exc_info=True)
                last = str(error)
            time.sleep(pause)

    def _look(self) -> None:
        liveness.stamp(self._folder / MAIN)
        if self._loop:
            living = self._look_at_children()
            if not self._is_stopping():
                self._look_at_itself(living)
        self._alive = time.monotonic()

    def _look_at_children(self) -> set[int]:
        """Kill the pool's process if it no longer runs; return the ids of those that are there."""
        from billiard import active_children

        living = {child.pid for child in active_children()}
        holders = liveness.holders(self._folder)
        self._children = {pid: self._children.get(pid) or Silence() for pid in living}
        for pid, silence in self._children.items():
            most = max(LEAST_SECONDS, self._settings.lease_seconds) if pid in holders else IDLE_SECONDS
            silent = silence.look(liveness.stamped(self._folder / f"{CHILD}{pid}"))
            if silent > most and pid not in self.killed:
                log.error("process %s did not stir for %.0f seconds and is killed", pid, silent)
                self.killed.add(pid)
                os.kill(pid, signal.SIGKILL)
        for path in self._folder.glob("c*-*"):
            self._forget_if_dead(path, living)
        return living

    def _forget_if_dead(self, path: Path, living: set[int]) -> None:
        """Remove what a process left that was killed."""
        with contextlib.suppress(OSError, ValueError):
            if int(path.read_text()) not in living:
                path.unlink()

    def _look_at_itself(self, living: set[int]) -> None:
        if self._childless.look(bool(living) and time.monotonic()) > IDLE_SECONDS:
            self.end("the pool has no process, and Celery starts none")
        redis_away = self.redis_silent() > 2 * PING_SECONDS
        if self._stuck.look(time.monotonic() if redis_away else self._loop) > STUCK_SECONDS:
            self.end("the worker's event loop is stuck")

    def _is_stopping(self) -> bool:
        return (self._folder / STOPPING).exists()

    def _ask_redis(self) -> None:
        if answers(self._settings.redis_address()):
            self._redis = time.monotonic()


@contextlib.contextmanager
def watched(settings: Settings, name: str) -> Iterator[Watchdog]:
    """Watch this process, as this host's only worker of that name and Redis, for the length of the block.

    Args:
        settings: of this worker.
        name: of the worker, with its host.

    Raises:
        InvalidInput: another worker has that name.
        InvalidSetting: the state folder cannot be used.
        QuartetError: no temporary folder, or no lock, can be made.
    """
    redis = server(settings.redis_address())
    state = health.state_file(settings.state_dir.absolute(), name, redis)
    make_private(state.parent)
    with only_one(name, redis):
        left = health.read_state(state)
        if left is not None:  # by a worker that was killed
            liveness.remove_folder(Path(left["folder"]))
        try:
            folder = liveness.make_folder()
        except OSError as error:
            raise QuartetError(
                f"no temporary folder can be made ({(error.strerror or 'unusable').lower()})",
                hint="TMPDIR names another folder to make it in",
            ) from None
        watchdog = Watchdog(settings, name, folder, state)
        watchdog.start()
        try:
            yield watchdog
        finally:
            watchdog.clean_up()
