"""Files that somebody has damaged or made to exhaust a machine, and what reading them costs."""

import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from jobs.errors import InvalidData

mutations = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""How a test of damaged files is run."""

_NUMBERS = (b"\xff" * 4, b"\xff" * 8, b"\0" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0" * 8)
_TEXTS = (
    b"\0",
    b"\n",
    b'"',
    b"[",
    b"{",
    b",",
    b"\t",
    b"1e309",
    b"9" * 5_000,
    b"-1",
    b"\xcc\x80" * 99,
    b"\xff\xfe",
)


Change = tuple[int, int, int, bytes]
"""What is done, where, to how many bytes, and with which others."""

changes = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 2**20),
        st.integers(1, 64),
        st.sampled_from(_NUMBERS + _TEXTS) | st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=4,
)


def damaged(content: bytes, done: list[Change]) -> bytes:
    """A file's content with a few changes: bytes overwritten, inserted, left out, doubled, or the end cut off."""
    for kind, place, length, piece in done:
        at = place % (len(content) + 1)
        content = [
            content[:at] + piece + content[at + len(piece) :],
            content[:at] + piece + content[at:],
            content[:at] + content[at + length :],
            content[:at] + content[at : at + length] + content[at:],
            content[:at],
        ][kind]
    return content


@contextmanager
def at_most(megabytes: float) -> Iterator[None]:
    """Fail if the block takes more memory at once, as far as Python and NumPy allocate it."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    assert peak <= megabytes, f"{peak:.0f} MB"


@contextmanager
def read_or_refused(megabytes: float) -> Iterator[None]:
    """Let the block end well or with an InvalidData of one line, in this much memory."""
    sentence = ""
    with at_most(megabytes):
        try:
            yield
        except InvalidData as error:
            sentence = str(error)
    assert "\n" not in sentence
    assert len(sentence) < 1_000


def seconds(work: Callable[[], Any]) -> float:
    """The processor's time that some work takes, the best of three."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def assert_linear(work: Callable[[int], Callable[[], Any]], size: int, factor: int = 4) -> None:
    """Fail if input of four times the size takes much more than four times as long: 16 times, if quadratic.

    Args:
        work: makes what reads an input of a size.
        size: of the smaller input; to read it takes a few milliseconds.
        factor: by how much the other one is larger.
    """
    small, large = seconds(work(size)), seconds(work(factor * size))
    assert large <= 2.2 * factor * max(small, 0.004), (
        f"{small:.3f} s, and {large:.3f} s for {factor} times as much"
    )
