"""Train the network of both image models; a denoiser is one whose input gets noise first."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.adam import Adam
from worker.data.pixels import Pixels
from worker.models.autoencoder import PIXELS, logits_of
from worker.side_by_side import equal_parts

VALIDATION_SHARE = 0.05
MOST_VALIDATION_IMAGES = 10_000

WARM_UP_STEPS = 200
DECAY_STEPS = 1_000

NOISE_IMAGES = 10_240
"""Images of noise in an epoch, one of which each training image gets at random. Their 8 million normals
are drawn once, for drawing takes as long as training; each epoch shifts them by a random number of
pixels, and so has images of noise that no other epoch has. Without the shift the network learns them: it
is 0.2 dB better on noise it was trained on than on new noise, and 0.1 dB worse on that."""

NOISE_STREAM, EPOCH_STREAM, SAMPLE_STREAM = 1, 2, 3
"""What follows the seed of numpy's generator. Never 0: numpy fills seeds up with zeros, so that [seed, 0]
is the stream of [seed], and test images would get the very noise that was trained on."""

MEASURED_AT_ONCE = 500
"""Images whose loss is computed at once: it needs some twenty bytes for each of their pixels."""

CHUNK_IMAGES = 16_384
CHUNK_STEPS = 256
"""The most images and steps in one call: a small part of a second."""


class WarmUpThenDecay(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A learning rate that rises for 200 steps and then falls with the root of the steps made.

    `learning_rate · min(1, (step + 1) / 200) / √(1 + step / 1000)`, after "Attention Is All You Need",
    section 5.3 (https://arxiv.org/abs/1706.03762). Without the rise, the first steps leave some of a
    denoiser's 32 code units dead; without the fall, the last bit of quality is not reached. It does not
    depend on the number of epochs: five and five more are ten.
    """

    def __init__(self, learning_rate: float) -> None:
        """`learning_rate` is the highest, at the end of the rise."""
        self.learning_rate = learning_rate

    def __call__(self, step: Any) -> Any:
        """The rate for a step counted from 0."""
        made = tf.cast(step, tf.float32)
        rise = tf.minimum(1.0, (made + 1) / WARM_UP_STEPS)
        return self.learning_rate * rise * tf.math.rsqrt(1 + made / DECAY_STEPS)

    def get_config(self) -> dict[str, float]:
        """What Keras writes into a saved optimizer."""
        return {"learning_rate": self.learning_rate}


class ImageTraining:
    """A Trainable: binary cross-entropy between what the network makes of noisy images and clean ones.

    Each epoch has its own order of the images. Its last batch is filled up with the first ones of
    that order, so every batch has one size. Five in a hundred images, picked at random but always
    the same, since the data may be sorted, are for validation and never trained on.

    Made for speed: the images stay in memory as bytes, many steps are one call, and on a CPU the two halves
    of a batch are computed side by side, each as one XLA program, in which no loss is computed: its
    derivative is known.
    """

    def __init__(
        self,
        model: keras.Model,
        images: Pixels,
        *,
        noise: float,
        batch_size: int,
        learning_rate: float,
        seed: int,
    ) -> None:
        """Nothing is compiled before the first step.

        Args:
            model: as built by `build_autoencoder`.
            images: uint8 (n, 28, 28), 0 to 255, at least two.
            noise: standard deviation of the Gaussian noise, pixels being in [0, 1].
            batch_size: images in one step, fewer where there are not as many.
            learning_rate: Adam's highest.
            seed: of order and noise.
        """
        self.model = model
        self._noise = noise
        held_out = held_out_for_validation(len(images))
        self._training, self._validation = np.flatnonzero(~held_out), np.flatnonzero(held_out)
        self.batch_size = min(batch_size, len(self._training))
        self.steps = -(-len(self._training) // self.batch_size)
        self.chunk = max(1, min(CHUNK_STEPS, CHUNK_IMAGES // self.batch_size))

        self._pixels = tf.constant(images.reshape(len(images), PIXELS))
        self._optimizer = Adam(model.trainable_variables, WarmUpThenDecay(learning_rate))

        self._parts = equal_parts(self.batch_size)
        self._of_part = tf.function(self._gradients, jit_compile=True)
        rows = tf.TensorSpec([self.steps, self.batch_size], tf.int32)
        noise_images = tf.TensorSpec([None, PIXELS], tf.float32)
        numbers, number = tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)
        self._run_steps = tf.function(self._steps, input_signature=[rows, rows, noise_images, number, number])
        self._losses = tf.function(self._mean_losses, input_signature=[numbers, noise_images] * 2)
        self._sow(seed)

    def restart(self, weights: list[NDArray[np.float32]], seed: int) -> None:
        """Begin a training with these weights and this seed, as a new object would."""
        self.model.set_weights(weights)
        self._optimizer.restart()
        self._sow(seed)

    def _sow(self, seed: int) -> None:
        """Draw what depends on the seed and on no epoch."""
        self._seed = seed
        self.noise_images, self._shift = self._normals(NOISE_IMAGES, NOISE_STREAM), 0
        count = len(self._validation)
        spread = self._training[np.linspace(0, len(self._training) - 1, count).astype(int)]
        self._measured = {
            "loss": (spread, self._normals(count, SAMPLE_STREAM, 1)),
            "validation_loss": (self._validation, self._normals(count, SAMPLE_STREAM, 2)),
        }

    def _normals(self, images: int, *stream: int) -> Any:
        """Images of noise (images, 784), or none at all where none is added."""
        shape = (images if self._noise else 0, PIXELS)
        return tf.constant(np.random.default_rng([self._seed, *stream]).standard_normal(shape, np.float32))

    def variables(self) -> list[Any]:
        """Weights, then Adam's step count and moments."""
        return [*self.model.variables, *self._optimizer.variables]

    def begin_epoch(self, epoch: int) -> None:
        """Draw the order of the images, and which noise each of them gets; images of noise (10,240, 784)."""
        random = np.random.default_rng([self._seed, EPOCH_STREAM, epoch])
        shape = (self.steps, self.batch_size)
        order = self._training[random.permutation(len(self._training))]
        self._order = tf.constant(np.resize(order, shape), tf.int32)
        self._noise_order = tf.constant(random.integers(NOISE_IMAGES, size=shape), tf.int32)
        shift = int(random.integers(NOISE_IMAGES * PIXELS))
        # From where the epoch before left them, so that they are in memory once.
        pixels = tf.roll(tf.reshape(self.noise_images, [-1]), shift - self._shift, axis=0)
        self.noise_images, self._shift = tf.reshape(pixels, (-1, PIXELS)), shift

    def make_steps(self, first: int, count: int) -> None:
        """Make steps `first` to `first + count - 1` of the current epoch."""
        self._run_steps(self._order, self._noise_order, self.noise_images, first, first + count)

    def measure(self) -> dict[str, float]:
        """Binary cross-entropy on fixed training images and on the validation images, with fixed noise."""
        losses = self._losses(*(each for sample in self._measured.values() for each in sample))
        return dict(zip(self._measured, map(float, losses), strict=True))

    def batch(self, step: int) -> tuple[Any, Any]:
        """Input and target of a step of the current epoch, each float32 (batch, 784) in [0, 1]."""
        return self._pair(self._order[step], self._noise_order[step], self.noise_images)

    def _pair(self, order: Any, noise_order: Any, noise_images: Any) -> tuple[Any, Any]:
        clean = tf.cast(tf.gather(self._pixels, order), tf.float32) / 255.0
        if not self._noise:
            return clean, clean
        noise = self._noise * tf.gather(noise_images, noise_order)
        return tf.clip_by_value(clean + noise, 0.0, 1.0), clean

    def _steps(self, order: Any, noise_order: Any, noise_images: Any, first: Any, last: Any) -> None:
        for step in tf.range(first, last):
            self._learn(order[step], noise_order[step], noise_images)

    def _learn(self, rows: Any, noise_rows: Any, noise_images: Any) -> None:
        halves = zip(tf.split(rows, self._parts), tf.split(noise_rows, self._parts), strict=True)
        gradients = [self._of_part(*half, noise_images) for half in halves]
        self._optimizer.apply([tf.add_n(of_weight) for of_weight in zip(*gradients, strict=True)])

    def _gradients(self, rows: Any, noise_rows: Any, noise_images: Any) -> Any:
        """What a part of a batch adds to the gradients of the batch's loss."""
        noisy, clean = self._pair(rows, noise_rows, noise_images)
        with tf.GradientTape() as tape:
            logits = logits_of(self.model, noisy)
        slope = (tf.sigmoid(logits) - clean) / (self.batch_size * PIXELS)  # of the loss, by the logits
        weights = [weight.value for weight in self.model.trainable_variables]
        return tape.gradient(logits, weights, output_gradients=slope)

    def _mean_losses(self, seen: Any, seen_noise: Any, validation: Any, validation_noise: Any) -> Any:
        # In one function, so that a CPU computes them side by side.
        return self._mean_loss(seen, seen_noise), self._mean_loss(validation, validation_noise)

    def _mean_loss(self, order: Any, noise_images: Any) -> Any:
        total = tf.constant(0.0)
        for first in tf.range(0, tf.size(order), MEASURED_AT_ONCE):
            places = tf.range(first, tf.minimum(first + MEASURED_AT_ONCE, tf.size(order)))
            noisy, clean = self._pair(tf.gather(order, places), places, noise_images)
            nats = tf.nn.sigmoid_cross_entropy_with_logits(clean, logits_of(self.model, noisy))
            total += tf.reduce_sum(tf.reduce_mean(nats, axis=1))
        return total / tf.cast(tf.size(order), tf.float32)


def held_out_for_validation(images: int) -> NDArray[np.bool_]:
    """Pick the images that are not trained on: bool (images,), at least one of them true."""
    count = max(1, min(round(VALIDATION_SHARE * images), MOST_VALIDATION_IMAGES))
    held_out = np.zeros(images, np.bool_)
    held_out[np.random.default_rng(0).permutation(images)[:count]] = True
    return held_out
