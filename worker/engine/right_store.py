"""Whether this worker's store is that of the ledger, and answers; otherwise the worker takes no job."""

import logging

from jobs.errors import StoreUnreachable
from jobs.ledger.ledger import Ledger
from jobs.ledger.store_of_ledger import join_store
from jobs.store.results import Results

log = logging.getLogger(__name__)
_waits: str | None = None


def look_at_store(ledger: Ledger, results: Results) -> str | None:
    """Compare the store with the ledger's, and remember for `waits_for_store` what was found.

    Args:
        ledger: that remembers the store.
        results: the store of this worker.

    Returns:
        What the worker waits for, to be read after `waits`; None if the store is the right one.

    Raises:
        RedisUnreachable: Redis cannot be reached.
    """
    global _waits
    try:
        wrong = join_store(ledger, results)
        waits = f"for the right store: {wrong}" if wrong else None
    except StoreUnreachable as error:
        waits = f"for the store: {error}"
    if waits != _waits:
        log.warning("this worker waits %s", waits) if waits else log.info("the store is the right one")
    _waits = waits
    return waits


def waits_for_store() -> str | None:
    """What `look_at_store` found last in this process; it asks nobody, so the worker's loop may call it."""
    return _waits
