"""Says in the log that Redis is away: when that begins, now and then while it lasts, and when it ends."""

import logging
import time

from jobs.escape_control import escape_line

log = logging.getLogger(__name__)

REMINDER_SECONDS, SHORTEST_SECONDS = 60.0, 1.0
"""Between two lines about the same failure, and between any two."""


LONGEST = 200
"""In characters, of an error in the log."""


class OutageLog:
    """For one use that is made of Redis.

    Args:
        use: what fails while Redis is away, such as `waiting for jobs`.
    """

    def __init__(self, use: str) -> None:
        self._use = use
        self._began: float | None = None
        self._said = ("", -REMINDER_SECONDS)

    def failed(self, error: Exception) -> None:
        """Note a failure; it is logged if it is another one than the last, or a minute has passed."""
        now = time.monotonic()
        if self._began is None:
            self._began = now
        kind, when = self._said
        if now - when >= (REMINDER_SECONDS if type(error).__name__ == kind else SHORTEST_SECONDS):
            self._said = (type(error).__name__, now)
            text = escape_line(str(error))[:LONGEST]
            log.warning("%s: Redis is away for now (%s: %s)", self._use, type(error).__name__, text)

    def answered(self) -> None:
        """Note that Redis answered as it should."""
        if self._began is not None:
            log.info("%s: Redis answers again after %.0f s", self._use, time.monotonic() - self._began)
            self._began, self._said = None, ("", self._said[1])
