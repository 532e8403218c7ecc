"""Sends objects between two processes that trust each other, each in one call of the operating system.

A thread may wait 5 ms after each such call for another one that computes, and through a pipe an answer of a
megabyte takes sixteen calls.
"""

import pickle
import socket
import struct
from typing import Any

from jobs.local.processes import Lasting

LOOK_SECONDS = 1.0
"""Between two looks at how long a message has taken."""

_SIZE_BYTES = 8
"""In front of each message: how many bytes follow."""


class MessageSocket:
    """One end of a socket that only the two processes have; what comes from the other end is unpickled."""

    def __init__(self, end: socket.socket) -> None:
        """Nothing is sent yet.

        Args:
            end: of a pair of stream sockets.
        """
        self._end = end
        seconds = int(LOOK_SECONDS)
        limit = struct.pack("ll", seconds, round((LOOK_SECONDS - seconds) * 1e6))  # C's `timeval`
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            end.setsockopt(socket.SOL_SOCKET, option, limit)

    def send(self, content: Any, lasting: Lasting | None = None) -> None:
        """Send an object that can be pickled.

        Args:
            content: the object.
            lasting: how long it may take; None: for ever.

        Raises:
            OSError: the other process has closed its end.
            TimeoutError: it took too long.
        """
        pickled = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
        rest = memoryview(len(pickled).to_bytes(_SIZE_BYTES) + pickled)
        while rest:
            try:
                rest = rest[self._end.send(rest) :]
            except BlockingIOError:
                _look(lasting)

    def receive(self, lasting: Lasting | None = None) -> Any:
        """Wait for an object.

        Args:
            lasting: how long it may take; None: for ever.

        Raises:
            EOFError: the other process has closed its end.
            OSError: it has closed its end, and has not read everything.
            TimeoutError: it took too long.
        """
        size = int.from_bytes(self._exactly(_SIZE_BYTES, lasting))
        return pickle.loads(self._exactly(size, lasting))

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    def _exactly(self, size: int, lasting: Lasting | None) -> bytearray:
        content = bytearray(size)
        rest = memoryview(content)
        while rest:
            try:
                received = self._end.recv_into(rest, flags=socket.MSG_WAITALL)
            except BlockingIOError:
                _look(lasting)
                continue
            if not received:
                raise EOFError
            rest = rest[received:]
        return content


def _look(lasting: Lasting | None) -> None:
    if lasting is not None and lasting.seen(True):
        raise TimeoutError
