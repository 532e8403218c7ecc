"""What a worker keeps compiled for its next jobs: the latest, and no more than fits."""

from collections.abc import Hashable, Iterator

import pytest

from worker.training import compile_cache
from worker.training.compile_cache import cached, forget


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    forget()
    yield
    forget()


def is_made(key: Hashable, size: int = 0) -> bool:
    """Ask for a key, and tell whether it had to be made."""
    made: list[None] = []
    cached(key, size, lambda: made.append(None))
    return bool(made)


def test_what_was_made_is_made_once_for_each_key() -> None:
    made: list[str] = []

    def make() -> str:
        made.append("it")
        return f"number {len(made)}"

    assert cached("a", 0, make) == "number 1"
    assert cached("a", 0, make) == "number 1"
    assert cached("b", 0, make) == "number 2"
    forget()
    assert cached("a", 0, make) == "number 3"


def test_what_was_made_before_is_restarted_and_what_is_new_is_not() -> None:
    restarted: list[list[int]] = []
    first = cached("a", 0, lambda: [1], restarted.append)
    assert restarted == []
    assert cached("a", 0, lambda: [2], restarted.append) is first
    assert restarted == [[1]]
    assert cached("b", 0, lambda: [3], restarted.append) == [3]
    assert restarted == [[1]]


def test_the_ones_that_were_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compile_cache, "MAX_ENTRIES", 2)
    for key in "aba":
        is_made(key)
    is_made("c")
    assert [is_made(key) for key in "ac"] == [False, False]
    assert is_made("b")


def test_data_that_are_too_large_are_kept_alone() -> None:
    for key, size in (("a", 300_000_000), ("b", 200_000_000), ("c", 10)):
        is_made(key, size)
    assert is_made("a")  # all three would be too large
    is_made("huge", 10**12)
    assert not is_made("huge", 10**12)
    assert [is_made(key) for key in "bc"] == [True, True]


def test_what_cannot_be_made_is_not_kept() -> None:
    with pytest.raises(ZeroDivisionError):
        cached("a", 0, lambda: 1 // 0)
    assert cached("a", 0, lambda: 1) == 1
