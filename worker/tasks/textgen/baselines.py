"""What the network is compared with: the frequencies of characters, and n-grams of the best order."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from worker.tasks.textgen.ngrams import Values, nats_by_order
from worker.tasks.textgen.text import Corpus, split
from worker.tasks.textgen.vocabulary import Codes

HIGHEST_ORDER = 8
"""The longest n-grams that are tried; on megabytes of text 7 or 8 is best, on less a smaller one."""

MOST_COUNTED = 3_000_000
"""Characters that n-grams count: those right before what they predict."""


class Baselines(NamedTuple):
    """How well a text is predicted without a network.

    Attributes:
        order: of the n-grams, the best on validation text.
        ngrams: nats of each character by n-grams, (characters,).
        frequencies: nats of each character by how frequent it is, (characters,).
    """

    order: int
    ngrams: Values
    frequencies: Values


def baselines(before: Codes, measured: Codes, vocab_size: int, check_stop: Callable[[], None]) -> Baselines:
    """Predict a text by n-grams that have counted what lies before it.

    Args:
        before: what is counted, (characters,). It is split as a training job splits it: the order is the one
            that, counted on the training part, predicts the validation part best.
        measured: what is predicted, (characters,); it decides nothing.
        vocab_size: distinct characters.
        check_stop: called every second or so; may raise.
    """
    order = _best(by_order(*split(before), vocab_size, HIGHEST_ORDER, check_stop))
    nats = by_order(before, measured, vocab_size, order, check_stop)
    return Baselines(order, nats[-1], nats[0])


def training_baselines(corpus: Corpus, check_stop: Callable[[], None]) -> dict[str, float]:
    """Measure how hard validation text and held-out text are without a network.

    Args:
        corpus: its training part is counted; its held-out part is measured for this comparison alone.
        check_stop: called every second or so; may raise.

    Returns:
        Mean nats per character, by the names of METRICS, and the order of the n-grams. Those of held-out text
        are missing where its characters do not occur before.
    """
    vocab_size, counted = len(corpus.vocabulary), corpus.training[-MOST_COUNTED:]
    validation = by_order(counted, corpus.validation, vocab_size, HIGHEST_ORDER, check_stop)
    order = _best(validation)
    found = {
        "baseline_validation_nats": float(validation[0].mean()),
        "ngram_validation_nats": float(validation[order - 1].mean()),
        "ngram_order": order,
    }
    if len(corpus.held_out):
        held_out = by_order(counted, corpus.held_out, vocab_size, order, check_stop)
        found["ngram_held_out_nats"] = float(held_out[-1].mean())
    return found


def by_order(
    counted: Codes, measured: Codes, vocab_size: int, highest: int, check_stop: Callable[[], None]
) -> list[Values]:
    """The nats of each measured character for each order from 1, (characters,) each; stops when asked to."""
    nats = []
    for of_order in nats_by_order(counted, measured, vocab_size, highest):
        nats.append(of_order)
        check_stop()
    return nats


def _best(nats: list[Values]) -> int:
    return 1 + int(np.argmin([of_order.mean() for of_order in nats]))
