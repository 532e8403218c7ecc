"""How Celery reaches Redis: through our transport, by an address without a password, and not while paused."""

import logging
from collections.abc import Callable

import kombu
from kombu.transport import TRANSPORT_ALIASES

from jobs.errors import MissingPart
from jobs.redis_access.address import RedisAddress, read_address

log = logging.getLogger(__name__)

OLDEST_KOMBU, FIRST_UNTESTED_KOMBU = (5, 7), (5, 8)
"""The versions of kombu whose private names, which `worker.engine.transport` overrides, are known to fit."""

SCHEME = "quartet"
"""Of the address that Celery sees. The rest of it is a number, that of the address in `_addresses`."""

_addresses: list[RedisAddress] = []
_reasons: list[Callable[[], str | None]] = []


def install() -> None:
    """Make kombu use our transport for the addresses of `url_for`, in this process.

    Raises:
        MissingPart: the version of kombu is not one that the transport was tested with.
    """
    found = tuple(int(part) for part in kombu.__version__.split(".")[:2])
    if not OLDEST_KOMBU <= found < FIRST_UNTESTED_KOMBU:
        oldest, first = (".".join(map(str, version)) for version in (OLDEST_KOMBU, FIRST_UNTESTED_KOMBU))
        raise MissingPart(
            f"kombu {kombu.__version__} is installed, and a worker needs kombu >= {oldest}, < {first}",
            hint=f"pip install 'kombu>={oldest},<{first}'",
        )
    TRANSPORT_ALIASES[SCHEME] = "worker.engine.transport:Transport"


def url_for(redis_url: str) -> str:
    """The address that Celery gets for that of Redis, without a password or anything else to parse.

    Args:
        redis_url: in any of the forms that `jobs.redis_access.address` reads.

    Raises:
        InvalidSetting: it is not valid.
    """
    address = read_address(redis_url)
    if address not in _addresses:
        _addresses.append(address)
    return f"{SCHEME}://{_addresses.index(address)}"


def address_of(url: str) -> RedisAddress:
    """The address of Redis behind one that `url_for` made in this process."""
    return _addresses[int(url.removeprefix(f"{SCHEME}://"))]


def pause_while(reason: Callable[[], str | None]) -> None:
    """Take no job as long as `reason` returns one; about a second after it returns None, take jobs again.

    Args:
        reason: called several times a second in the loop of the worker's main process, so it must be quick.
    """
    _reasons.append(reason)


def pause_reason() -> str | None:
    """Why no job is to be taken now; None if jobs are taken."""
    for reason in _reasons:
        try:
            found = reason()
        except Exception:
            log.exception("whether to take jobs cannot be told, so they are taken")
            continue
        if found:
            return found
    return None
