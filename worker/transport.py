"""kombu's Redis transport, for a queue in which anyone may have left anything.

kombu and Celery take a message for what it says it is: one that is no JSON, or lacks a part, ends the
whole worker with an error that nobody catches, and is delivered again to the next. Here it is dropped.
"""

import logging
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis

log = logging.getLogger(__name__)

_NO_MESSAGE = (LookupError, TypeError, ValueError, AttributeError)
"""What reading a message raises that is none. A lost connection is none of these."""


class Channel(redis.Channel):  # type: ignore[misc] # kombu has no types
    """A channel that outlives a message that cannot be read."""

    def _brpop_read(self, **options: Any) -> Any:
        """Take a message and hand it on, through all of Celery up to the pool."""
        before = set(self.qos._delivered)
        try:
            return super()._brpop_read(**options)
        except _NO_MESSAGE as error:
            log.error("a message that cannot be read was dropped (%s: %.200s)", type(error).__name__, error)
            for tag in set(self.qos._delivered) - before:
                self.basic_reject(tag, requeue=False)
            return True


class Transport(redis.Transport):  # type: ignore[misc]
    """Redis with such channels."""

    Channel = Channel


def install() -> None:
    """Let every address of a Redis mean this transport in this process."""
    for scheme in ("redis", "rediss", "redis+socket"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
