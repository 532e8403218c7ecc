"""Character n-grams with interpolation: the baseline that a recurrent network should beat.

The probability after a context is a mixture of what followed it in the training text and the
probability after the context without its first character, down to all characters alike. The mixture
is Witten and Bell's (1991), https://doi.org/10.1109/18.87000, which has no parameter to choose: a context
that was seen `n` times with `d` different characters behind it gets the weight n / (n + d). See also Chen and
Goodman (1998), section 2.4, https://dash.harvard.edu/handle/1/25104739

Ours, because NLTK's `WittenBellInterpolated` counts in Python dictionaries and scores one character a call,
while an evaluation counts up to three million characters and scores another million.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.tasks.textgen.vocabulary import Codes

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class _Order:
    """What is known about contexts of one length.

    Attributes:
        contexts: (contexts,) sorted keys: the index of the context without its first character, times
            the size of the vocabulary, plus that first character.
        seen: (contexts,) how often each context was followed by anything.
        different: (contexts,) by how many different characters.
        grams: (grams,) sorted keys: the index of a context, times the size of the vocabulary, plus the
            character behind it.
        counts: (grams,) how often that was seen.
    """

    contexts: Integers
    seen: Integers
    different: Integers
    grams: Integers
    counts: Integers


class NGrams:
    """Interpolated n-grams of one training text."""

    def __init__(
        self, training: Codes, vocab_size: int, order: int, after_order: Callable[[], None] = lambda: None
    ) -> None:
        """Count.

        Args:
            training: (characters,) codes below `vocab_size`, at least `order` of them.
            vocab_size: how many different characters there can be.
            order: the longest n-gram; 1 knows only how frequent each character is.
            after_order: called when the n-grams of one length are counted; may raise.
        """
        self._vocab_size = vocab_size
        self._orders: list[_Order] = []
        codes = training.astype(np.int64)
        known, context = np.zeros(1, np.int64), np.zeros(len(codes), np.int64)
        for length in range(order):
            if length:
                keys = context[1:] * vocab_size + codes[:-length]
                known, context = np.unique(keys, return_inverse=True)
            grams, counts = np.unique(context * vocab_size + codes[length:], return_counts=True)
            different = np.bincount(grams // vocab_size)
            self._orders.append(_Order(known, np.bincount(context), different, grams, counts))
            after_order()

    def probabilities(self, codes: Codes) -> NDArray[np.float64]:
        """Return the probability of each character after those before it.

        Args:
            codes: (characters,), below the size of the vocabulary.

        Returns:
            (characters,), above 0.
        """
        codes = codes.astype(np.int64)
        result = np.full(len(codes), 1 / self._vocab_size)
        context = np.zeros(len(codes), np.int64)
        for length, order in enumerate(self._orders):
            if length:
                context = context[1:]
                keys = context * self._vocab_size + codes[:-length]
                context = np.where(context >= 0, _indices(order.contexts, keys), -1)
            known = np.flatnonzero(context >= 0)
            behind = context[known]
            gram = _indices(order.grams, behind * self._vocab_size + codes[length + known])
            count = np.where(gram >= 0, order.counts[gram], 0)
            seen, different = order.seen[behind], order.different[behind]
            at = length + known
            result[at] = (count + different * result[at]) / (seen + different)
        return result


def _indices(keys: Integers, wanted: Integers) -> Integers:
    """The index of each wanted key in the sorted ones, -1 if it is not there."""
    indices = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[indices] == wanted, indices, -1)
