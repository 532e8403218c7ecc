"""A reader of Redis' answers that keeps no more than a bound of what it reads.

redis-py reads whatever lies in a list into memory before anybody can ask how long it is: half a gigabyte,
if a stranger put it there.
"""

from typing import Any

from redis._parsers import _RESP2Parser
from redis._parsers.socket import SocketBuffer

LARGEST = 256 * 1024
"""In bytes. The largest answer that is waited for, a worker's to Flower, is a tenth of it."""

TOO_LARGE = b"(longer than 256 KiB)"
"""Stands for a text that was longer."""


class _Buffer(SocketBuffer):
    def read(self, length: int, **options: Any) -> bytes:  # type: ignore[override]
        """Read `length` bytes and the line end; what is too long is read in pieces, which are thrown away."""
        if length <= LARGEST:
            return bytes(super().read(length, **options))
        left = length
        while left > LARGEST:
            super().read(LARGEST - 2, **options)  # it reads two bytes more, since a line would end there
            left -= LARGEST
            self._forget()
        super().read(left, **options)
        return TOO_LARGE

    def purge(self) -> None:
        """Called after each answer: forget what was read, also while more arrives without a pause."""
        super().purge()
        if self.get_pos() > LARGEST:
            self._forget()

    def _forget(self) -> None:
        rest = self._buffer.read()
        self._buffer.seek(0)
        self._buffer.truncate()
        self._buffer.write(rest)
        self._buffer.seek(0)


class BoundedParser(_RESP2Parser):
    """For `redis.Connection(protocol=2, parser_class=BoundedParser)`."""

    def on_connect(self, connection: Any) -> None:
        """Called by redis-py once the socket is connected."""
        super().on_connect(connection)  # type: ignore[no-untyped-call]
        self._buffer = _Buffer(connection._sock, self.socket_read_size, connection.socket_timeout)
