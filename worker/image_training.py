"""Train the network of both image models; a denoiser is one whose input gets noise first."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.data.pixels import Pixels
from worker.models.autoencoder import PIXELS, logits_of
from worker.training import restart_optimizer

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

MEASURED_AT_ONCE = 1_500
"""Images whose loss is computed in one call: it needs some twenty bytes for each of their pixels."""

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

    Made for speed: the images stay in memory as bytes, and many steps are one XLA program, in
    which no loss is computed: its derivative is known. The steps are Keras' own, with Keras' Adam.
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
        self._optimizer = keras.optimizers.Adam(WarmUpThenDecay(learning_rate))
        self._optimizer.build(model.trainable_variables)

        rows = tf.TensorSpec([self.steps, self.batch_size], tf.int32)
        noise_images = tf.TensorSpec([None, PIXELS], tf.float32)
        numbers, number = tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)
        self._run_steps = tf.function(
            self._steps, input_signature=[rows, rows, noise_images, number, number], jit_compile=True
        )
        self._loss = tf.function(self._binary_cross_entropy, input_signature=[numbers, numbers, noise_images])
        self._sow(seed)

    def restart(self, weights: list[NDArray[np.float32]], seed: int) -> None:
        """Begin a training with these weights and this seed, as a new object would."""
        self.model.set_weights(weights)
        restart_optimizer(self._optimizer)
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
        return {name: self._mean_loss(*sample) for name, sample in self._measured.items()}

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
        step = first
        # Not `for step in tf.range(first, last)`: XLA would compile anew for each `first` and `last`.
        while step < last:
            # Nor `order[step]`, for the same reason.
            rows, noise_rows = tf.gather(order, step), tf.gather(noise_order, step)
            self._learn(*self._pair(rows, noise_rows, noise_images))
            step += 1

    def _learn(self, noisy: Any, clean: Any) -> None:
        weights = self.model.trainable_variables
        with tf.GradientTape() as tape:
            logits = logits_of(self.model, noisy)
        slope = (tf.sigmoid(logits) - clean) / (self.batch_size * PIXELS)  # of the loss, by the logits
        gradients = tape.gradient(logits, [weight.value for weight in weights], output_gradients=slope)
        self._optimizer.apply(gradients, weights)

    def _mean_loss(self, order: NDArray[np.int64], noise_images: Any) -> float:
        total = 0.0
        for first in range(0, len(order), MEASURED_AT_ONCE):
            rows = order[first : first + MEASURED_AT_ONCE]
            total += float(self._loss(rows, np.arange(first, first + len(rows)), noise_images)) * len(rows)
        return total / len(order)

    def _binary_cross_entropy(self, order: Any, noise_order: Any, noise_images: Any) -> Any:
        noisy, clean = self._pair(order, noise_order, noise_images)
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(clean, logits_of(self.model, noisy)))


def held_out_for_validation(images: int) -> NDArray[np.bool_]:
    """Pick the images that are not trained on: bool (images,), at least one of them true."""
    count = max(1, min(round(VALIDATION_SHARE * images), MOST_VALIDATION_IMAGES))
    held_out = np.zeros(images, np.bool_)
    held_out[np.random.default_rng(0).permutation(images)[:count]] = True
    return held_out
