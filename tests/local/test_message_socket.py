"""Messages between two processes come whole and in order, or it is said that none will come."""

import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from jobs.local import message_socket
from jobs.local.message_socket import MessageSocket
from jobs.local.processes import Lasting

LARGE = bytes(range(256)) * 20_000
"""Five megabytes: far more than a socket holds."""


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[MessageSocket, MessageSocket]]:
    monkeypatch.setattr(message_socket, "LOOK_SECONDS", 0.02)
    one, other = map(MessageSocket, socket.socketpair())
    yield one, other
    one.close()
    other.close()


def test_a_message_larger_than_the_socket_comes_whole_however_slowly_it_is_read(
    ends: tuple[MessageSocket, MessageSocket],
) -> None:
    one, other = ends

    def send() -> None:
        for message in ("first", LARGE, "last"):
            one.send(message, Lasting(60))
            time.sleep(0.1)

    sender = threading.Thread(target=send)
    sender.start()
    time.sleep(0.1)
    assert [other.receive(Lasting(60)) for _ in range(3)] == ["first", LARGE, "last"]
    sender.join()


def test_a_signal_does_not_cut_a_message(ends: tuple[MessageSocket, MessageSocket]) -> None:
    one, other = ends
    seen = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    sender = threading.Thread(target=lambda: (time.sleep(0.1), one.send(LARGE)))
    try:
        sender.start()
        assert other.receive() == LARGE
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        sender.join()
    assert seen


def test_whoever_does_not_read_or_answer_for_too_long_is_waited_for_no_longer(
    ends: tuple[MessageSocket, MessageSocket],
) -> None:
    one, _ = ends
    with pytest.raises(TimeoutError):
        one.receive(Lasting(0.05))
    with pytest.raises(TimeoutError):
        one.send(LARGE, Lasting(0.05))


def test_a_closed_end_is_told_at_once(ends: tuple[MessageSocket, MessageSocket]) -> None:
    one, other = ends
    one.send("read by nobody")
    other.close()
    with pytest.raises(OSError, match="Broken pipe"):
        one.send("more")
    with pytest.raises((EOFError, ConnectionResetError)):
        one.receive()
