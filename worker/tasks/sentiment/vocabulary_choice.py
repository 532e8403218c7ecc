"""Chooses the words that a model will know, by how often the training reviews have them."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from worker.tasks.sentiment.tokens import Tokens
from worker.tasks.sentiment.vocabulary import RESERVED, UNKNOWN, Vocabulary

_BLOCK = 8_192


def choose_vocabulary(
    tokens: Tokens, words: Sequence[str], training: NDArray[np.bool_], size: int
) -> Vocabulary:
    """Choose the most frequent words of the training reviews, and renumber `tokens` for them, in place.

    Counted is what a model reads, the last words of each review. A word must appear twice: those that appear
    once teach the model what an unknown word is.

    Args:
        tokens: with ids in the order in which words first appeared.
        words: those words.
        training: (reviews,), which ones are counted.
        size: most words of the vocabulary; of equally frequent ones, those that appeared first
            in the training reviews: no other review has a say.
    """
    counts = np.zeros(len(words) + RESERVED, np.int64)
    appeared, different = np.zeros_like(counts), 0
    for first, last, ids in _blocks(tokens):
        is_counted = np.repeat(training[first:last], np.diff(tokens.offsets[first : last + 1]))
        counted = ids[is_counted]
        new = counted[counts[counted] == 0]
        # Of a word that is new several times, the number that is assigned last stays: that of the first one.
        appeared[new[::-1]] = different + np.arange(len(new))[::-1]
        different += len(new)
        counts += np.bincount(counted, minlength=len(counts))
    ranking = np.lexsort((appeared[RESERVED:], -counts[RESERVED:]))[:size]
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
