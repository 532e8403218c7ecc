"""Tells people that jobs and sweeps ended, beside the pool's process, from which it takes nothing.

Each worker's main process has a thread for each address in its settings; a lock in Redis lets one worker
send to an address at a time. A notice leaves Redis only once its message was taken, so of a worker that dies
in between another one sends it a second time, under the same id.
"""

import logging
import secrets
import threading
import time

from jobs.client import Client
from jobs.errors import NotDelivered, QuartetError, RedisUnreachable, StoreUnreachable
from jobs.ledger.ledger import Ledger
from jobs.notifying.addresses import Address, read_addresses
from jobs.notifying.delivery import deliver
from jobs.notifying.message import message_of
from jobs.notifying.notices import DAY_SECONDS, Notice, Notices
from jobs.notifying.rules import events_of
from jobs.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""Between two looks for notices."""

FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0
"""In seconds, after a message that was not taken; each wait is twice the one before."""

LOCK_SECONDS = 30.0
"""For which the lock is held at least: longer than one message may take."""

ASK_SECONDS = 5.0
"""Between two times that the address is announced to the ledger, which may have lost its data meanwhile."""


class Notifier:
    """A thread that sends the notices of one address while it holds its lock."""

    def __init__(self, settings: Settings, address: Address) -> None:
        """Nothing runs before `start`.

        Args:
            settings: of this worker.
            address: whom it tells.
        """
        self._settings, self._address = settings, address
        self._ledger = Ledger(settings.redis_address())
        self._notices = Notices(self._ledger, address.id)
        self._client: Client | None = None
        self._token = secrets.token_hex(16)
        self._failures, self._away = 0, False
        self._asked = self._next_try = float("-inf")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self) -> None:
        """Have notices written for this address from now on, and begin to send them."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the message that is being sent; another worker goes on at once."""
        self._stop.set()
        self._thread.join(timeout=1)

    def finish(self) -> None:
        """After `stop`, send the notices that are left, up to the first that is not taken.

        Raises:
            RedisUnreachable: Redis cannot be reached.
            StoreUnreachable: the object store does not answer.
        """
        self._thread.join()
        self._failures = 0
        while not self._failures:
            if not self._ledger.lock(self._lock, self._token, LOCK_SECONDS):
                time.sleep(0.1)  # another worker, which ends as well, sends them
                continue
            notice = self._notices.oldest()
            if notice is None:
                break
            self._tell(notice)
        self._leave_lock()

    def _run(self) -> None:
        wait = 0.0
        while not self._stop.wait(wait):
            try:
                wait = self._turn()
                self._away = False
            except (RedisUnreachable, StoreUnreachable) as error:
                level = logging.DEBUG if self._away else logging.WARNING
                log.log(level, "%s; notifications wait for it", error)
                self._away, wait = True, LOOK_SECONDS
            except Exception:
                log.exception("notifications to %s wait; this is tried again", self._address.masked)
                wait = self._longer_wait()
        self._leave_lock()

    def _turn(self) -> float:
        """Send one message, if there is one; how many seconds to wait for the next turn.

        After a message that was not taken the lock stays with this worker, or each of the others would begin
        with tries of its own.
        """
        if not self._ledger.lock(self._lock, self._token, LOCK_SECONDS):
            return LOOK_SECONDS
        self._ask_for_notices()
        left = self._next_try - time.monotonic()
        if left > 0:
            return min(left, LOOK_SECONDS)
        dropped = self._notices.take_dropped()
        if dropped:
            log.warning("%d notifications to %s were dropped: too many waited", dropped, self._address.masked)
        notice = self._notices.oldest()
        return LOOK_SECONDS if notice is None else self._tell(notice)

    def _tell(self, notice: Notice) -> float:
        where = self._address.masked
        # Too old, or of a future that no clock can have shown.
        if abs(self._ledger.now() - notice.time) > DAY_SECONDS * 1000:
            log.warning("%s took no message about %s within a day; it is dropped", where, notice.id)
            self._notices.remove(notice.text)
            return 0.0
        try:
            deliver(self._address, message_of(self._known(), notice))
        except (RedisUnreachable, StoreUnreachable):
            raise
        except Exception as error:
            wait = self._longer_wait()
            self._next_try = time.monotonic() + wait
            unexpected = not isinstance(error, QuartetError) and error
            why = error.explanation if isinstance(error, QuartetError) else f"{notice.id} was not sent"
            log.warning("%s; the next try is in %.0f s", why, wait, exc_info=unexpected)
            if not isinstance(error, NotDelivered) or error.answered:
                self._notices.put_last(notice.text)  # which shall not hold up the others
            return 0.0
        self._notices.remove(notice.text)
        if self._failures:
            log.info("%s takes notifications again", where)
        self._failures = 0
        log.debug("%s took the message about %s", where, notice.id)
        return 0.0

    def _longer_wait(self) -> float:
        self._failures += 1
        return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._failures - 1, 20))

    def _known(self) -> Client:
        if self._client is None:
            self._client = Client(self._settings)
        return self._client

    def _ask_for_notices(self) -> None:
        if time.monotonic() - self._asked > ASK_SECONDS:
            self._notices.ask_for(events_of(self._settings.notify_on))
            self._asked = time.monotonic()

    @property
    def _lock(self) -> str:
        return f"notifier:{self._address.id}"

    def _leave_lock(self) -> None:
        try:
            self._ledger.lock(self._lock, self._token, 0.001)
        except Exception as error:  # it runs out by itself
            log.debug("%s", error)


def notifiers(settings: Settings) -> list[Notifier]:
    """One for each address in the settings.

    Raises:
        InvalidSetting: the file of addresses cannot be read, or holds something else.
        MissingPart: an address needs the package apprise, which is not installed.
    """
    return [Notifier(settings, address) for address in read_addresses(settings)]
