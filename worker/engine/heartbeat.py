"""Renews a job's lease from a thread, and stops the job when it should stop.

It hears of a cancellation from Redis; of its worker's end, and of limits, without Redis. A job that lets not
even this thread run is found by the worker's main process (`worker.engine.watchdog`).
"""

import logging
import resource
import sys
import threading
import time
from collections.abc import Callable

from jobs.claim import Claim
from jobs.errors import LeaseLost, RedisUnreachable
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from worker.engine import liveness

log = logging.getLogger(__name__)

LISTEN_SECONDS = 0.5
"""Between two looks at whether the job should stop."""

LOST = "lost"
"""What `give_up` gets for a job that another attempt holds now."""


class Heartbeat:
    """Runs beside a task for as long as the job is held, whatever goes wrong in it.

    Attributes:
        asked: why the job should stop: `"cancel"`, `"hand back"`, `"time limit"`, `"memory limit"`, or empty.
        lost: whether another attempt holds the job now.
    """

    def __init__(
        self,
        claim: Claim,
        settings: Settings,
        seconds_allowed: float,
        stop: threading.Event,
        give_up: Callable[[str], None],
    ) -> None:
        """Nothing runs before the block that this opens.

        Args:
            claim: the job and the attempt that holds it.
            settings: of this worker.
            seconds_allowed: the attempt's time limit, in seconds from now.
            stop: set when the task should end.
            give_up: called with the reason, in a thread of its own, if the task then does not end; ends
                this process.
        """
        self.asked = ""
        self.lost = False
        self._claim = claim
        self._settings = settings
        self._stop = stop
        self._give_up = give_up
        self._ledger = Ledger(settings.redis_address())
        self._deadline = time.monotonic() + seconds_allowed
        self._renewed = time.monotonic()
        self._asked_at: float | None = None
        self._away_since: float | None = None
        self._task_over = threading.Event()
        self._giving_up: threading.Thread | None = None
        self._deciding = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        liveness.hold(self._claim.token)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.task_is_over()
        self._done.set()
        self._thread.join()
        liveness.release(self._claim.token)

    def task_is_over(self) -> None:
        """The task has ended, well or badly: from now on only the lease is renewed.

        A task that was given up before has no say any more: this waits for `give_up`, which ends the process.
        """
        with self._deciding:
            self._task_over.set()
        if self._giving_up is not None:
            self._giving_up.join()

    def _run(self) -> None:
        while not self._done.wait(min(LISTEN_SECONDS, self._settings.heartbeat_seconds)):
            try:
                if not self._beat():
                    return
            except Exception:
                log.exception("a heartbeat failed; the next one tries again")

    def _beat(self) -> bool:
        """Renew, listen, and stop the task if it should stop; False when there is nothing left to do."""
        try:
            asked = self._listen()
        except LeaseLost:
            self._superseded()
            return False
        self._ask_to_stop(asked or self._limit_reached() or self._worker_stops())
        if self._is_overdue():
            self._give_up_task(self.asked)
        return True

    def _give_up_task(self, reason: str) -> None:
        """Give up a task that has not ended, once; meanwhile its lease is renewed."""
        with self._deciding:
            if self._task_over.is_set() or self._giving_up is not None:
                return
            thread = threading.Thread(target=self._give_up, args=[reason], name="give up", daemon=True)
            thread.start()  # where the system starts no more threads, the next beat tries again
            self._giving_up = thread

    def _listen(self) -> str:
        """Why the job should stop, if it should; nothing while Redis cannot be reached.

        Raises:
            LeaseLost: another attempt holds the job.
        """
        try:
            asked = self._renew_or_look()
        except LeaseLost:
            raise
        except Exception as error:
            if self._away_since is None:
                unexpected = not isinstance(error, RedisUnreachable)
                log.warning("%s; the job keeps running", error, exc_info=unexpected)
                self._away_since = time.monotonic()
            return ""
        self._note_that_redis_is_back()
        return asked

    def _renew_or_look(self) -> str:
        if time.monotonic() - self._renewed < self._settings.heartbeat_seconds:
            return self._ledger.asked(self._claim)
        asked = self._ledger.renew(self._claim)
        self._renewed = time.monotonic()
        return asked

    def _note_that_redis_is_back(self) -> None:
        if self._away_since is None:
            return
        seconds = time.monotonic() - self._away_since
        log.info("Redis is back after %.0f s", seconds)
        self._away_since = None
        text = f"Redis was away for {max(1, round(seconds))} s; the job kept running"
        try:
            self._ledger.log_event(self._claim, text)
        except Exception as error:  # whatever the job is asked must be heard all the same
            log.warning("the timeline does not say that Redis was away: %s", error)

    def _superseded(self) -> None:
        """Another attempt holds the job: this one must end, and publishes nothing."""
        self.lost = True
        self._stop.set()
        if not self._task_over.wait(self._settings.stop_grace_seconds):
            self._give_up_task(LOST)

    def _ask_to_stop(self, reason: str) -> None:
        """Stop the task, if there is a reason to; the first reason stays."""
        self.asked = self.asked or reason
        if self.asked:
            self._asked_at = self._asked_at or time.monotonic()
            self._stop.set()

    def _is_overdue(self) -> bool:
        if self._asked_at is None:
            return False
        return time.monotonic() - self._asked_at > self._settings.stop_grace_seconds

    @staticmethod
    def _worker_stops() -> str:
        return "hand back" if liveness.is_stopping() else ""

    def _limit_reached(self) -> str:
        if time.monotonic() > self._deadline:
            return "time limit"
        limit = self._settings.memory_limit_gb
        return "memory limit" if limit is not None and peak_memory_gb() > limit else ""


def peak_memory_gb() -> float:
    """This process' peak resident memory, in gigabytes of 10⁹ bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS (getrusage(2)).
    return peak / 1e9 if sys.platform == "darwin" else peak * 1024 / 1e9
