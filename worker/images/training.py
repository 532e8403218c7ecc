"""Trains the network of the image models, with or without noise in its input."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from worker.images.network import logits_of
from worker.images.pixels import PIXELS, Pixels
from worker.training.adam import Adam
from worker.training.cpu_parallel import equal_parts

VALIDATION_SHARE = 0.05
MOST_VALIDATION_IMAGES = 10_000

WARM_UP_STEPS, WARM_UP_EPOCHS = 200, 2
"""Whichever is over first: of 4,000 images, with 15 steps in an epoch, the first 13 epochs would be warm-up
otherwise. With two, their validation loss after five epochs is a fifth lower (0.234 instead of 0.290 nats per
pixel), and after sixty as low, give or take the seed."""

DECAY_STEPS = 1_000

NOISE_IMAGES = 10_240
"""Images of noise in an epoch; each training image gets a random one of them, so that of 57,000 images five
or six share one. Their 8 million normals are drawn once, since drawing takes as long as training; each epoch
shifts them by a random number of pixels, and so has images of noise that no other epoch has. Without the
shift the network learns them: it is 0.2 dB better on noise it was trained on than on new noise, and 0.1 dB
worse on the latter."""

NOISE_STREAM, EPOCH_STREAM, SAMPLE_STREAM = 1, 2, 3
"""What follows the seed of numpy's generator. Never 0: numpy pads seeds with zeros, so that [seed, 0] is the
stream of [seed], and test images would get the very noise that was trained on."""

MEASURED_AT_ONCE = 500
"""Images whose loss is computed at once, which takes some twenty bytes for each of their pixels."""

WATCHED_IMAGES = 100
"""Images whose loss is followed within an epoch: in a three-hundredth of the time that an epoch takes."""

traced_as_it_is = tf.autograph.experimental.do_not_convert
"""For functions whose Python depends on no tensor: to rewrite them first would take as long as compiling."""

CHUNK_IMAGES = 16_384
CHUNK_STEPS = 256
"""The most images and steps in one call: a fraction of a second."""


class WarmUpThenDecay(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """A learning rate that rises at first and then falls with the square root of the steps made.

    `learning_rate · min(1, (step + 1) / warm_up) / √(1 + step / 1000)`, after "Attention Is All You Need",
    section 5.3 (https://arxiv.org/abs/1706.03762). Without the rise, the first steps
    leave some of the 32 code units dead where the input is noisy; without the fall, the network ends slightly
    worse. The rate does not depend on the number of epochs: five and five more are ten.
    """

    def __init__(self, learning_rate: float, warm_up: int = WARM_UP_STEPS) -> None:
        """Make a variable of the rate, so that it can change.

        Args:
            learning_rate: the highest one, at the end of the rise.
            warm_up: steps of the rise.
        """
        self.learning_rate = tf.Variable(learning_rate, dtype=tf.float32)
        self._warm_up = warm_up

    def __call__(self, step: Any) -> Any:
        """Return the rate for a step counted from 0."""
        return self._rate(self.learning_rate, tf.cast(step, tf.float32), tf.minimum, tf.math.rsqrt)

    def at(self, step: int) -> float:
        """Compute the rate for a step without TensorFlow, which takes longer than a small epoch."""
        rate = self._rate(float(self.learning_rate), step, min, lambda value: value**-0.5)
        return float(f"{rate:.7g}")

    def _rate(
        self,
        highest: Any,
        made: Any,
        minimum: Callable[[float, Any], Any],
        reciprocal_root: Callable[[Any], Any],
    ) -> Any:
        rise = minimum(1.0, (made + 1) / self._warm_up)
        return highest * rise * reciprocal_root(1 + made / DECAY_STEPS)


class ImageTrainable:
    """A Trainable: binary cross-entropy between the network's output for noisy images and the clean images.

    Each epoch has its own order of the images. Its last batch is filled up with the first images of that
    order, so all batches have one size. Five percent of the images, chosen at random (the data may be
    sorted) but always the same ones, are for validation and never trained on.

    Made for speed: the images stay in memory as bytes, many steps are one call, and on a CPU the two halves
    of a batch are computed in parallel, each as one XLA program, which computes no loss, since its derivative
    is known. A test makes the same steps with Keras' own `train_on_batch`.

    Attributes:
        model: the network that is trained.
        batch_size: images in one step.
        steps: in one epoch.
        chunk: the most steps in one call.
        noise_images: float32 (10,240, 784), standard normals of the current epoch; (0, 784) without noise.
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
            batch_size: images in one step; all training images where there are fewer.
            learning_rate: Adam's highest step size.
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
        self._schedule = WarmUpThenDecay(learning_rate, min(WARM_UP_STEPS, WARM_UP_EPOCHS * self.steps))
        self._optimizer = Adam(model.trainable_variables, self._schedule)

        self._parts = equal_parts(self.batch_size)
        self._of_part = tf.function(self._gradients, jit_compile=True)
        rows = tf.TensorSpec([self.steps, self.batch_size], tf.int32)
        noise_images = tf.TensorSpec([None, PIXELS], tf.float32)
        indices, step = tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int32)
        self._run_steps = tf.function(self._steps, input_signature=[rows, rows, noise_images, step, step])
        self._losses = tf.function(self._mean_losses, input_signature=[indices, noise_images] * 2)
        self._loss_of_few = tf.function(self._loss_at_once, input_signature=[indices, noise_images])
        self._draw_fixed_noise(seed)

    def restart(self, weights: list[NDArray[np.float32]], seed: int, learning_rate: float) -> None:
        """Start another training run, as a new object would.

        Args:
            weights: initial ones, in the order of `model.get_weights()`.
            seed: of order and noise.
            learning_rate: Adam's highest step size.
        """
        self.model.set_weights(weights)
        self._schedule.learning_rate.assign(learning_rate)
        self._optimizer.restart()
        self._draw_fixed_noise(seed)

    def _draw_fixed_noise(self, seed: int) -> None:
        """Draw what depends on the seed but not on the epoch."""
        self._seed = seed
        self.noise_images, self._shift = self._normals(NOISE_IMAGES, NOISE_STREAM), 0
        count = len(self._validation)
        spread = self._training[np.linspace(0, len(self._training) - 1, count).astype(int)]
        self._measured = {
            "loss": (tf.constant(spread, tf.int32), self._normals(count, SAMPLE_STREAM, 1)),
            "validation_loss": (
                tf.constant(self._validation, tf.int32),
                self._normals(count, SAMPLE_STREAM, 2),
            ),
        }
        places, noise_images = self._measured["loss"]
        self._watched = places[:WATCHED_IMAGES], noise_images[:WATCHED_IMAGES]

    def _normals(self, images: int, *stream: int) -> Any:
        """Images of noise float32 (images, 784); (0, 784) where none is added."""
        shape = (images if self._noise else 0, PIXELS)
        return tf.constant(np.random.default_rng([self._seed, *stream]).standard_normal(shape, np.float32))

    def variables(self) -> list[Any]:
        """Return the weights, then Adam's step count and moments."""
        return [*self.model.variables, *self._optimizer.variables]

    def begin_epoch(self, epoch: int) -> None:
        """Draw the order of the images and the noise of each of them, for an epoch counted from 0."""
        rng = np.random.default_rng([self._seed, EPOCH_STREAM, epoch])
        shape = (self.steps, self.batch_size)
        order = self._training[rng.permutation(len(self._training))]
        self._order = tf.constant(np.resize(order, shape), tf.int32)
        self._noise_order = tf.constant(rng.integers(NOISE_IMAGES, size=shape), tf.int32)
        shift = int(rng.integers(NOISE_IMAGES * PIXELS))
        # From where the previous epoch left them, so that they are in memory only once.
        pixels = tf.roll(tf.reshape(self.noise_images, [-1]), shift - self._shift, axis=0)
        self.noise_images, self._shift = tf.reshape(pixels, (-1, PIXELS)), shift

    def make_steps(self, first: int, count: int) -> None:
        """Make steps `first` to `first + count - 1` of the current epoch."""
        self._run_steps(self._order, self._noise_order, self.noise_images, first, first + count)

    @property
    def learning_rate(self) -> float:
        """That of the latest step; it changes from step to step."""
        return self._schedule.at(max(0, int(self._optimizer.iterations) - 1))

    def recent_loss(self, since: int, step: int, total: float) -> tuple[float, float]:  # noqa: ARG002
        """Compute the present loss on a few fixed training images, with fixed noise; a step computes none."""
        return float(self._loss_of_few(*self._watched)), 0.0

    def measure(self) -> dict[str, float]:
        """Compute the loss on fixed training images and on the validation images, with fixed noise.

        Returns:
            `loss` and `validation_loss`: binary cross-entropy, nats per pixel.
        """
        losses = self._losses(*(each for sample in self._measured.values() for each in sample))
        return dict(zip(self._measured, map(float, losses), strict=True))

    def batch(self, step: int) -> tuple[Any, Any]:
        """Return input and target of a step of the current epoch, each float32 (batch, 784) in [0, 1]."""
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

    @traced_as_it_is  # type: ignore[untyped-decorator]
    def _learn(self, rows: Any, noise_rows: Any, noise_images: Any) -> None:
        halves = zip(tf.split(rows, self._parts), tf.split(noise_rows, self._parts), strict=True)
        gradients = [self._of_part(*half, noise_images) for half in halves]
        self._optimizer.apply([tf.add_n(of_weight) for of_weight in zip(*gradients, strict=True)])

    @traced_as_it_is  # type: ignore[untyped-decorator]
    def _gradients(self, rows: Any, noise_rows: Any, noise_images: Any) -> Any:
        """The gradients of the batch's loss, as far as they come from a part of the batch."""
        noisy, clean = self._pair(rows, noise_rows, noise_images)
        with tf.GradientTape() as tape:
            logits = logits_of(self.model, noisy)
        slope = (tf.sigmoid(logits) - clean) / (self.batch_size * PIXELS)  # of the loss, by the logits
        weights = [weight.value for weight in self.model.trainable_variables]
        return tape.gradient(logits, weights, output_gradients=slope)

    def _mean_losses(self, seen: Any, seen_noise: Any, validation: Any, validation_noise: Any) -> Any:
        # In one function, so that a CPU computes them in parallel.
        return self._mean_loss(seen, seen_noise), self._mean_loss(validation, validation_noise)

    def _mean_loss(self, order: Any, noise_images: Any) -> Any:
        total = tf.constant(0.0)
        for first in tf.range(0, tf.size(order), MEASURED_AT_ONCE):
            places = tf.range(first, tf.minimum(first + MEASURED_AT_ONCE, tf.size(order)))
            total += tf.reduce_sum(self._image_losses(tf.gather(order, places), places, noise_images))
        return total / tf.cast(tf.size(order), tf.float32)

    @traced_as_it_is  # type: ignore[untyped-decorator]
    def _loss_at_once(self, order: Any, noise_images: Any) -> Any:
        return tf.reduce_mean(self._image_losses(order, tf.range(tf.size(order)), noise_images))

    @traced_as_it_is  # type: ignore[untyped-decorator]
    def _image_losses(self, order: Any, noise_order: Any, noise_images: Any) -> Any:
        noisy, clean = self._pair(order, noise_order, noise_images)
        nats = tf.nn.sigmoid_cross_entropy_with_logits(clean, logits_of(self.model, noisy))
        return tf.reduce_mean(nats, axis=1)


def held_out_for_validation(images: int) -> NDArray[np.bool_]:
    """Choose the images that are not trained on.

    Args:
        images: how many there are, at least two.

    Returns:
        bool (images,), at least one of them true, always the same for the same number.
    """
    count = max(1, min(round(VALIDATION_SHARE * images), MOST_VALIDATION_IMAGES))
    held_out = np.zeros(images, np.bool_)
    held_out[np.random.default_rng(0).permutation(images)[:count]] = True
    return held_out
