"""Turns reviews into token ids: the tokeniser, the vocabulary, and words as one flat array.

Ours, because Keras' `TextVectorization` keeps every review as Python text or one padded table, needs
TensorFlow to read, and does not treat apostrophes and `<br />` in this way.

The tokeniser converts a text to lower case and Unicode's composed form (NFC), reads `<br />` as a
space, and finds words: runs of letters and digits of any script, with apostrophes inside (`don't`
is one word; `’` counts as `'`). Everything else separates words and is dropped. Languages that put no
spaces between words are not split.

A model reads the last words of a long review, where reviewers conclude: of IMDB's validation reviews it
then labels 88.5 % right with 200 words (three seeds), and with the first 200 words 87.2 %.
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

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.atomic_files import write_text
from jobs.wording import shown

TOKENISER = 1
"""The tokeniser's version, raised with any change of what `words_of` returns."""

PADDING, UNKNOWN = 0, 1
RESERVED = 2
"""Ids that stand for no word; word `i` of a vocabulary has the id `RESERVED + i`."""

MOST_DISTINCT_WORDS = 2_000_000
"""Most words that are counted, some 150 bytes each. A million English reviews have about as many; a source
with more is not prose, and its further words are unknown ones."""

ALIGNMENT = 64
"""TensorFlow reads an array that begins at a multiple of this many bytes without a copy."""

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
    def vocab_size(self) -> int:
        """How many different ids a token can have, the reserved ones included."""
        return len(self.words) + RESERVED

    @cached_property
    def digest(self) -> str:
        """A SHA-256 of the words and their order."""
        return hashlib.sha256("\n".join(self.words).encode()).hexdigest()

    def shown(self, token: int) -> str:
        """The word for an id, as a person reads it."""
        return self.words[token - RESERVED] if token >= RESERVED else "(unknown)"

    def write(self, path: Path) -> None:
        """Write it as JSON, with the version of the tokeniser that found its words."""
        write_text(path, json.dumps({"tokeniser": TOKENISER, "words": self.words}, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Vocabulary":
        """Read what `write` wrote.

        Raises:
            InvalidData: it is damaged, or was written by another version of the tokeniser.
        """
        try:
            stored = json.loads(path.read_bytes())
            version, words = stored["tokeniser"], tuple(str(word) for word in stored["words"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise InvalidData(
                shown_path(path), expected="a vocabulary", given=f"a damaged file ({type(error).__name__})"
            ) from None
        if version != TOKENISER:
            raise InvalidData(
                shown_path(path),
                expected=f"a vocabulary of tokeniser {TOKENISER}",
                given=f"one of tokeniser {shown(version)}",
                hint="train the model again",
            )
        return cls(words)


@dataclass(frozen=True)
class Tokens:
    """Reviews as token ids, one after the other.

    Attributes:
        ids: int32, of all reviews; review `i` is `ids[offsets[i] : offsets[i + 1]]`, never empty.
        offsets: int64, one more than there are reviews.
        lengths: int32, the words each review has in full, of which only the last ones have ids here.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """How many tokens of each review are held."""
        return np.diff(self.offsets)

    def of(self, review: int) -> NDArray[np.int32]:
        """The tokens of one review."""
        return self.ids[self.offsets[review] : self.offsets[review + 1]]

    def taken(self, reviews: NDArray[np.int64]) -> "Tokens":
        """Some of the reviews, copied."""
        sizes = self.sizes[reviews]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        places = np.repeat(self.offsets[:-1][reviews] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return Tokens(self.ids[places], offsets, self.lengths[reviews])

    def aligned(self) -> "Tokens":
        """The same, with ids at an address from which TensorFlow reads them without a further copy."""
        size = self.ids.nbytes
        room = np.empty(size + ALIGNMENT, np.uint8)
        first = -room.ctypes.data % ALIGNMENT
        ids = room[first : first + size].view(np.int32)
        ids[:] = self.ids
        return Tokens(ids, self.offsets, self.lengths)

    @classmethod
    def joined(cls, rows: Sequence[NDArray[np.int32]]) -> "Tokens":
        """Tokens of reviews that are given as one array each."""
        sizes = np.array([len(row) for row in rows], np.int32)
        return cls(np.concatenate(rows), np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]), sizes)


class TokenCollector:
    """Collects reviews as token ids in flat arrays, four bytes a word.

    With a vocabulary the ids are that vocabulary's; without, they number the words as they first
    appear, and `words` has them in that order.
    """

    def __init__(self, length: int, vocabulary: Vocabulary | None = None) -> None:
        """Start with no reviews.

        Args:
            length: words of a review that get an id, the last ones.
            vocabulary: that of a model; None to number all words.
        """
        self._length = length
        self._index: dict[str, int] = _KnownWords() if vocabulary else _NewWords()
        if vocabulary:
            self._index.update({word: RESERVED + place for place, word in enumerate(vocabulary.words)})
        self._ids = array("i")
        self._offsets = array("q", [0])
        self._lengths = array("i")

    def add(self, text: str) -> None:
        """Add one review. A text without a word becomes a single unknown word."""
        words = words_of(text)
        self._lengths.append(len(words))
        self._ids.extend(map(self._index.__getitem__, words[-self._length :]) if words else (UNKNOWN,))
        self._offsets.append(len(self._ids))

    def add_all(self, texts: Iterable[str]) -> "TokenCollector":
        """Add several reviews."""
        for text in texts:
            self.add(text)
        return self

    def tokens(self) -> Tokens:
        """What was collected. The arrays are the collector's own, which accepts no further review."""
        return Tokens(
            np.frombuffer(self._ids, np.int32),
            np.frombuffer(self._offsets, np.int64),
            np.frombuffer(self._lengths, np.int32),
        )

    @property
    def words(self) -> list[str]:
        """Word `i` is what the id `RESERVED + i` stands for."""
        return list(self._index)


def choose_vocabulary(
    tokens: Tokens, words: Sequence[str], training: NDArray[np.bool_], size: int
) -> Vocabulary:
    """Choose the most frequent words of the training reviews, and renumber `tokens` for them, in place.

    A word must appear twice: those that appear once teach the model what an unknown word is.

    Args:
        tokens: with ids in the order in which words first appeared.
        words: those words.
        training: (reviews,), which ones are counted.
        size: most words of the vocabulary; of equally frequent ones, those that appeared first.
    """
    counts = np.zeros(len(words) + RESERVED, np.int64)
    for first, last, ids in _blocks(tokens):
        counted = np.repeat(training[first:last], np.diff(tokens.offsets[first : last + 1]))
        counts += np.bincount(ids[counted], minlength=len(counts))
    ranking = np.argsort(-counts[RESERVED:], kind="stable")[:size]
    ranking = ranking[counts[RESERVED:][ranking] >= 2]
    renumbered = np.full(len(counts), UNKNOWN, np.int32)
    renumbered[ranking + RESERVED] = np.arange(len(ranking), dtype=np.int32) + RESERVED
    for _, _, ids in _blocks(tokens):
        ids[:] = renumbered[ids]
    return Vocabulary(tuple(words[place] for place in ranking))


def _blocks(tokens: Tokens) -> Iterator[tuple[int, int, NDArray[np.int32]]]:
    """First and last review and the ids of a few thousand reviews at a time, to need little memory."""
    for first in range(0, len(tokens), _BLOCK):
        last = min(first + _BLOCK, len(tokens))
        yield first, last, tokens.ids[tokens.offsets[first] : tokens.offsets[last]]


class _NewWords(dict[str, int]):
    """Gives each word that it has not seen the next id."""

    def __missing__(self, word: str) -> int:
        if len(self) >= MOST_DISTINCT_WORDS:
            return UNKNOWN
        token = self[word] = len(self) + RESERVED
        return token


class _KnownWords(dict[str, int]):
    """Takes any other word for an unknown one."""

    def __missing__(self, word: str) -> int:
        return UNKNOWN
