"""The doctor's checks of notifications: whom workers tell, and whether a message arrives."""

import time
from collections.abc import Iterator

from jobs.errors import QuartetError
from jobs.notifying.addresses import read_addresses
from jobs.settings import Settings


def notify_checks(settings: Settings, send: bool) -> Iterator[tuple[str, bool, str, str]]:
    """Name, passed, finding and fix of each check.

    Args:
        settings: of a worker.
        send: whether a test message is sent to each address.
    """
    from jobs.notifying.delivery import deliver
    from jobs.notifying.message import sample_message

    try:
        addresses = read_addresses(settings)
    except QuartetError as error:
        yield "notifications", False, str(error), error.hint or "see docs/notifications.md"
        return
    if not addresses:
        yield "notifications", True, "to nobody; QUARTET_NOTIFY names whom workers tell", ""
    for address in addresses:
        if not send:
            about = f"{address.masked}, of {settings.notify_on.replace(',', ', ')}"
            yield "notifications", True, f"{about}; `quartet doctor --notify` sends a test message", ""
            continue
        try:
            deliver(address, sample_message(round(time.time() * 1000)))
        except QuartetError as error:
            yield "notifications", False, str(error), error.hint or "see whether the address is still valid"
        else:
            yield "notifications", True, f"{address.masked} took a test message", ""
