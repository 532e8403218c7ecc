"""The words of a text: which are common, and what a written text does with them."""

import re
from collections import Counter
from collections.abc import Iterator, Set
from typing import NamedTuple

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SEQUENCE = 3


class WordUse(NamedTuple):
    """Shares between 0 and 1; all 0 for a text without words.

    Attributes:
        words: how many there are.
        different: share of words that did not occur before in the text.
        repeated: share of sequences of three words that did occur before in the text.
        known: share of words that are in the corpus' list.
    """

    words: int
    different: float
    repeated: float
    known: float


def words(text: str) -> Iterator[str]:
    """Runs of letters, with apostrophes between them, in lower case."""
    return (word.group().lower() for word in _WORD.finditer(text))


def common_words(text: str, most: int) -> list[str]:
    """The `most` frequent words of a text, sorted."""
    return sorted(word for word, _ in Counter(words(text)).most_common(most))


def word_use(text: str, known: Set[str]) -> WordUse:
    """Measure a text against the words of a corpus."""
    found = list(words(text))
    if not found:
        return WordUse(0, 0.0, 0.0, 0.0)
    sequences = list(zip(*(found[start:] for start in range(_SEQUENCE)), strict=False))
    return WordUse(
        words=len(found),
        different=len(set(found)) / len(found),
        repeated=1 - len(set(sequences)) / len(sequences) if sequences else 0.0,
        known=sum(word in known for word in found) / len(found),
    )
