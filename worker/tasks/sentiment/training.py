"""Trains the network that judges reviews: batches of similar length, split into parallel parts."""

import hashlib
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.tasks.sentiment.loss_reviews import loss_reviews
from worker.tasks.sentiment.network import logits_of
from worker.tasks.sentiment.scoring import ReviewScorer, TokensInMemory, cross_entropy, padded
from worker.tasks.sentiment.tokens import Tokens
from worker.training.adam import Adam
from worker.training.cpu_parallel import parallel_parts
from worker.training.weight_average import update_averages

CHUNK_TOKENS = 300_000
"""In one call: a quarter of a second on two cores, so that a stop is noticed."""

BATCHES_SORTED = 50
"""Reviews are drawn at random for so many batches at once, and sorted by length among themselves."""

FEWEST_TO_SPLIT = 32
"""Reviews in a batch that is worth splitting into parts."""

LONGEST_AVERAGE = 0.99
"""What the weights' average keeps of itself in a step, at most: it goes back some 100 steps."""


class ReviewTraining:
    """A Trainable: binary cross-entropy by Adam, every review once in an epoch.

    The order of an epoch is a function of the seed and the epoch. Batches are as equal in size as possible,
    so that none is tiny. The weights that learn fluctuate with each batch; `model` gets their moving
    average over the last ninth of the steps (Polyak and Juditsky, 1992, https://doi.org/10.1137/0330046),
    which made fewer errors on validation reviews than any of them: 0.264 instead of 0.289 nats.

    Attributes:
        model: with the averaged weights.
        learner: the same network with the weights that learn.
        steps: in one epoch.
        chunk: steps in one call.
        learning_rate: Adam's.
        loss_reviews: the training reviews whose loss is measured, as indices.
        fingerprint: of all token ids, and of which reviews train and validate; weights that learned with
            others mean nothing here.
    """

    def __init__(
        self,
        model: keras.Model,
        tokens: Tokens,
        labels: NDArray[np.uint8],
        training: NDArray[np.int64],
        validation: NDArray[np.int64],
        *,
        batch_size: int,
        learning_rate: float,
        seed: int,
    ) -> None:
        """Nothing is compiled before the first step.

        Args:
            model: from `worker.tasks.sentiment.network.build_sentiment`, with the initial weights.
            tokens: all reviews.
            labels: (all reviews,), 1 for positive.
            training: the reviews to learn from, as indices.
            validation: those to validate with.
            batch_size: most reviews in one step.
            learning_rate: Adam's.
            seed: of the order of the reviews.
        """
        self.model, self._batch_size, self._all_labels = model, batch_size, labels
        self.learning_rate = learning_rate
        self._fingerprint = tf.Variable(0, dtype=tf.int64)
        self._take(tokens, training, validation, seed)
        is_split = min(batch_size, len(training)) >= FEWEST_TO_SPLIT
        self._parts = parallel_parts() if is_split else 1

        self.learner = keras.models.clone_model(model)
        self.learner.set_weights(model.get_weights())
        self._optimizer = Adam(self.learner.trainable_variables, learning_rate)
        self._loss = tf.Variable(0.0, dtype=tf.float64)
        self._scorer = ReviewScorer(model)
        self._labels = tf.constant(labels.astype(np.float32))
        ids, number = tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)
        indices = [tf.TensorSpec([None], tf.int64)] * 4
        self._run_steps = tf.function(self._steps, input_signature=[ids, *indices, number, number])

    def restart(
        self,
        weights: list[NDArray[np.float32]],
        tokens: Tokens,
        training: NDArray[np.int64],
        validation: NDArray[np.int64],
        *,
        seed: int,
        learning_rate: float,
    ) -> None:
        """Start another training run, as a new object would.

        Args:
            weights: the initial ones, in the order of the model.
            tokens: all reviews, the same as before but for the vocabulary.
            training: the reviews to learn from, as indices.
            validation: those to validate with.
            seed: of the order.
            learning_rate: Adam's.
        """
        self.model.set_weights(weights)
        self.learner.set_weights(weights)
        self._optimizer.restart(learning_rate)
        self.learning_rate = learning_rate
        self._take(tokens, training, validation, seed)

    def _take(
        self, tokens: Tokens, training: NDArray[np.int64], validation: NDArray[np.int64], seed: int
    ) -> None:
        self._seed = seed
        self._memory, sizes = TokensInMemory(tokens), tokens.sizes
        self.fingerprint = _fingerprint(tokens.ids, training, validation)
        self._fingerprint.assign(self.fingerprint)
        self._training, self._training_sizes = training, sizes[training]
        self.loss_reviews = loss_reviews(training, len(validation), seed)
        self._measured = [
            (self._all_labels[places], tokens.taken(places)) for places in (self.loss_reviews, validation)
        ]
        self.steps = -(-len(training) // self._batch_size)
        largest = min(self._batch_size, len(training)) * int(self._training_sizes.max())
        self.chunk = max(1, CHUNK_TOKENS // largest)

    def variables(self) -> list[Any]:
        """The weights that learn, their average, Adam's state, the epoch's loss so far, the fingerprint."""
        models = [*self.learner.weights, *self.model.weights]
        return [*models, *self._optimizer.variables, self._loss, self._fingerprint]

    def begin_epoch(self, epoch: int) -> None:
        """Draw the order of an epoch, counted from 0: batches of similar length, in random order."""
        rng = np.random.default_rng([self._seed, epoch, 2])
        drawn = rng.permutation(len(self._training))
        together = BATCHES_SORTED * self._batch_size
        for first in range(0, len(drawn), together):
            some = drawn[first : first + together]
            drawn[first : first + together] = some[np.argsort(self._training_sizes[some], kind="stable")]
        batches = np.array_split(self._training[drawn], self.steps)
        batches = [batches[place] for place in rng.permutation(self.steps)]
        self._order = tf.constant(np.concatenate(batches))
        self._bounds = np.cumsum([0, *map(len, batches)])

    def make_steps(self, first: int, count: int) -> None:
        """Make steps `first` to `first + count - 1` of the current epoch."""
        if first == 0:
            self._loss.assign(0.0)
        memory, bounds = self._memory, tf.constant(self._bounds)
        self._run_steps(memory.ids, memory.begins, memory.sizes, self._order, bounds, first, count)

    def recent_loss(self, since: int, step: int, total: float) -> tuple[float, float]:
        """Return the mean loss of the steps after `since`, as it was before each, and the sum so far."""
        summed = float(self._loss)
        return (summed - total) / float(self._bounds[step] - self._bounds[since]), summed

    def measure(self) -> dict[str, float]:
        """Cross-entropy of `model` in nats, on the loss reviews and on validation, and its accuracy there."""
        (learned, learned_logits), (labels, logits) = (
            (labels, self._scorer.logits(tokens)) for labels, tokens in self._measured
        )
        return {
            "loss": cross_entropy(learned, learned_logits),
            "validation_loss": cross_entropy(labels, logits),
            "validation_accuracy": float(((logits >= 0) == labels).mean()),
        }

    def validate(self) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Labels of the validation reviews, and the logits that `model` gives them now."""
        labels, tokens = self._measured[1]
        return labels, self._scorer.logits(tokens)

    def _steps(
        self, ids: Any, begins: Any, sizes: Any, order: Any, bounds: Any, first: Any, count: Any
    ) -> None:
        largest = tf.reduce_max(bounds[1:] - bounds[:-1])
        # All parts of all batches get one size, since each size is compiled by itself.
        room = -(-largest // self._parts) * self._parts
        for step in tf.range(first, first + count):
            self._learn((ids, begins, sizes), order[bounds[step] : bounds[step + 1]], room)

    def _learn(self, memory: tuple[Any, Any, Any], reviews: Any, room: Any) -> None:
        """Make one step with these reviews, filled up to `room` with reviews that do not count."""
        weights = self.learner.trainable_variables
        size = tf.size(reviews, tf.int64)
        counts = tf.split(tf.sequence_mask(size, room, tf.float32), self._parts)
        filled = tf.split(tf.concat([reviews, tf.repeat(reviews[-1:], room - size)], axis=0), self._parts)
        with tf.GradientTape() as tape:
            nats = []
            for chosen, counted in zip(filled, counts, strict=True):
                tokens, sizes = padded(*memory, chosen)
                logits = logits_of(self.learner, tokens, sizes)
                labels = tf.gather(self._labels, chosen)
                losses = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
                nats.append(tf.reduce_sum(counted * losses))
            total = tf.add_n(nats)
            loss = total / tf.cast(size, tf.float32)
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        self._optimizer.apply(gradients)
        self._loss.assign_add(tf.cast(total, tf.float64))
        update_averages(self.model.trainable_variables, weights, self._optimizer.iterations, LONGEST_AVERAGE)


def _fingerprint(*arrays: NDArray[np.int32] | NDArray[np.int64]) -> int:
    digest = hashlib.blake2b(digest_size=8)
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return int.from_bytes(digest.digest(), signed=True)
