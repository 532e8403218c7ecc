"""Trains a character model on every position of a text, its state carried from window to window."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from jobs.wording import counted
from worker.context import JobContext
from worker.tasks.textgen.network import mean_nats, multiplications, zero_state
from worker.tasks.textgen.scoring import RUN_IN, Scorer
from worker.tasks.textgen.spec import Train
from worker.tasks.textgen.text import STRETCHES
from worker.tasks.textgen.vocabulary import Codes
from worker.training.adam import Adam
from worker.training.best_epoch import CRITERION, BestEpoch
from worker.training.cpu_parallel import equal_parts
from worker.training.weight_average import update_averages

CHUNK_MULTIPLICATIONS = 5e9
"""In one call, forward alone: a fraction of a second, so that a stop is noticed."""

CLIP_NORM = 1.0
"""A longer gradient, which is rare, is shortened (Pascanu et al., 2013, https://arxiv.org/abs/1211.5063)."""

DECAY_STEPS = 1_000
"""After n times as many the learning rate is divided by the square root of n + 1. On Shakespeare this reaches
in four epochs what a constant rate of 0.004 reaches in fifteen: a validation loss of 1.446 nats."""

LONGEST_AVERAGE = 0.999
"""What the weights' average keeps of itself in a step, at most: it goes back some 1,000 steps."""


def fitting_shape(characters: int, streams: int, window: int) -> tuple[int, int]:
    """Make streams and window smaller where a text has no room for them.

    Args:
        characters: of the training text, at least two.
        streams: as a person wants them.
        window: as a person wants it, in characters.

    Returns:
        Streams and window, at least 1 each.
    """
    window = min(window, characters - 1)
    return min(streams, (characters - 1) // window), window


def fit_shape(context: JobContext, parameters: Train, characters: int) -> tuple[int, int]:
    """Choose streams and window for a training text, as set if they fit.

    Args:
        context: of the job; it receives a note if they are smaller than set.
        parameters: batch size and window.
        characters: of the training text, at least two.

    Returns:
        Streams and window, at least 1 each.
    """
    streams, window = fitting_shape(characters, parameters.batch_size, parameters.window)
    if (streams, window) != (parameters.batch_size, parameters.window):
        context.note(
            f"The text is short, so it was read as {counted(streams, 'stream')} in windows of "
            f"{counted(window, 'character')}."
        )
    return streams, window


def sample_of(training: Codes, count: int) -> Codes:
    """Choose the training text whose loss is shown beside that of as much validation text.

    Args:
        training: (characters,), stretches that each follow a piece of validation text.
        count: of the validation text, (characters,).

    Returns:
        The beginnings of all stretches, (`count`,); all if there is less.
    """
    length = len(training) // STRETCHES
    each = -(-count // STRETCHES)
    if each > length:
        return training[:count]
    return training[: STRETCHES * length].reshape(STRETCHES, length)[:, :each].ravel()[:count]


def warn_of_divergence(context: JobContext, trained: BestEpoch, frequencies: float) -> None:
    """Warn of a network that has learned nothing, or that has unlearned what it had.

    Args:
        context: of the job; it receives the warning.
        trained: how the training run went.
        frequencies: nats per character of validation text by how frequent each character is.
    """
    best, last = trained.best[CRITERION], trained.history[-1][CRITERION]
    remedy = "A smaller --learning-rate or more --epochs may help."
    if best >= frequencies:
        context.warn(
            f"The network is no better than knowing how frequent each character is: it needs {best:.3f} nats "
            f"per character of validation text, and character frequencies need {frequencies:.3f}. {remedy}"
        )
    elif last >= frequencies:
        context.warn(
            f"Training diverged: after the last epoch the network needs {last:.3f} nats per character of "
            f"validation text, and character frequencies need {frequencies:.3f}. The network of epoch "
            f"{trained.best['epoch']:.0f} was saved, with {best:.3f}. {remedy}"
        )


def memory_needed(vocab_size: int, layers: int, units: int, characters: int) -> float:
    """Estimate the memory of a training step from below, weights and Adam's moments included.

    Args:
        vocab_size: distinct characters.
        layers: LSTM layers.
        units: in each of them.
        characters: in one step, over all streams.

    Returns:
        Bytes.
    """
    weights = (vocab_size + units + (layers - 1) * 2 * units) * 4 * units + units * vocab_size
    values_of_each_character = 16 * layers * units + 3 * vocab_size
    return 4.0 * (5 * weights + characters * values_of_each_character)


class TextTraining:
    """A Trainable: categorical cross-entropy of the next character, at every position.

    The text is cut into `streams` equally long streams that are read in parallel, `window` characters in
    each step. Gradients end at a window's beginning, but the state is carried until the stream ends
    (Sutskever, 2013, section 2.8.6; https://www.cs.utoronto.ca/~ilya/pubs/ilya_sutskever_phd_thesis.pdf).
    Each epoch starts a few characters later, at random, so that windows begin elsewhere.

    The learning rate falls with the steps made, and what is measured and saved is not the last step's weights
    but their moving average (Polyak and Juditsky, 1992): as good as a rate that falls to zero at the end,
    without the need to know when the end will be. Five epochs and five more are ten.

    Made for speed: the one-hot product is a look-up of the kernel's rows, many steps are one call, and on a
    CPU the two halves of a step are computed in parallel.
    """

    def __init__(
        self,
        model: keras.Model,
        training: Codes,
        validation: Codes,
        *,
        streams: int,
        window: int,
        learning_rate: float,
        seed: int,
    ) -> None:
        """Prepare; nothing is compiled before the first step.

        Args:
            model: as `worker.tasks.textgen.network.build` makes it; it receives the average of the weights.
            training: (characters,), longer than `streams` × `window`.
            validation: (characters,), at least two.
            streams: of text, read in parallel.
            window: characters in one step of one stream.
            learning_rate: Adam's in the first step.
            seed: decides where an epoch's windows begin.
        """
        self.model = model
        self.learner = keras.models.clone_model(model)
        self.learner.set_weights(model.get_weights())
        self._validation, self._sample = validation, sample_of(training, len(validation))
        self._streams, self._window, self._seed = streams, window, seed
        self._stream_length = (len(training) - 1) // streams
        self.steps = self._stream_length // window
        self._slack = len(training) - 1 - (streams - 1) * self._stream_length - self.steps * window
        self.chunk = max(1, int(CHUNK_MULTIPLICATIONS / (multiplications(model) * streams * window)))
        self._parts = equal_parts(streams)

        self._text = tf.constant(training)
        self._state = tf.Variable(zero_state(model, streams))
        self._loss = tf.Variable(0.0, dtype=tf.float64)
        # A variable, so that a run with another rate needs no function of its own.
        self._first_rate = tf.Variable(learning_rate, dtype=tf.float32)
        self._optimizer = Adam(self.learner.trainable_variables, self._rate_after, CLIP_NORM)
        self._scorer = Scorer(model)
        self._part_step = tf.function(self._loss_of)
        scalar = tf.TensorSpec([], tf.int32)
        self._run_steps = tf.function(self._steps, input_signature=[scalar] * 3)

    def restart(self, weights: list[NDArray[np.float32]], seed: int, learning_rate: float) -> None:
        """Start another training run, as a new object would.

        Args:
            weights: the initial ones, in the order of `model.get_weights()`.
            seed: decides where an epoch's windows begin.
            learning_rate: Adam's in the first step.
        """
        self.model.set_weights(weights)
        self.learner.set_weights(weights)
        self._optimizer.restart()
        self._first_rate.assign(learning_rate)
        self._seed = seed

    def variables(self) -> list[Any]:
        """Return weights, their average, Adam's variables, the streams' state, the epoch's loss so far."""
        models = [*self.learner.weights, *self.model.weights]
        return [*models, *self._optimizer.variables, self._state, self._loss]

    def begin_epoch(self, epoch: int) -> None:
        """Choose where the first window begins."""
        self._offset = int(np.random.default_rng([self._seed, epoch]).integers(self._slack + 1))

    def make_steps(self, first: int, count: int) -> None:
        """Make steps `first` to `first + count - 1` of the current epoch."""
        if first == 0:
            self._state.assign(tf.zeros_like(self._state))
            self._loss.assign(0.0)
        self._run_steps(first, count, self._offset)

    @property
    def learning_rate(self) -> float:
        """Adam's in the latest step."""
        return float(self._rate_after(max(0, int(self._optimizer.iterations) - 1)))

    def recent_loss(self, since: int, step: int, total: float) -> tuple[float, float]:
        """Return the mean nats per character of the learning weights in some steps, and of the epoch the sum.

        Args:
            since: steps of the epoch before those.
            step: steps of the epoch up to now.
            total: the sum of before.
        """
        now = float(self._loss)
        return (now - total) / (step - since), now

    def measure(self) -> dict[str, float]:
        """Return the averaged weights' nats per character: on a sample of training text, on validation."""
        return {"loss": self._mean_nats(self._sample), "validation_loss": self._mean_nats(self._validation)}

    def _mean_nats(self, codes: Codes) -> float:
        scores = self._scorer.score(codes, min(RUN_IN + 1, len(codes) // 2))
        return float(scores.nats.mean(dtype=np.float64))

    def batch(self, step: int) -> Any:
        """Return what a step of the current epoch reads, int32 (window + 1, streams)."""
        return self._codes(step, self._offset)

    def _rate_after(self, steps: Any) -> Any:
        return self._first_rate / tf.sqrt(1 + tf.cast(steps, tf.float32) / DECAY_STEPS)

    def _steps(self, first: Any, count: Any, offset: Any) -> None:
        for step in tf.range(first, first + count):
            self._learn(self._codes(step, offset))

    def _codes(self, step: Any, offset: Any) -> Any:
        begins = offset + self._stream_length * tf.range(self._streams)
        times = step * self._window + tf.range(self._window + 1)
        return tf.cast(tf.gather(self._text, times[:, tf.newaxis] + begins), tf.int32)

    def _learn(self, codes: Any) -> None:
        """Make one step with codes (window + 1, streams)."""
        weights = self.learner.trainable_variables
        parts = [
            self._part_step(part_codes, state)
            for part_codes, state in zip(
                tf.split(codes, self._parts, axis=1), tf.split(self._state, self._parts, axis=2), strict=True
            )
        ]
        losses, states, gradients = zip(*parts, strict=True)
        means = [tf.add_n(of_weight) / self._parts for of_weight in zip(*gradients, strict=True)]
        self._optimizer.apply(means)
        averages = self.model.trainable_variables
        update_averages(averages, weights, self._optimizer.iterations, LONGEST_AVERAGE)
        self._state.assign(tf.concat(states, axis=2))
        self._loss.assign_add(tf.cast(tf.add_n(losses) / self._parts, tf.float64))

    def _loss_of(self, codes: Any, state: Any) -> Any:
        """Mean nats of codes (window + 1, streams of a part), the state after them, and the gradients."""
        weights = [weight.value for weight in self.learner.trainable_variables]
        with tf.GradientTape() as tape:
            loss, state_after = mean_nats(self.learner, codes, state)
        return loss, state_after, tape.gradient(loss, weights)
