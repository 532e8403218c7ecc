"""The page that scrapes are answered with, read again when it is asked for and a few seconds old."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable

from jobs.errors import QuartetError
from jobs.exporter.metrics import page
from jobs.exporter.snapshot import Snapshot

log = logging.getLogger(__name__)

FRESH_SECONDS = 2.0
"""Scrapes within so much time read Redis once."""

WAIT_SECONDS = 3.0
"""How long a scrape waits for Redis, from when it was asked; then it is away."""


class CurrentPage:
    """Asks Redis from a thread, one at a time, whatever the number of scrapes."""

    def __init__(self, take: Callable[[], Snapshot]) -> None:
        """Nothing is read before the first scrape.

        Args:
            take: reads Redis; raises QuartetError while it is away.
        """
        self._take = take
        self._away = page(None)
        self._reading: asyncio.Future[bytes] | None = None
        self._began = self._ended = 0.0
        self._problem = ""

    async def content(self) -> bytes:
        """The page; that of a Redis that is away when it has not answered in time."""
        loop = asyncio.get_running_loop()
        if self._reading is None or (self._reading.done() and loop.time() - self._ended >= FRESH_SECONDS):
            reading = loop.create_future()
            # A daemon, so that a Redis that hangs does not hold up the end of the program.
            threading.Thread(target=self._read, args=(loop, reading), name="scrape", daemon=True).start()
            self._began, self._reading = loop.time(), reading
        left = max(0.0, self._began + WAIT_SECONDS - loop.time())
        done, _ = await asyncio.wait({self._reading}, timeout=left)
        return self._reading.result() if done else self._away

    def _read(self, loop: asyncio.AbstractEventLoop, reading: "asyncio.Future[bytes]") -> None:
        problem = ""
        try:
            found = page(self._take())
        except QuartetError as error:
            found, problem = self._away, str(error)
        except Exception:  # the next scrape tries again
            log.exception("the metrics could not be read")
            found = self._away
        if problem != self._problem:
            log.warning("%s", problem or "Redis is back")
        self._problem = problem
        with contextlib.suppress(RuntimeError):  # the program has ended meanwhile
            loop.call_soon_threadsafe(self._keep, reading, found)

    def _keep(self, reading: "asyncio.Future[bytes]", found: bytes) -> None:
        self._ended = asyncio.get_running_loop().time()
        reading.set_result(found)
