"""Finds the words of reviews, one review or a block of them at a time.

Ours, because Keras' `TextVectorization` keeps every review as Python text or one padded table, needs
TensorFlow to read, and does not treat apostrophes and `<br />` in this way.

The tokeniser reads HTML entities and backslash escapes as the characters that they stand for, converts a
text to lower case and Unicode's composed form (NFC), reads simple tags such as `<br />` as a space, and finds
words: runs of letters and digits of any script, with apostrophes inside (`don't` is one word; `’` counts as
`'`). Everything else separates words and is dropped. Languages without spaces between words are not split.
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

from worker.datasets.composed_text import composed
from worker.tasks.sentiment.meant_text import as_meant

_TAG = re.compile(r"</?(?:br|hr|p|div|span|b|i|u|em|strong|ul|ol|li)\s*/?>")
_WORD = re.compile(r"[^\W_]++(?:'[^\W_]++)*+")

_ASCII = "".join(
    character.lower() if character.isalnum() or character == "'" else " "
    for character in map(chr, range(128))
)
"""What the fast way makes of each ASCII character."""

WORDLESS = 0
"""In a block, the id of the unknown word that stands for a review without words."""


def words_of(text: str) -> list[str]:
    """The words of a text, in its order."""
    return _words_as_meant(as_meant(text))


class TokenBlock(NamedTuple):
    """The words of some reviews, numbered among themselves: a function of these reviews alone.

    Attributes:
        words: the different ones, in the order in which they first appear.
        ids: 32 bits each, of all reviews one after the other: `i + 1` stands for `words[i]`.
        sizes: how many ids each review has, at least one.
        lengths: how many words each review has in full.
        encoded: how many of the reviews have HTML entities or backslash escapes.
    """

    words: list[str]
    ids: "array[int]"
    sizes: "array[int]"
    lengths: "array[int]"
    encoded: int


def tokenise(texts: Iterable[str], length: int) -> TokenBlock:
    """Find the words of some reviews.

    Args:
        texts: of the reviews.
        length: words of a review that get an id, the last ones.
    """
    numbers: defaultdict[str, int] = defaultdict(count(WORDLESS + 1).__next__)
    ids, sizes, lengths = array("i"), array("i"), array("i")
    encoded = 0
    for text in texts:
        meant = as_meant(text)
        encoded += meant != text
        words = _words_as_meant(meant)
        ids.extend(map(numbers.__getitem__, words[-length:]) if words else (WORDLESS,))
        sizes.append(min(len(words), length) or 1)
        lengths.append(len(words))
    return TokenBlock(list(numbers), ids, sizes, lengths, encoded)


def _words_as_meant(text: str) -> list[str]:
    return _ascii_words(text) if text.isascii() else _any_words(text)


def _any_words(text: str) -> list[str]:
    plain = composed(text.lower()).replace("’", "'")
    return _WORD.findall(_TAG.sub(" ", plain))


def _ascii_words(text: str) -> list[str]:
    """What `_any_words` finds in a text of ASCII characters, in two thirds of the time."""
    if "<" in text:
        text = _TAG.sub(" ", text.lower())
    plain = text.translate(_ASCII)
    if "'" in plain:  # those at the edge of a word are none of its characters
        plain = f" {plain} ".replace("''", "  ").replace(" '", "  ").replace("' ", "  ")
    return plain.split()
