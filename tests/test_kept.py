"""What a worker keeps for its next jobs: the latest, and no more than fits."""

from collections.abc import Iterator

import pytest

from worker import kept as keeping
from worker.kept import forget, kept


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    forget()
    yield
    forget()


def test_what_was_made_is_made_once_for_each_key() -> None:
    made: list[str] = []

    def make() -> str:
        made.append("it")
        return f"number {len(made)}"

    assert kept("a", 0, make) == ("number 1", True)
    assert kept("a", 0, make) == ("number 1", False)
    assert kept("b", 0, make) == ("number 2", True)
    forget()
    assert kept("a", 0, make) == ("number 3", True)


def test_the_ones_that_were_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_KEPT", 2)
    for key in "aba":
        kept(key, 0, lambda: None)
    kept("c", 0, lambda: None)
    assert [kept(key, 0, lambda: None)[1] for key in "ac"] == [False, False]
    assert kept("b", 0, lambda: None)[1]


def test_data_that_are_too_large_are_kept_alone() -> None:
    for key, size in (("a", 300_000_000), ("b", 200_000_000), ("c", 10)):
        kept(key, size, lambda: None)
    assert kept("a", 0, lambda: None)[1]  # all three would be too large
    kept("huge", 10**12, lambda: None)
    assert not kept("huge", 10**12, lambda: None)[1]
    assert [kept(key, 0, lambda: None)[1] for key in "bc"] == [True, True]


def test_what_cannot_be_made_is_not_kept() -> None:
    with pytest.raises(ZeroDivisionError):
        kept("a", 0, lambda: 1 // 0)
    assert kept("a", 0, lambda: 1) == (1, True)
