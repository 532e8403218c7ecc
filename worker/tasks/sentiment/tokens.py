"""Reviews as token ids: words as one flat array.

A model reads the last words of a long review, where reviewers conclude: of IMDB's validation reviews, drawn
by text, it labels 88.5 % right with 200 words (three seeds), and with the first 200 words 87.2 %.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.wording import counted
from worker.tasks.sentiment.token_block import TokenBlock, blocks_of, tokenise
from worker.tasks.sentiment.vocabulary import RESERVED, UNKNOWN, Vocabulary

MOST_DISTINCT_WORDS = 2_000_000
"""Most words that are counted, some 180 bytes each. A million English reviews have about as many; a source
with more is not prose, and its further words are unknown ones."""

LONGEST_WORD = 100
"""Letters of a word that a vocabulary may hold; a longer one is an unknown word."""

ALIGNMENT = 64
"""TensorFlow reads an array that begins at a multiple of this many bytes without a copy."""


def note_on_cut(reviews: int, length: int, kind: str = "review") -> str:
    """Return the sentence for a report in which so many reviews are longer than the words that are read."""
    return (
        f"{counted(reviews, f'{kind} is', f'{kind}s are')} longer than the last {length:,} words, which the "
        "model reads: what comes before them has no effect."
    )


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

    @property
    def is_cut(self) -> NDArray[np.bool_]:
        """Whether each review is longer than what is held of it: (reviews,)."""
        longer: NDArray[np.bool_] = self.lengths > self.sizes
        return longer

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

    Attributes:
        encoded: how many of the reviews have HTML entities or backslash escapes.
    """

    def __init__(self, length: int, vocabulary: Vocabulary | None = None) -> None:
        """Start with no reviews.

        Args:
            length: words of a review that get an id, the last ones.
            vocabulary: that of a model; None to number all words.
        """
        self._length = length
        self._index: dict[bytes, int] = _KnownWords() if vocabulary else _NewWords()
        if vocabulary:
            words = enumerate(vocabulary.words)
            self._index.update({word.encode(): RESERVED + place for place, word in words})
        self.encoded = 0
        self._ids = array("i")
        self._offsets = array("q", [0])
        self._lengths = array("i")

    def add_all(self, texts: Iterable[str]) -> "TokenCollector":
        """Add several reviews. One without a word becomes a single unknown word."""
        for block in blocks_of(texts):
            self._add(tokenise(block, self._length))
        return self

    def _add(self, block: TokenBlock) -> None:
        ids = np.fromiter(map(self._index.__getitem__, block.words), np.int32, len(block.words))
        ids = np.concatenate([np.array([UNKNOWN], np.int32), ids])
        self._ids.frombytes(ids[block.ids].tobytes())
        ends = self._offsets[-1] + np.cumsum(block.sizes, dtype=np.int64)
        self._offsets.frombytes(ends.tobytes())
        self._lengths.frombytes(block.lengths.tobytes())
        self.encoded += block.encoded

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
        return [word.decode() for word in self._index]


class _NewWords(dict[bytes, int]):
    """Gives each word that it has not seen the next id."""

    def __missing__(self, word: bytes) -> int:
        is_long = len(word) > LONGEST_WORD and len(word.decode()) > LONGEST_WORD
        if is_long or len(self) >= MOST_DISTINCT_WORDS:
            return UNKNOWN
        token = self[word] = len(self) + RESERVED
        return token


class _KnownWords(dict[bytes, int]):
    """Gives every other word the id of unknown words."""

    def __missing__(self, word: bytes) -> int:
        return UNKNOWN
