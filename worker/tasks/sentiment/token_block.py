"""Finds the words of a block of reviews at once, and numbers them.

Ours, because a Python string for each word takes two thirds of the time, in `words_of` as in any library
that returns words. Here NumPy looks at the bytes of all reviews at once. Two words are told apart by their
first 16 bytes, as two integers, in a hash table where the first word of a slot is compared with every other
one. Words that lost their slot to another word, and longer ones, are looked up in a dictionary. So the result
is exact, and no choice of words takes more than linear time.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.tasks.sentiment.meant_text import as_meant
from worker.tasks.sentiment.tokeniser import plain_text

MOST_REVIEWS = 1_000
MOST_CHARACTERS = 5_000_000
"""A block ends at whichever is reached first. Arrays of 1,000 usual reviews about fit into a core's cache;
the characters bound memory where reviews are long."""

WORDLESS = 0
"""In a block, the id of the unknown word that stands for a review without words."""

_APOSTROPHE = ord("'")
_LETTERS_OR_ZERO = bytes(
    code if code >= 128 or chr(code).isalnum() or code == _APOSTROPHE else 0 for code in range(256)
)
"""What becomes of each byte of UTF-8: what separates words is 0, less than an apostrophe and any letter."""

_SEPARATOR = re.compile(r"[^\x00-\x7f\w]")
"""A character beyond ASCII that is in no word."""

_HALF_KEY = 8
_LONGEST_KEY = 2 * _HALF_KEY
_MASKS = np.array([2 ** (8 * count) - 1 for count in range(_HALF_KEY + 1)], np.uint64)
"""Each keeps the first 0 to 8 of eight bytes."""

_LONGER = np.uint64(2**64 - 1)
"""Is the second half of a longer word's key. UTF-8 has no such bytes."""

_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
"""Of multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4): 2⁶⁴ / φ, and one of xxHash64's
primes."""


class TokenBlock(NamedTuple):
    """The words of some reviews, numbered among themselves: a function of these reviews alone.

    Attributes:
        words: the different ones in UTF-8, in the order in which they first appear.
        ids: int32, of all reviews one after the other: `i + 1` stands for `words[i]`.
        sizes: (reviews,), how many ids each review has, at least one.
        lengths: (reviews,), how many words each review has in full.
        encoded: how many of the reviews have HTML entities or backslash escapes.
    """

    words: list[bytes]
    ids: NDArray[np.int32]
    sizes: NDArray[np.int32]
    lengths: NDArray[np.int32]
    encoded: int


def blocks_of(
    texts: Iterable[str], most: int = MOST_REVIEWS, most_characters: int = MOST_CHARACTERS
) -> Iterator[list[str]]:
    """Cut reviews into blocks.

    Args:
        texts: of the reviews.
        most: reviews in a block.
        most_characters: with which a block is full.
    """
    block: list[str] = []
    characters = 0
    for text in texts:
        block.append(text)
        characters += len(text)
        if len(block) == most or characters >= most_characters:
            yield block
            block, characters = [], 0
    if block:
        yield block


def tokenise(texts: Sequence[str], length: int) -> TokenBlock:
    """Find the words of some reviews, those that `words_of` finds in each.

    Args:
        texts: of the reviews.
        length: words of a review that get an id, the last ones.
    """
    meant = [as_meant(text) for text in texts]
    encoded = sum(new != old for new, old in zip(meant, texts, strict=True))
    reviews = [_utf8(text) for text in meant]
    # A zero before and after each review, and enough after the last word for a whole key to be read.
    letters = b"\0".join([b"", *reviews, bytes(_LONGEST_KEY)]).translate(_LETTERS_OR_ZERO)
    starts, ends = _words_in(letters)
    review_starts = np.cumsum([1, *(len(review) + 1 for review in reviews)])
    first_words = np.searchsorted(starts, review_starts.astype(starts.dtype))
    lengths = np.diff(first_words)
    if np.any(lengths > length):
        has_id = np.arange(len(starts)) >= np.repeat(first_words[1:] - length, lengths)
        starts, ends = starts[has_id], ends[has_id]
    first_places = _first_places(letters, starts, ends)
    is_first = first_places == np.arange(len(first_places))
    ids = np.cumsum(is_first, dtype=np.int32)[first_places]
    sizes = np.minimum(lengths, length)
    if np.any(sizes == 0):
        ids = np.insert(ids, np.cumsum(sizes)[sizes == 0], WORDLESS)
    places = zip(starts[is_first].tolist(), ends[is_first].tolist(), strict=True)
    words = [letters[start:end] for start, end in places]
    return TokenBlock(words, ids, np.maximum(sizes, 1).astype(np.int32), lengths.astype(np.int32), encoded)


def _utf8(text: str) -> bytes:
    plain = plain_text(text)
    return (plain if plain.isascii() else _SEPARATOR.sub(" ", plain)).encode()


def _words_in(letters: bytes) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where words start and end in bytes that are letters or zero: (words,) each."""
    codes = np.frombuffer(letters, np.uint8)
    is_word = codes > _APOSTROPHE
    apostrophes = np.flatnonzero(codes == _APOSTROPHE)
    is_word[apostrophes] = is_word[apostrophes - 1] & is_word[apostrophes + 1]
    edges = np.flatnonzero(is_word[1:] != is_word[:-1]).astype(np.int32) + 1
    return edges[::2], edges[1::2]


def _first_places(letters: bytes, starts: NDArray[np.int32], ends: NDArray[np.int32]) -> NDArray[np.int32]:
    """For each word the place among all words at which the same word is first: (words,)."""
    windows = np.ndarray(len(letters) - _HALF_KEY + 1, np.dtype("<u8"), letters, strides=(1,))
    sizes = ends - starts
    is_longer = sizes > _LONGEST_KEY
    left = windows[starts] & _MASKS[np.minimum(sizes, _HALF_KEY)]
    right = windows[starts + _HALF_KEY] & _MASKS[np.clip(sizes - _HALF_KEY, 0, _HALF_KEY)]
    right[is_longer] = _LONGER
    bits = max(len(starts).bit_length(), 1)
    slots = ((left * _FACTORS[0] + right * _FACTORS[1]) >> np.uint64(64 - bits)).astype(np.intp)
    table = np.full(1 << bits, len(starts), np.int32)
    np.minimum.at(table, slots, np.arange(len(starts), dtype=np.int32))
    first: NDArray[np.int32] = table[slots]
    others = np.flatnonzero((left[first] != left) | (right[first] != right) | is_longer)
    found: dict[bytes, int] = {}
    for place, start, end in zip(
        others.tolist(), starts[others].tolist(), ends[others].tolist(), strict=True
    ):
        first[place] = found.setdefault(letters[start:end], place)
    return first
