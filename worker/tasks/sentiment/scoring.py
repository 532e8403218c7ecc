"""Scores tokenised reviews with a network, as fast as the machine can."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.tasks.sentiment.network import logits_of
from worker.tasks.sentiment.tokens import ALIGNMENT, Tokens
from worker.tasks.sentiment.vocabulary import PADDING
from worker.training.cpu_parallel import parallel_parts

BATCH = 128
"""Reviews in one batch: the default of training jobs, so that their compiled functions serve here as well."""

BATCH_TOKENS = 100_000
"""Most tokens in one batch, or else it is halved. So many take a fraction of a second."""

CALL_TOKENS = 300_000
"""Tokens of the batches that one call computes, about: half a second between two looks at a stop."""


class TokensInMemory:
    """Tokenised reviews as tensors, from which a compiled function takes what it needs.

    Attributes:
        ids: int32, the tokens of all reviews.
        begins: int64, where each review begins in `ids`.
        sizes: int64, how many tokens each has.
    """

    def __init__(self, tokens: Tokens) -> None:
        """Share the memory of the tokens where possible; they must not change any more."""
        self.ids = _shared(tokens.ids)
        self.begins = tf.constant(tokens.offsets[:-1])
        self.sizes = tf.constant(tokens.sizes)


def _shared(ids: NDArray[np.int32]) -> Any:
    """A tensor of these ids, which must not change any more: no copy of them if they are aligned.

    `tf.constant` makes two copies, and frees the first one at the next step. A tensor that is not aligned
    would end the process.
    """
    if ids.ctypes.data % ALIGNMENT:
        return tf.constant(ids)
    return tf.experimental.dlpack.from_dlpack(ids.__dlpack__())


def padded(ids: Any, begins: Any, sizes: Any, reviews: Any) -> tuple[Any, Any]:
    """Gather some reviews into one array.

    Args:
        ids: (all tokens,), int32.
        begins: (all reviews,), int64, as in `TokensInMemory`.
        sizes: (all reviews,), int64.
        reviews: (batch,), int64, which ones.

    Returns:
        Tokens (batch, time), padded on the right, and their sizes (batch,).
    """
    begins, sizes = tf.gather(begins, reviews), tf.gather(sizes, reviews)
    steps = tf.range(tf.reduce_max(sizes))
    inside = steps < sizes[:, tf.newaxis]
    places = tf.where(inside, begins[:, tf.newaxis] + steps, 0)
    return tf.where(inside, tf.gather(ids, places), PADDING), sizes


class ReviewScorer:
    """One network, compiled once."""

    def __init__(self, model: keras.Model) -> None:
        """Nothing is compiled before the first review.

        Args:
            model: from `worker.tasks.sentiment.network.build_sentiment`.
        """
        self.model = model
        self._parts = parallel_parts()
        ids, indices = tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.int64)
        batches = tf.TensorSpec([None, None], tf.int64)
        self._compiled = tf.function(
            self._logits, input_signature=[ids, indices, indices, batches], autograph=False
        )

    def logits(self, tokens: Tokens, check_stop: Callable[[], None] = lambda: None) -> NDArray[np.float32]:
        """Compute what the sigmoid is applied to, for every review.

        Args:
            tokens: the reviews.
            check_stop: called before each batch; may raise.

        Returns:
            (reviews,): log-odds of `positive`, above 0 where positive is the likelier.
        """
        memory = TokensInMemory(tokens)
        logits = np.empty(len(tokens), np.float32)
        # Long ones first: a batch has reviews of similar length, and what needs most memory fails at once.
        order = np.argsort(-tokens.sizes, kind="stable")
        first = 0
        while first < len(order):
            check_stop()
            rows, longest = BATCH, int(tokens.sizes[order[first]])
            while rows > self._parts and rows * longest > BATCH_TOKENS:
                rows //= 2
            some = order[first : first + rows * max(1, CALL_TOKENS // (rows * longest))]
            # Filled up, since each batch size is compiled by itself.
            batches = np.pad(some, (0, -len(some) % rows), mode="edge").reshape(-1, rows)
            scored = self._compiled(memory.ids, memory.begins, memory.sizes, batches)
            logits[some] = scored.numpy().reshape(-1)[: len(some)]
            first += len(some)
        return logits

    def _logits(self, ids: Any, begins: Any, sizes: Any, batches: Any) -> Any:
        """The logits of batches of reviews (batches, rows), whose parts go their ways without waiting."""
        memory = ids, begins, sizes
        parts = [self._logits_of_part(memory, part) for part in tf.split(batches, self._parts, axis=1)]
        return tf.concat(parts, axis=1)

    def _logits_of_part(self, memory: tuple[Any, Any, Any], batches: Any) -> Any:
        def score(place: Any, scored: Any) -> Any:
            tokens, sizes = padded(*memory, batches[place])
            return place + 1, scored.write(place, logits_of(self.model, tokens, sizes, learns=False))

        count = tf.shape(batches)[0]
        scored = tf.TensorArray(tf.float32, count, element_shape=(None,))
        _, scored = tf.while_loop(lambda place, _: place < count, score, (0, scored), parallel_iterations=1)
        return scored.stack()


def probabilities_of(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Convert logits into probabilities of positive, to the seven digits that files hold.

    Args:
        logits: (reviews,).

    Returns:
        (reviews,), in [0, 1].
    """
    rounded: NDArray[np.float64] = np.round((1 + np.tanh(logits.astype(np.float64) / 2)) / 2, 7)
    return rounded


def cross_entropy(labels: NDArray[np.uint8], logits: NDArray[np.float32]) -> float:
    """Compute the mean of minus the logarithm of the true label's probability.

    Args:
        labels: (reviews,), 1 for positive.
        logits: (reviews,).

    Returns:
        Nats per review.
    """
    signed = np.where(labels == 1, -logits, logits)
    return float(np.logaddexp(0, signed, dtype=np.float64).mean())
