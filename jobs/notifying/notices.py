"""The notices of one address in Redis: that a job or a sweep ended, and nobody has told it yet.

The transition that ends a job or a sweep adds the notice (`lua/notices.lua`), if a worker with
that address ran within a day.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.ledger.ledger import Ledger
from jobs.notifying.rules import Event

DAY_SECONDS = 86_400
"""How long a notice is kept and tried, and for how long notices are written after a worker asked for them."""


@dataclass(frozen=True)
class Notice:
    """One of them.

    Attributes:
        text: as it lies in Redis.
        event: what happened.
        subject: the job's id or the sweep's name.
        time: when it was written, in milliseconds since 1970 by Redis' clock.
    """

    text: str
    event: str
    subject: str
    time: int

    @property
    def id(self) -> str:
        """The same whenever this is sent again, and different for everything else that ends."""
        return f"{self.event}:{self.subject}:{self.time}"


class Notices:
    """Those of one address, the oldest first.

    Every method raises RedisUnreachable when Redis cannot be reached.
    """

    def __init__(self, ledger: Ledger, address_id: str) -> None:
        """Ask nothing yet.

        Args:
            ledger: where they are.
            address_id: as `Address.id` has it.
        """
        self._ledger, self._id = ledger, address_id
        self._key = f"{ledger.prefix}notices:{address_id}"

    def ask_for(self, events: Sequence[Event]) -> None:
        """Have these events noted for a day from now."""
        key, listed = f"{self._ledger.prefix}notified:{self._id}", f" {' '.join(events)} "
        self._ledger.ask(lambda redis: redis.set(key, listed, ex=DAY_SECONDS))
        self._ledger.ask(lambda redis: redis.sadd(f"{self._ledger.prefix}notified", self._id))

    def oldest(self) -> Notice | None:
        """The one to send next, None if there is none; what is no notice is removed."""
        while (text := self._ledger.ask(lambda redis: redis.lindex(self._key, -1))) is not None:
            try:
                value = json.loads(text)
                return Notice(text, str(value["event"]), str(value["subject"]), int(value["time"]))
            except (LookupError, TypeError, ValueError, RecursionError):
                self.remove(text)
        return None

    def remove(self, text: str) -> None:
        """Remove one that was sent, or is not to be sent."""
        self._ledger.ask(lambda redis: redis.lrem(self._key, -1, text))

    def put_last(self, text: str) -> None:
        """Let all others have their turn first."""
        self._ledger.run("put_notice_last", int, self._id, text)

    def take_dropped(self) -> int:
        """How many were dropped since the last call, since there were too many."""
        key = f"{self._ledger.prefix}notices_dropped"
        count = self._ledger.ask(lambda redis: redis.hget(key, self._id))
        if count:
            self._ledger.ask(lambda redis: redis.hdel(key, self._id))
        return int(count or 0)
