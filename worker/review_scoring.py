"""Reads tokenised reviews with a network, as fast as the machine can."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.data.tokens import ALIGNMENT, PADDING, Tokens
from worker.models.sentiment import logits_of
from worker.side_by_side import parts_side_by_side

BATCH = 128
"""Reviews in one batch, as many as a training's default: what is compiled for that then does for this."""

BATCH_TOKENS = 100_000
"""Tokens in one batch at most, or else it has half as many reviews: 0.2 GB, and a part of a second."""


class TokensInMemory:
    """Tokenised reviews as tensors, from which a compiled function takes what it needs."""

    def __init__(self, tokens: Tokens) -> None:
        self.numbers = _shared(tokens.numbers)
        self.begins = tf.constant(tokens.offsets[:-1])
        self.sizes = tf.constant(tokens.sizes)


def _shared(numbers: NDArray[np.int32]) -> Any:
    """A tensor of these numbers, which must not change any more: no copy of them if they are aligned.

    `tf.constant` makes two copies, and lets go of the first one at the next step. A tensor that is not
    aligned would end the process.
    """
    if numbers.ctypes.data % ALIGNMENT:
        return tf.constant(numbers)
    return tf.experimental.dlpack.from_dlpack(numbers.__dlpack__())


def padded(numbers: Any, begins: Any, sizes: Any, reviews: Any) -> tuple[Any, Any]:
    """Some reviews side by side: tokens (batch, time) padded on the right, and their sizes (batch,)."""
    begins, sizes = tf.gather(begins, reviews), tf.gather(sizes, reviews)
    steps = tf.range(tf.reduce_max(sizes))
    inside = steps < sizes[:, tf.newaxis]
    places = tf.where(inside, begins[:, tf.newaxis] + steps, 0)
    return tf.where(inside, tf.gather(numbers, places), PADDING), sizes


class ReviewScorer:
    """One network, compiled once."""

    def __init__(self, model: keras.Model) -> None:
        """Nothing is compiled before the first review."""
        self.model = model
        self._parts = parts_side_by_side()
        number, numbers = tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.int64)
        self._read = tf.function(self._logits, input_signature=[number, numbers, numbers, numbers])

    def logits(self, tokens: Tokens, check_stop: Callable[[], None] = lambda: None) -> NDArray[np.float32]:
        """What the sigmoid is applied to, for every review: above 0 is rather positive.

        Args:
            tokens: the reviews.
            check_stop: called before each batch; may raise.
        """
        memory = TokensInMemory(tokens)
        logits = np.empty(len(tokens), np.float32)
        # Long ones first: a batch has reviews of like length, and what needs most memory fails at once.
        order = np.argsort(-tokens.sizes, kind="stable")
        first = 0
        while first < len(order):
            check_stop()
            rows = BATCH
            while rows > self._parts and rows * int(tokens.sizes[order[first]]) > BATCH_TOKENS:
                rows //= 2
            batch = order[first : first + rows]
            # Filled up, since each size of a batch is compiled by itself.
            whole = np.pad(batch, (0, rows - len(batch)), mode="edge")
            read = self._read(memory.numbers, memory.begins, memory.sizes, whole)
            logits[batch] = read.numpy()[: len(batch)]
            first += len(batch)
        return logits

    def _logits(self, numbers: Any, begins: Any, sizes: Any, reviews: Any) -> Any:
        parts = tf.split(reviews, self._parts)
        return tf.concat(
            [logits_of(self.model, *padded(numbers, begins, sizes, part)) for part in parts], axis=0
        )


def probabilities_of(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """The probability that a review is positive, to the seven digits that files hold."""
    rounded: NDArray[np.float64] = np.round((1 + np.tanh(logits.astype(np.float64) / 2)) / 2, 7)
    return rounded


def cross_entropy(labels: NDArray[np.uint8], logits: NDArray[np.float32]) -> float:
    """The mean of -log of the probability that was given to what is true, in nats."""
    signed = np.where(labels == 1, -logits, logits)
    return float(np.logaddexp(0, signed, dtype=np.float64).mean())
