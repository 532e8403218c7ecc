"""The notices of one address in Redis: that a job or a sweep ended, and nobody has told it yet.

The transition that ends a job or a sweep adds the notice (`lua/notices.lua`), if a worker with
that address ran within a day.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.ledger.ledger import Ledger
from jobs.notifying.rules import Event
from jobs.sweeps.sweep_spec import names_a_folder

DAY_SECONDS = 86_400
"""How long a notice is kept and tried, and for how long notices are written after a worker asked for them."""

_EVENT = re.compile(r"[a-z]{1,20}\.[a-z]{1,20}")
"""Also one that only a newer version knows."""


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
            notice = _read(text)
            if notice is not None:
                return notice
            # By its place: of bytes that are not UTF-8 this text is not what lies there.
            self._ledger.ask(lambda redis: redis.ltrim(self._key, 0, -2))
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
        return int(count) if count and count.isascii() and count.isdecimal() else 0


def _read(text: str) -> Notice | None:
    """Read what lies in Redis; None for what somebody else wrote there."""
    try:
        value = json.loads(text)
        event, subject, time = (value[name] for name in ("event", "subject", "time"))
    except (LookupError, TypeError, ValueError, RecursionError):
        return None
    # A job's id could be a sweep's name. A text other than ASCII may stand for bytes that are not UTF-8, and
    # then could not be removed.
    ours = text.isascii() and isinstance(event, str) and _EVENT.fullmatch(event) and names_a_folder(subject)
    return Notice(text, event, subject, time) if ours and isinstance(time, int) else None
