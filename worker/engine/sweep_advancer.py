"""Advances the sweeps, many jobs from one description, while it is this worker's turn.

Every worker's main process has such a thread; a lock in Redis lets one of them advance. Its work is done
beside the pool's process, so it takes nothing from the job that runs there.
"""

import contextlib
import logging
import secrets
import threading
import time

from jobs.errors import QuartetError, RedisUnreachable, StoreUnreachable
from jobs.ledger.ledger import Ledger
from jobs.reuse import EqualJobs
from jobs.settings import Settings
from jobs.store.open_results import open_results
from jobs.sweeps.advance import Advancer
from worker.engine.loaded_code import loaded_checksum
from worker.engine.right_store import look_at_store
from worker.engine.sweep_page_drawer import SweepPageDrawer

log = logging.getLogger(__name__)

LOCK = "advancer"
LONGEST_WAIT = 5.0
"""Seconds between two looks at the sweeps, at most."""

FORGET_SECONDS = 60.0
"""Between two times that ended sweeps are removed from Redis after `history_days`."""

SHORTEST_LOCK = 10.0
"""Seconds for which the lock is held at least: longer than a wait and the advancing after it."""


class SweepAdvancer:
    """A thread that advances sweeps at a trial's end, and every `sweep_seconds`, while it holds the lock."""

    def __init__(self, settings: Settings) -> None:
        """Nothing runs before `start`."""
        self._settings = settings
        self._ledger = Ledger(settings.redis_address())
        self._results = results = open_results(settings)
        equal = EqualJobs(results, settings.data_dir.absolute(), loaded_checksum)
        self._advancer = Advancer(self._ledger, results, equal.find_and_tag)
        self._pages = SweepPageDrawer(self._ledger, results)
        self._wait_seconds = min(settings.sweep_seconds, LONGEST_WAIT)
        self._token = secrets.token_hex(16)
        self._away, self._forgot = False, time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep-advancer", daemon=True)

    def start(self) -> None:
        """Start advancing."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the sweep that is being advanced; another worker goes on at once."""
        self._stop.set()
        with contextlib.suppress(QuartetError):  # it wakes by itself within a second
            self._ledger.ask(lambda redis: redis.lpush(_woken_by(self._ledger), 0))
        self._thread.join(timeout=5)

    def finish(self) -> None:
        """After `stop`, draw the pages that are due, as no other worker will do later."""
        self._thread.join()
        self._pages.finish()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                if not self._hold_lock():
                    self._stop.wait(self._wait_seconds)
                elif not self._advance():
                    self._wait()
                self._away = False
            except (RedisUnreachable, StoreUnreachable) as error:
                log.log(logging.DEBUG if self._away else logging.WARNING, "%s; sweeps wait for it", error)
                self._away = True
                self._stop.wait(self._wait_seconds)
            except Exception:
                log.exception("the sweeps could not be advanced; this is tried again")
                self._stop.wait(self._wait_seconds)
        self._leave_lock()

    def _advance(self) -> bool:
        """Advance all sweeps; whether to do so again at once."""
        again = self._advancer.advance_all(self._hold_lock)
        self._pages.draw()
        if time.monotonic() - self._forgot > FORGET_SECONDS:
            self._forgot = time.monotonic()
            self._advancer.forget_ended(self._settings.history_days * 86_400)
        return again and not self._stop.is_set()

    def _wait(self) -> None:
        """Wait for a trial's end, in steps after each of which this thread may be stopped."""
        deadline = time.monotonic() + self._wait_seconds
        while not self._stop.is_set() and not wait_for_trials(self._ledger):
            if time.monotonic() > deadline:
                return

    def _hold_lock(self) -> bool:
        """Take the lock or renew it; it goes to another worker seconds after this one died.

        A worker with another store leaves it alone: it would not find the folders of the trials.
        """
        if self._stop.is_set() or look_at_store(self._ledger, self._results):
            return False
        return self._ledger.lock(LOCK, self._token, self._lock_seconds)

    @property
    def _lock_seconds(self) -> float:
        return max(SHORTEST_LOCK, 3 * self._wait_seconds)

    def _leave_lock(self) -> None:
        try:
            self._ledger.lock(LOCK, self._token, 0.001)
        except Exception as error:  # it runs out by itself
            log.debug("%s", error)


def wait_for_trials(ledger: Ledger) -> bool:
    """Wait for a second until a job of a sweep ends, or a sweep begins, is extended or stopped.

    A client has no right to wait like this, and no need to.

    Args:
        ledger: wakes whoever waits.

    Returns:
        Whether one did, perhaps before the call.

    Raises:
        RedisUnreachable: Redis cannot be reached.
    """
    key = _woken_by(ledger)
    found = ledger.ask(lambda redis: redis.brpop(key, timeout=1))
    if found:
        ledger.ask(lambda redis: redis.delete(key))  # those that came together are looked at together
    return bool(found)


def _woken_by(ledger: Ledger) -> str:
    return f"{ledger.prefix}trials_ended"
