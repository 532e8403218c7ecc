"""The fast ways to find words beside the plain one: the same words and ids, whatever a review holds."""

import random
import string
from itertools import product

import numpy as np
import pytest

from tests.tasks.hostile_files import assert_linear
from worker.tasks.sentiment.tokeniser import _any_words, _ascii_words, tokenise, words_of
from worker.tasks.sentiment.tokens import LONGEST_WORD, TokenCollector
from worker.tasks.sentiment.vocabulary import RESERVED, UNKNOWN, Vocabulary

HOSTILE_TEXTS = [
    "",
    "'",
    "\0 a NUL\0in\0 it",
    "wort" * 250_000,
    "good " + "\u0315\u0300" * 30_000,
    "don't " * 50 + "'''don''t' " * 50,
    "one<br /><BR/>two</Em >three< br>four<b" + "<" * 1_000,
    "a_b\x1cc\x85d\x0be",
    "Tom &amp; Jerry\\nare &eacute;t&#233; &lt;br /&gt;",
    "Ça va, l’été; İstanbul \N{KELVIN SIGN}",
    "\ud83d half a pair",
]


def plain_ids(
    texts: list[str], length: int, vocabulary: Vocabulary | None
) -> tuple[list[list[int]], list[str]]:
    """The ids of each review and the words that have one, found word by word in one dictionary."""
    known = [] if vocabulary is None else list(vocabulary.words)
    index = {word: RESERVED + place for place, word in enumerate(known)}
    rows = []
    for text in texts:
        row = []
        for word in words_of(text)[-length:]:
            if vocabulary is None and len(word) <= LONGEST_WORD:
                index.setdefault(word, RESERVED + len(index))
            row.append(index.get(word, UNKNOWN))
        rows.append(row or [UNKNOWN])
    return rows, list(index)


def mixed_texts(count: int, seed: int = 0) -> list[str]:
    """Reviews of random words, with hostile ones between them."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdé'<_ ", k=rng.randint(1, 4))) for _ in range(500)]
    texts = [" ".join(rng.choices(words, k=rng.randint(0, 60))) for _ in range(count)]
    for place, text in enumerate(HOSTILE_TEXTS):
        texts.insert(place * 7 % len(texts), text)
    return texts


def test_the_fast_way_through_ascii_finds_the_words_of_the_plain_one() -> None:
    for size in range(1, 7):
        for characters in product("aB1' _", repeat=size):
            text = "".join(characters)
            assert _ascii_words(text) == _any_words(text), text
    rng = random.Random(0)
    pieces = [*map(chr, range(128)), *["'", "''", " '", "<br />", "</P>", "< i>", "<B\t\n>", "it's"] * 8]
    for _ in range(2_000):
        text = "".join(rng.choices(pieces, k=40))
        assert _ascii_words(text) == _any_words(text), text


@pytest.mark.parametrize("piece", ["'", "a'", "<", "<br ", "' ", "a" * 100])
def test_the_fast_way_takes_linear_time(piece: str) -> None:
    assert_linear(lambda size: lambda: _ascii_words(piece * (size // len(piece))), 100_000)


@pytest.mark.parametrize("vocabulary", [None, Vocabulary(("a", "b", "don't", "été", "good"))])
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_blocks_of_any_size_give_the_ids_of_the_plain_way(vocabulary: Vocabulary | None, size: int) -> None:
    texts = mixed_texts(300)
    collector = TokenCollector(20, vocabulary)
    for first in range(0, len(texts), size):
        collector.add_block(tokenise(texts[first : first + size], 20))
    tokens = collector.tokens()
    rows, words = plain_ids(texts, 20, vocabulary)
    assert [tokens.of(place).tolist() for place in range(len(texts))] == rows
    assert collector.words == words
    assert tokens.lengths.tolist() == [len(words_of(text)) for text in texts]
    assert collector.encoded == 1
    assert (tokens.ids.dtype, tokens.offsets.dtype) == (np.int32, np.int64)


def test_every_printable_character_of_ascii_is_kept_or_separates() -> None:
    kept = {
        character
        for character in string.printable
        if words_of(f"x{character}x") == [f"x{character.lower()}x"]
    }
    assert kept == {*string.ascii_letters, *string.digits, "'"}
