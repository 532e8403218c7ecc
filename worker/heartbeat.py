"""Renews a job's lease from a thread, and hears what the job is asked."""

import logging
import resource
import sys
import threading
import time
from collections.abc import Callable

from jobs.errors import LeaseLost, RedisUnreachable
from jobs.ledger import Ledger
from jobs.record import Claim
from jobs.settings import Settings

log = logging.getLogger(__name__)
LISTEN_SECONDS = 0.5
LOST = "lost"
"""What `give_up` is told of a job that another attempt holds by now."""


class Heartbeat:
    """Runs beside a task for as long as the job is held.

    Attributes:
        asked: why the job should stop: `"cancel"`, `"hand back"`, `"time limit"`, `"memory limit"`, or empty.
        lost: whether another attempt holds the job by now.
    """

    def __init__(
        self,
        claim: Claim,
        settings: Settings,
        seconds_allowed: float,
        stop: threading.Event,
        give_up: Callable[[str], None],
    ) -> None:
        """`stop` is set when the task should end; `give_up` is called, with why, if it does not end."""
        self._deadline = time.monotonic() + seconds_allowed
        self.asked = ""
        self.lost = False
        self._claim = claim
        self._settings = settings
        self._stop = stop
        self._give_up = give_up
        self._task_over = threading.Event()
        self._done = threading.Event()
        self._ledger = Ledger(settings.redis_address())
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._task_over.set()
        self._done.set()
        self._thread.join()

    def task_is_over(self) -> None:
        """The task has ended, well or badly: from now on only the lease is renewed."""
        self._task_over.set()

    def _beat(self) -> None:
        renewed = time.monotonic()
        asked_at: float | None = None
        away_since: float | None = None
        while not self._done.wait(min(LISTEN_SECONDS, self._settings.heartbeat_seconds)):
            try:
                if time.monotonic() - renewed >= self._settings.heartbeat_seconds:
                    asked = self._ledger.renew(self._claim, self._settings.lease_seconds)
                    renewed = time.monotonic()
                else:
                    asked = self._ledger.asked(self._claim)
                if away_since is not None:
                    self._say_that_redis_is_back(time.monotonic() - away_since)
                    away_since = None
            except LeaseLost:
                self.lost = True
                self._stop.set()
                if not self._task_over.wait(self._settings.stop_grace_seconds):
                    self._give_up(LOST)
                return
            except RedisUnreachable as error:
                if away_since is None:
                    log.warning("%s; the job goes on", error)
                    away_since = time.monotonic()
                asked = self.asked
            asked = self.asked or asked or self._limit_reached()
            if asked and asked_at is None:
                asked_at = time.monotonic()
            if asked:
                self.asked = asked
                self._stop.set()
            overdue = asked_at is not None and time.monotonic() - asked_at > self._settings.stop_grace_seconds
            if overdue and not self._task_over.is_set():
                self._give_up(asked)
                return

    def _say_that_redis_is_back(self, seconds: float) -> None:
        log.info("Redis is back after %.0f s", seconds)
        self._ledger.tell(self._claim, f"Redis was away for {max(1, round(seconds))} s; the job went on")

    def _limit_reached(self) -> str:
        if time.monotonic() > self._deadline:
            return "time limit"
        limit = self._settings.memory_limit_gb
        return "memory limit" if limit is not None and peak_memory_gb() > limit else ""


def peak_memory_gb() -> float:
    """The most memory this process has held at once, in gigabytes of 10⁹ bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS (getrusage(2)).
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9
