"""Stand-in watchers, hundreds in one thread: each asks on a connection of its own what `quartet watch` asks.

They speak Redis' protocol themselves, since as many real clients would need more cores than Redis does.
"""

import json
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from jobs.ledger.job_record import FIELDS
from jobs.ledger.ledger import Ledger
from jobs.ledger.scripts import PAUSE_SECONDS
from jobs.redis_access.address import read_address

WAIT_MILLISECONDS = 1_000
MOST_MESSAGES = 100
"""Of one answer; both as `LedgerReader.follow` asks."""


class Watcher:
    """Follows one job on one connection: it reads messages, and the job's record after each."""

    def __init__(self, number: int, ledger: Ledger, job_id: str, heard: deque[tuple[int, float]]) -> None:
        """Nothing is connected yet.

        Args:
            number: of this watcher.
            ledger: where the job is.
            job_id: the job's id.
            heard: gets the number and, in seconds, how long ago it was sent, for each message.
        """
        self._number, self._heard = number, heard
        self._path = read_address(ledger.url).path
        self._stream, self._last = f"{ledger.prefix}progress:{job_id}", "0"
        self._record = _command("HMGET", ledger.job_key(job_id), *FIELDS)
        self.socket = socket.socket()

    def connect(self) -> None:
        """Connect, and go on after the last message; an OSError says that Redis is away."""
        self.socket.close()
        self._received, self._records = b"", 0
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(self._path)
        self._ask()

    def read(self) -> None:
        """Take what has come, and ask the next question; an OSError says that Redis is away."""
        received = self.socket.recv(1 << 16)
        if not received:
            raise ConnectionResetError
        self._received += received
        try:
            answer, end = _read(self._received)
        except ValueError:  # its end has not come yet
            return
        self._received = self._received[end:]
        if self._records:
            self._records -= 1
        else:
            messages = answer[0][1] if answer else []
            for position, (_, values) in messages:
                self._last = position.decode()
                self._heard.append((self._number, time.time() - json.loads(values)["sent"]))
            self._records = max(1, len(messages))
        self._ask()

    def _ask(self) -> None:
        options = ("BLOCK", str(WAIT_MILLISECONDS), "COUNT", str(MOST_MESSAGES), "STREAMS")
        self.socket.sendall(
            self._record if self._records else _command("XREAD", *options, self._stream, self._last)
        )


def watch_all(watchers: Iterable[Watcher]) -> None:
    """Follow without end; whoever loses Redis comes back to it."""
    selector, away = selectors.DefaultSelector(), list(watchers)
    while True:
        for watcher in away[:]:
            try:
                watcher.connect()
            except OSError:
                break
            selector.register(watcher.socket, selectors.EVENT_READ, watcher)
            away.remove(watcher)
        for key, _ in selector.select(PAUSE_SECONDS):
            try:
                key.data.read()
            except OSError:
                selector.unregister(key.fileobj)
                away.append(key.data)


def _command(*words: str) -> bytes:
    parts = (f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


def _read(text: bytes, at: int = 0) -> tuple[Any, int]:
    """An answer that begins at a position, and where it ends.

    Raises:
        ValueError: it is not complete.
        ConnectionRefusedError: Redis refuses, as it does while it loads its data.
    """
    end = text.index(b"\r\n", at)
    kind, rest, at = text[at : at + 1], text[at + 1 : end], end + 2
    if kind == b"-":
        raise ConnectionRefusedError(rest.decode())
    if kind == b"$" and rest != b"-1":
        end = at + int(rest)
        if len(text) < end + 2:
            raise ValueError
        return text[at:end], end + 2
    if kind == b"*" and rest != b"-1":
        found = []
        for _ in range(int(rest)):
            value, at = _read(text, at)
            found.append(value)
        return found, at
    return None, at
