"""Word statistics: the common words of a corpus, and what a generated text does with words."""

import re
from collections import Counter
from collections.abc import Iterator, Set
from typing import NamedTuple

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SEQUENCE = 3


class WordUse(NamedTuple):
    """Statistics of one text; the shares are between 0 and 1, and all 0 for a text without words.

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


def words_in(text: str) -> Iterator[str]:
    """Yield the words of a text: runs of letters, with apostrophes between them, in lower case."""
    return (word.group().lower() for word in _WORD.finditer(text))


def common_words(text: str, count: int) -> list[str]:
    """Return the most frequent words of a text.

    Args:
        text: any text.
        count: how many words at most.

    Returns:
        Words in lower case, sorted alphabetically.
    """
    return sorted(word for word, _ in Counter(words_in(text)).most_common(count))


def word_use(text: str, known: Set[str]) -> WordUse:
    """Measure a text.

    Args:
        text: what was generated.
        known: the words of the corpus, in lower case.
    """
    found = list(words_in(text))
    if not found:
        return WordUse(0, 0.0, 0.0, 0.0)
    sequences = list(zip(*(found[start:] for start in range(_SEQUENCE)), strict=False))
    return WordUse(
        words=len(found),
        different=len(set(found)) / len(found),
        repeated=1 - len(set(sequences)) / len(sequences) if sequences else 0.0,
        known=sum(word in known for word in found) / len(found),
    )
