"""Turns reviews into numbers: the tokeniser, the vocabulary, and words as one flat array.

The tokeniser puts a text into lower case and Unicode's composed form (NFC), takes `<br />` for a
space, and finds words: runs of letters and digits of any script, with apostrophes inside (`don't`
is one word; `’` counts as `'`). All else separates words and is dropped. Languages that put no
spaces between words are not split.

A model reads the last words of a long review, where reviewers conclude: on IMDB's validation reviews,
200 words kept, it then judges 88.5 % right (three seeds) and with the first words 87.2 %.
"""

import hashlib
import json
import re
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidData
from jobs.files import write_text

TOKENISER = 1
"""The tokeniser's version. It goes up with any change of what `words_of` gives."""

PADDING, UNKNOWN = 0, 1
RESERVED = 2
"""Numbers that stand for no word; word `i` of a vocabulary has the number `RESERVED + i`."""

MOST_DISTINCT_WORDS = 2_000_000
"""Words that are counted, some 150 bytes each. A million English reviews have about as many; what
has more is no prose, and its further words are unknown ones."""

ALIGNMENT = 64
"""Where an array begins at a multiple of so many bytes, TensorFlow can read it as it lies."""

_BLOCK = 8_192
_BREAK = re.compile(r"<br\s*/?>")
_WORD = re.compile(r"[^\W_]++(?:'[^\W_]++)*+")


def words_of(text: str) -> list[str]:
    """The words of a text, in its order."""
    plain = unicodedata.normalize("NFC", text.lower()).replace("’", "'")
    return _WORD.findall(_BREAK.sub(" ", plain))


@dataclass(frozen=True)
class Vocabulary:
    """The words that a model knows, the most frequent first."""

    words: tuple[str, ...]

    @property
    def numbers(self) -> int:
        """How many different numbers a token can be, the reserved ones included."""
        return len(self.words) + RESERVED

    @cached_property
    def digest(self) -> str:
        """A SHA-256 of the words and their order."""
        return hashlib.sha256("\n".join(self.words).encode()).hexdigest()

    def shown(self, number: int) -> str:
        """The word for a number, as a person reads it."""
        return self.words[number - RESERVED] if number >= RESERVED else "(unknown)"

    def write(self, path: Path) -> None:
        """Write it beside the model, with the version of the tokeniser that its words come from."""
        write_text(path, json.dumps({"tokeniser": TOKENISER, "words": self.words}, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """Read what `write` wrote.

        Raises:
            InvalidData: it is damaged, or written for another version of the tokeniser.
        """
        try:
            stored = json.loads(path.read_bytes())
            version, words = stored["tokeniser"], tuple(str(word) for word in stored["words"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise InvalidData(f"{path} is no vocabulary ({type(error).__name__})") from None
        if version != TOKENISER:
            raise InvalidData(
                f"{path} was made by tokeniser {version} and this is tokeniser {TOKENISER}; "
                "train the model again"
            )
        return cls(words)


@dataclass(frozen=True)
class Tokens:
    """Reviews as numbers, one after the other.

    Attributes:
        numbers: int32, of all reviews; review `i` is `numbers[offsets[i] : offsets[i + 1]]`, never empty.
        offsets: int64, one more than there are reviews.
        lengths: int32, the words each review has in full, of which the last ones are kept.
    """

    numbers: NDArray[np.int32]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many tokens of each review are kept."""
        return np.diff(self.offsets)

    def of(self, review: int) -> NDArray[np.int32]:
        """The tokens of one review."""
        return self.numbers[self.offsets[review] : self.offsets[review + 1]]

    def taken(self, reviews: NDArray[np.int64]) -> "Tokens":
        """Some of the reviews, copied."""
        sizes = self.sizes[reviews]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        places = np.repeat(self.offsets[:-1][reviews] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return Tokens(self.numbers[places], offsets, self.lengths[reviews])

    def aligned(self) -> "Tokens":
        """The same, their numbers copied to where TensorFlow needs no further copy of them."""
        size = self.numbers.nbytes
        room = np.empty(size + ALIGNMENT, np.uint8)
        first = -room.ctypes.data % ALIGNMENT
        numbers = room[first : first + size].view(np.int32)
        numbers[:] = self.numbers
        return Tokens(numbers, self.offsets, self.lengths)

    @classmethod
    def joined(cls, rows: Sequence[NDArray[np.int32]]) -> "Tokens":
        """Tokens of reviews that are given one by one."""
        sizes = np.array([len(row) for row in rows], np.int32)
        return cls(np.concatenate(rows), np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]), sizes)


class TokenCollector:
    """Collects reviews as numbers in flat arrays, four bytes a word.

    With a vocabulary the numbers are that vocabulary's; without, they count words as they first
    appear, and `words` has them in that order.
    """

    def __init__(self, length: int, vocabulary: Vocabulary | None = None) -> None:
        self._length = length
        self._index: dict[str, int] = _KnownWords() if vocabulary else _NewWords()
        if vocabulary:
            self._index.update({word: RESERVED + place for place, word in enumerate(vocabulary.words)})
        self._numbers = array("i")
        self._offsets = array("q", [0])
        self._lengths = array("i")

    def add(self, text: str) -> None:
        """Add one review. A text without a word becomes a single unknown word."""
        words = words_of(text)
        self._lengths.append(len(words))
        self._numbers.extend(map(self._index.__getitem__, words[-self._length :]) if words else (UNKNOWN,))
        self._offsets.append(len(self._numbers))

    def add_all(self, texts: Iterable[str]) -> "TokenCollector":
        """Add several reviews."""
        for text in texts:
            self.add(text)
        return self

    def tokens(self) -> Tokens:
        """What was collected. The arrays are the collector's own, which takes nothing more."""
        return Tokens(
            np.frombuffer(self._numbers, np.int32),
            np.frombuffer(self._offsets, np.int64),
            np.frombuffer(self._lengths, np.int32),
        )

    @property
    def words(self) -> list[str]:
        """Word `i` is what the number `RESERVED + i` stands for."""
        return list(self._index)


def choose_vocabulary(
    tokens: Tokens, words: Sequence[str], training: NDArray[np.bool_], size: int
) -> Vocabulary:
    """The most frequent words of the training reviews, and `tokens` renumbered for it, in place.

    A word must appear twice: those that appear once teach the model what an unknown word is.

    Args:
        tokens: with numbers in the order in which words first appeared.
        words: those words.
        training: which reviews are counted.
        size: words to keep at most; of equally frequent ones, those that appeared first.
    """
    counts = np.zeros(len(words) + RESERVED, np.int64)
    for first, last, numbers in _blocks(tokens):
        counted = np.repeat(training[first:last], np.diff(tokens.offsets[first : last + 1]))
        counts += np.bincount(numbers[counted], minlength=len(counts))
    ranking = np.argsort(-counts[RESERVED:], kind="stable")[:size]
    ranking = ranking[counts[RESERVED:][ranking] >= 2]
    renumbered = np.full(len(counts), UNKNOWN, np.int32)
    renumbered[ranking + RESERVED] = np.arange(len(ranking), dtype=np.int32) + RESERVED
    for _, _, numbers in _blocks(tokens):
        numbers[:] = renumbered[numbers]
    return Vocabulary(tuple(words[place] for place in ranking))


def _blocks(tokens: Tokens) -> Iterator[tuple[int, int, NDArray[np.int32]]]:
    """First and last review and the numbers of a few thousand reviews at a time, to need little memory."""
    for first in range(0, len(tokens), _BLOCK):
        last = min(first + _BLOCK, len(tokens))
        yield first, last, tokens.numbers[tokens.offsets[first] : tokens.offsets[last]]


class _NewWords(dict[str, int]):
    """Gives each word it has not seen the next number."""

    def __missing__(self, word: str) -> int:
        if len(self) >= MOST_DISTINCT_WORDS:
            return UNKNOWN
        number = self[word] = len(self) + RESERVED
        return number


class _KnownWords(dict[str, int]):
    """Knows no further words."""

    def __missing__(self, word: str) -> int:
        return UNKNOWN
