"""A block of reviews is tokenised as each of them would be by itself, whatever they hold."""

import random
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest

from tests.tasks.hostile_files import assert_linear
from worker.tasks.sentiment.token_block import blocks_of, tokenise
from worker.tasks.sentiment.tokeniser import words_of
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
    "é" * LONGEST_WORD + " " + "é" * (LONGEST_WORD + 1),
    "<br\N{NO-BREAK SPACE}/>but<br“/>",
]


def assert_same_words(texts: Sequence[str]) -> None:
    """Assert that a block has the words that `words_of` finds in each text, numbered as they appear."""
    block = tokenise(texts, length=2**31)
    rows = list(map(words_of, texts))
    assert block.lengths.tolist() == list(map(len, rows))
    different = [word.decode() for word in block.words]
    assert different == list(dict.fromkeys(word for row in rows for word in row))
    words = np.array(["", *different], object)[block.ids].tolist()
    assert words == [word for row in rows for word in row or [""]]


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


def test_any_order_of_letters_apostrophes_and_separators_gives_the_same_words() -> None:
    for size in range(1, 6):
        assert_same_words(list(map("".join, product("aB1' _é’", repeat=size))))
    rng = random.Random(0)
    pieces = [*map(chr, range(256)), *["'", "''", " '", "<br />", "</P>", "< i>", "<B\t\n>", "it's"] * 8]
    assert_same_words(["".join(rng.choices(pieces, k=40)) for _ in range(2_000)])


def test_every_character_gives_the_same_words() -> None:
    rng = random.Random(0)
    characters = [*range(0x3000), *rng.sample(range(0x3000, 0x110000), 10_000)]
    assert_same_words([f"X{chr(code)}y {chr(code)} <b{chr(code)}>" for code in characters])


def test_words_that_begin_alike_are_told_apart_at_any_length() -> None:
    for letter in "aé":
        words = [letter * size + end for size in range(40) for end in ("", "b", "c", "b")]
        assert_same_words([" ".join(words)])
        assert_same_words([" ".join(reversed(words))])


def test_words_that_share_a_slot_of_the_hash_table_are_told_apart() -> None:
    # So many that two in a slot are certain; each twice, the second time in another order.
    rng = random.Random(0)
    words = [f"{rng.randrange(10**9):x}" for _ in range(50_000)]
    assert_same_words([" ".join(words), " ".join(sorted(words))])


@pytest.mark.parametrize("vocabulary", [None, Vocabulary(("a", "b", "don't", "été", "good"))])
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_blocks_of_any_size_give_the_ids_of_the_plain_way(vocabulary: Vocabulary | None, size: int) -> None:
    texts = mixed_texts(300)
    collector = TokenCollector(20, vocabulary)
    for first in range(0, len(texts), size):
        collector.add_all(texts[first : first + size])
    tokens = collector.tokens()
    rows, words = plain_ids(texts, 20, vocabulary)
    assert [tokens.of(place).tolist() for place in range(len(texts))] == rows
    assert collector.words == words
    assert tokens.lengths.tolist() == [len(words_of(text)) for text in texts]
    assert collector.encoded == 1
    assert (tokens.ids.dtype, tokens.offsets.dtype) == (np.int32, np.int64)


def test_a_block_without_words_or_reviews_is_tokenised() -> None:
    assert tokenise([], 5).lengths.tolist() == []
    block = tokenise(["", "…", ""], 5)
    assert (block.ids.tolist(), block.sizes.tolist(), block.words) == ([0, 0, 0], [1, 1, 1], [])


def test_a_block_is_full_with_many_reviews_or_many_characters() -> None:
    texts = ["aaaa", "b", "c", "d", "eeeee", ""]
    assert list(blocks_of(texts, 3, 5)) == [["aaaa", "b"], ["c", "d", "eeeee"], [""]]
    assert list(blocks_of([])) == []


@pytest.mark.parametrize("piece", ["'", "a'", "<", "<br ", "' ", "a" * 100, "a" * 100 + " ", "é’", "\0"])
def test_tokenising_takes_linear_time(piece: str) -> None:
    assert_linear(lambda size: lambda: tokenise([piece * (size // len(piece))], 200), 100_000)
