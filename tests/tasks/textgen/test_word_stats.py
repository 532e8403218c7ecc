"""Words are counted without their case."""

import pytest

from worker.tasks.textgen.word_stats import common_words, word_use


def test_words_are_counted_without_their_case() -> None:
    known = frozenset(common_words("To be, or not to be: that's the question", 100))
    assert known == {"to", "be", "or", "not", "that's", "the", "question"}
    assert common_words("b b a", 1) == ["b"]
    use = word_use("To be OR zounds! To be or zounds", known)
    assert use == (8, 0.5, pytest.approx(1 / 3), 0.75)
    assert word_use("... 42", known) == (0, 0, 0, 0)
