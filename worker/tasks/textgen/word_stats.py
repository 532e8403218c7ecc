"""Word statistics: the common words of a corpus, and what a generated text does with words."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Set
from functools import cache
from typing import NamedTuple

LONGEST_WORD = 30
"""Letters; what is longer is a sequence of letters, as of DNA or in an encoded file."""

_UNSPACED = re.compile(
    # Thai to Burmese; Khmer; New Tai Lue to Tai Tham; kana; Chinese; their rare characters.
    "[\u0e00-\u109f\u1780-\u17ff\u1950-\u1aaf\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
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
    """Yield the words of a text: runs of letters and their marks, with apostrophes between, in lower case."""
    return (word.group().lower() for word in _word().finditer(text))


def is_unspaced(character: str) -> bool:
    """Whether a character is of a script that is written without spaces between words."""
    return _UNSPACED.match(character) is not None


def have_meaning(words: Collection[str]) -> bool:
    """Whether words are what a text consists of: most are short, and of a script that separates words.

    Args:
        words: the common words of a corpus, as `common_words` returns them.
    """
    plausible = sum(len(word) <= LONGEST_WORD and not _UNSPACED.search(word) for word in words)
    return 2 * plausible > len(words)


@cache
def _word() -> re.Pattern[str]:
    # `\w` has no vowel signs, without which words of Hindi or Tamil fall apart.
    marks = "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.category(chr(code))[0] == "M")
    letters = rf"[^\W\d_]+(?:[{marks}]+[^\W\d_]*)*"
    return re.compile(rf"{letters}(?:['’]{letters})*")


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
