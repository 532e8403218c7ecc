"""Character n-grams with modified Kneser-Ney smoothing: the baseline that a recurrent network should beat.

Interpolated, with three discounts for each order that are estimated from counts of counts, as Chen and
Goodman (1998) found best; https://dash.harvard.edu/handle/1/25104739, section 3. The probability after a
context is what was counted behind it, less a discount, plus the discounts' share of the probability after the
context without its first character, down to all characters alike. The longest n-grams count occurrences;
shorter ones count behind how many different characters they occur, since they matter where a longer one was
not seen.

Ours, because KenLM is a C++ program of words, and NLTK's `KneserNeyInterpolated` has one discount and scores
one character a call, while an evaluation counts up to three million characters and scores another million.
Here one sort of all positions by the characters that lead up to them puts the occurrences of each n-gram side
by side, for all orders at once.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.tasks.textgen.vocabulary import Codes

FALLBACK = (0.5, 1.0, 1.5)
"""Discounts of an order whose counts of counts give none, as KenLM has them: of tiny texts, or where hardly
any n-gram is rare."""

Integers = NDArray[np.integer]
Values = NDArray[np.float64]


class _Grams(NamedTuple):
    """The n-grams of one length that occur anywhere, counted or not.

    Attributes:
        of_position: (positions,) the index of the n-gram that ends there.
        last_at: (grams,) a position where each ends.
        counts: (grams,) how often it occurs in what is counted.
        shorter: (grams,) the index of the n-gram without its first character, among those.
    """

    of_position: Integers
    last_at: Integers
    counts: Integers
    shorter: Integers


def nats_by_order(training: Codes, measured: Codes, vocab_size: int, highest: int) -> Iterator[Values]:
    """Predict a text with n-grams of each order, from the characters' frequencies up.

    The text begins with an endless row of one extra character, which is never predicted.

    Args:
        training: (characters,) codes below `vocab_size`, which are counted; at least one.
        measured: (characters,) codes that are predicted; they follow `training`.
        vocab_size: how many different characters there can be.
        highest: the longest n-gram's characters.

    Yields:
        For each order from 1 to `highest`, minus the logarithm of each measured character's probability,
        (characters,).
    """
    first = len(training) + 1
    lower = np.full(len(measured), 1 / vocab_size)
    grams = None
    before: Integers = np.zeros(first + len(measured), np.int32)
    for longer in _grams_by_length(training, measured, vocab_size, highest):
        if grams is not None:
            # They were the longest when their order was yielded; below longer ones, their neighbours count.
            neighbours = np.bincount(longer.shorter[longer.counts > 0], minlength=len(grams.counts))
            lower = _interpolated(grams, neighbours, before, lower, first)
            before = grams.of_position
        yield -np.log(_interpolated(longer, longer.counts, before, lower, first))
        grams = longer


def discounts(counts: Integers) -> tuple[float, float, float]:
    """Estimate what to take off n-grams counted once, twice and more often (Chen and Goodman, 1998, eq. 26).

    Args:
        counts: (grams,) how often each was counted.

    Returns:
        Above 0, and at most 1, 2 and 3.
    """
    _, *ns = np.bincount(np.minimum(counts, 5), minlength=6)[:5].astype(float)
    if min(ns) == 0:
        return FALLBACK
    share = ns[0] / (ns[0] + 2 * ns[1])
    one, two, more = (k - (k + 1) * share * ns[k] / ns[k - 1] for k in (1, 2, 3))
    return (one, two, more) if min(one, two, more) > 0 else FALLBACK


def _grams_by_length(training: Codes, measured: Codes, vocab_size: int, highest: int) -> Iterator[_Grams]:
    """All n-grams of length 1, 2, … `highest`; position 0 is the one before the text."""
    beginning = np.full(highest, vocab_size)
    codes = np.concatenate([beginning, training, measured]).astype(np.min_scalar_type(vocab_size))
    # back[n] is the n-th character before each position, itself at 0.
    back = [codes[highest - 1 - n : len(codes) - n] for n in range(highest)]
    order = np.lexsort(back[::-1])
    counted = (order > 0) & (order <= len(training))
    begins = np.zeros(len(order), bool)
    begins[0] = True
    shorter = np.zeros(len(order), np.int32)
    for characters in back:
        here = characters[order]
        begins[1:] |= here[1:] != here[:-1]
        starts = np.flatnonzero(begins)
        index = np.cumsum(begins, dtype=np.int32) - 1
        of_position = np.empty_like(index)
        of_position[order] = index
        counts = np.add.reduceat(counted, starts, dtype=np.int32)
        yield _Grams(of_position, order[starts], counts, shorter[starts])
        shorter = index


def _interpolated(grams: _Grams, counts: Integers, before: Integers, lower: Values, first: int) -> Values:
    """The probability of each position from `first` on.

    Args:
        grams: of one length.
        counts: (grams,) by which each is weighed.
        before: (positions,) the index of the n-gram of one character less that ends there, 0 for none.
        lower: (positions from `first` on,) by n-grams of one character less.
        first: the first position that is predicted.
    """
    off = np.array([0, *discounts(counts)])[np.minimum(counts, 3)]
    context = before[grams.last_at - 1]
    size = int(before.max()) + 1
    total, left = (np.bincount(context, weights, size) for weights in (counts, off))
    gram, context = grams.of_position[first:], before[first - 1 : -1]
    known = total[context] > 0
    kept = counts[gram] - off[gram] + left[context] * lower
    return np.where(known, kept / np.where(known, total[context], 1), lower)
