"""Compiled work that a worker keeps for its next jobs.

Before a function's first step TensorFlow traces and compiles it, for half a second to five seconds. A job
of the same shape as one before it gets that job's functions, and sets every variable to its own beginning.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

MOST_KEPT = 8
MOST_BYTES = 500_000_000
"""Of data that is kept with the functions, all together; the last one is kept whatever its size."""

_kept: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()


def kept(key: Hashable, size: int, make: Callable[[], T]) -> tuple[T, bool]:
    """What was made for `key` before, or what `make` makes now; and whether it is new.

    Args:
        key: all that it depends on: its class, the shape of the network, the checksum of its data.
        size: bytes of the data that it holds.
        make: makes it.
    """
    new = key not in _kept
    _kept[key] = (size, make()) if new else _kept.pop(key)
    while len(_kept) > MOST_KEPT or (len(_kept) > 1 and sum(size for size, _ in _kept.values()) > MOST_BYTES):
        _kept.popitem(last=False)
    return _kept[key][1], new


def forget() -> None:
    """Keep nothing any more: what was kept may be in a state that nobody knows, or fill the memory."""
    _kept.clear()
