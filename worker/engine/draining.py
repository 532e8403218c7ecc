"""A worker that is drained takes no more jobs, finishes the one it has or hands it back, and stops.

Who drains a worker writes that into Redis, for one process of it: a worker that is started anew under the
same name takes jobs again. A thread of the main process looks there every second. What was asked is
remembered here, so it outlives a Redis that loses it.
"""

import contextlib
import logging
import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator

from jobs.errors import QuartetError
from jobs.ledger.drain_record import DrainRecord
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at whether this worker is to be drained."""

END_SECONDS = 10.0
"""How long a worker tries to note its end while Redis restarts; else `quartet up` would start it anew."""

START = f"{os.getpid()}-{secrets.token_hex(8)}"
"""Identifies this process among all of the same name; whoever started it knows its first part."""

REASON = "to stop, as it is being drained"
"""Why a drained worker takes no job, to be read after `waits`."""

_since = round(time.time() * 1000)
_asked: DrainRecord | None = None
_stops = False


def reason() -> str | None:
    """Why this worker takes no job, to be read after `waits`; None unless it is drained. It asks nobody."""
    return REASON if _asked is not None else None


def about() -> dict[str, str]:
    """What an announcement says of this process: `start`, `since` when it runs, how it is `draining`."""
    found = {"start": START, "since": str(_since)}
    return found if _asked is None else found | {"draining": "hand back" if _asked.hand_back else "finish"}


def stop_if_drained(*, busy: bool) -> None:
    """Stop this worker if it is drained and has nothing left to do; called in its event loop, every second.

    Args:
        busy: whether it has a message that is not done with, or holds a job.
    """
    if _asked is not None and not busy:
        _stop()


@contextlib.contextmanager
def listening(settings: Settings, name: str) -> Iterator[None]:
    """Hear, for the length of the block, that this worker is to be drained; say at its end that it stopped.

    Args:
        settings: of this worker.
        name: of the worker, with its host.
    """
    arguments = (Ledger(settings.redis_address()), name)
    threading.Thread(target=_listen, args=arguments, name="draining", daemon=True).start()
    try:
        yield
    finally:
        note_end(settings, name)


def note_end(settings: Settings, name: str) -> None:
    """Say in Redis that this process has stopped, if it was drained: it is not to be started again.

    Args:
        settings: of this worker.
        name: of the worker, with its host.
    """
    if _asked is not None:
        try:
            Ledger(settings.redis_address(), patience_seconds=END_SECONDS).end_drain(name, _asked)
        except QuartetError as error:  # its announcement expires, and nobody restarts what ended well
            log.warning("%s", error)


def _listen(ledger: Ledger, name: str) -> None:
    """Look for ever."""
    while True:
        try:
            _look(ledger, name)
        except QuartetError as error:  # Celery's channels log that Redis is away
            log.debug("%s", error)
        except Exception:
            log.exception("whether this worker is drained could not be seen; the next look tries again")
        time.sleep(LOOK_SECONDS)


def _look(ledger: Ledger, name: str) -> None:
    global _asked
    found = ledger.drains([name]).get(name)
    if found is None or found.start != START:
        return
    if _asked is None:
        log.warning("%s is drained: it takes no more jobs", name)
    if _asked is None or found.hand_back:
        _asked = found
    if found.hand_back:
        _stop()


def _stop() -> None:
    """Shut down as by a signal from outside, once: Celery ends cold at a second one."""
    global _stops
    if not _stops:
        _stops = True
        os.kill(os.getpid(), signal.SIGTERM)
