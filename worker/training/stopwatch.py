"""Adds up the time that computing takes, and nothing between."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """The seconds of all intervals in which it ran, of earlier processes as well.

    Attributes:
        seconds: so far.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        """Go on from `seconds`."""
        self.seconds = seconds

    @contextmanager
    def running(self) -> Iterator[None]:
        """Add the time that the block takes, if it ends without an exception."""
        began = time.monotonic()
        yield
        self.seconds += time.monotonic() - began
