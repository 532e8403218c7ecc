"""The vocabulary and token ids."""

import json
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import InvalidData
from worker.tasks.sentiment.tokens import MOST_DISTINCT_WORDS, TokenCollector, Tokens
from worker.tasks.sentiment.vocabulary import RESERVED, UNKNOWN, Vocabulary
from worker.tasks.sentiment.vocabulary_choice import choose_vocabulary

WRONG = ("5", "[5]", '["\\ud83d"]')
"""Words of a vocabulary in JSON."""


def test_the_most_frequent_words_of_the_training_reviews_are_known() -> None:
    collector = TokenCollector(length=10).add_all(["a a a b b c", "b b a d", "d d d d d e e"])
    tokens = collector.tokens()
    vocabulary = choose_vocabulary(tokens, collector.words, np.array([True, True, False]), 10)
    assert vocabulary.words == ("a", "b")  # c and d appear once in what is counted
    assert tokens.of(0).tolist() == [2, 2, 2, 3, 3, UNKNOWN]
    assert tokens.of(2).tolist() == [UNKNOWN] * 7
    again = TokenCollector(10, vocabulary).add_all(["a a a b b c", "b b a d", "d d d d d e e"]).tokens()
    assert again.ids.tolist() == tokens.ids.tolist()


def test_the_last_words_of_a_long_review_count_and_a_review_without_words_is_one_unknown() -> None:
    tokens = TokenCollector(3, Vocabulary(("a", "b"))).add_all(["b b b a a", "", "b"]).tokens()
    assert [tokens.of(place).tolist() for place in range(3)] == [[3, 2, 2], [UNKNOWN], [3]]
    assert tokens.lengths.tolist() == [5, 0, 1]
    some = tokens.taken(np.array([2, 0]))
    assert [some.of(place).tolist() for place in range(2)] == [[3], [3, 2, 2]]
    assert some.lengths.tolist() == [1, 5]
    assert Tokens.joined([tokens.of(0), tokens.of(2)]).of(1).tolist() == [3]


def test_words_beyond_a_bound_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_DISTINCT_WORDS == 2_000_000
    monkeypatch.setattr("worker.tasks.sentiment.tokens.MOST_DISTINCT_WORDS", 2)
    assert TokenCollector(9).add_all(["a b c a d"]).tokens().ids.tolist() == [2, 3, UNKNOWN, 2, UNKNOWN]


def test_a_vocabulary_reads_back_and_an_older_one_but_none_of_an_unknown_tokeniser(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.json"
    Vocabulary(("the", "été")).write(path)
    assert Vocabulary.read(path) == Vocabulary(("the", "été"))
    assert Vocabulary.read(path).vocab_size == 2 + RESERVED
    assert Vocabulary.read(path).shown(3) == "été"
    assert Vocabulary.read(path).shown(UNKNOWN) == "(unknown)"
    path.write_text(json.dumps({"tokeniser": 1, "words": ["the", "été"]}))
    assert Vocabulary.read(path) == Vocabulary(("the", "été"))
    path.write_text(json.dumps({"tokeniser": 99, "words": []}))
    with pytest.raises(
        InvalidData, match="expected a vocabulary of tokeniser 2, got one of tokeniser 99"
    ) as caught:
        Vocabulary.read(path)
    assert caught.value.hint == "train the model again"
    for damaged in (
        "",
        "{}",
        '{"tokeniser": 1}',
        *(f'{{"tokeniser": 1, "words": {words}}}' for words in WRONG),
    ):
        path.write_text(damaged)
        with pytest.raises(InvalidData, match="expected a vocabulary, got a damaged file"):
            Vocabulary.read(path)
