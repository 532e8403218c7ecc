"""What a worker keeps compiled for its next jobs.

TensorFlow traces and compiles a function before its first call, for half a second to five seconds. A job of
the same shape as an earlier one gets that job's functions, with every variable reset. Ours, because
`functools.lru_cache` bounds the number of its entries, but neither their bytes nor their state.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

MAX_ENTRIES = 8
MAX_BYTES = 500_000_000
"""Of data that the entries hold, all together; the latest entry stays whatever its size."""

_cache: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()


def cached(key: Hashable, size: int, make: Callable[[], T], restart: Callable[[T], None] | None = None) -> T:
    """Return what was made earlier for `key`, or make it.

    Args:
        key: all that it depends on: its class, the shape of the network, the checksum of its data.
        size: bytes of the data that it holds.
        make: makes it.
        restart: called on what was made earlier, to reset its variables; not on what is made now.

    Raises:
        Exception: whatever `make` or `restart` raises; what could not be made is not cached.
    """
    is_new = key not in _cache
    _cache[key] = (size, make()) if is_new else _cache.pop(key)
    value: T = _cache[key][1]
    while len(_cache) > MAX_ENTRIES or (len(_cache) > 1 and _bytes() > MAX_BYTES):
        _cache.popitem(last=False)
    if restart is not None and not is_new:
        restart(value)
    return value


def forget() -> None:
    """Empty the cache: its entries may be in an unknown state, or fill the memory."""
    _cache.clear()


def _bytes() -> int:
    return sum(size for size, _ in _cache.values())
