"""Several autoencoders of one shape, trained in one process: in turn, by threads, or stacked as one."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.data import arrays
from worker.engine.gpu import device
from worker.images.network import build_autoencoder
from worker.images.parameters import ImageTraining
from worker.images.pixels import PIXELS
from worker.images.training import ImageTrainable
from worker.training.adam import Adam
from worker.training.cpu_parallel import usable_processors


class Many:
    """So many networks, each with a seed of its own, and ways to train them for an epoch each."""

    def __init__(self, data: Path | str, count: int) -> None:
        """Make the networks; their first epoch, of each way, compiles."""
        device.prepare()
        images = arrays(data)["images"]
        parameters = ImageTraining()
        self._trainings = [
            ImageTrainable(
                build_autoencoder(seed),
                images,
                noise=0.0,
                batch_size=parameters.batch_size,
                learning_rate=parameters.learning_rate,
                seed=seed,
            )
            for seed in range(count)
        ]
        half = -(-count // usable_processors())
        halves = [self._trainings[first : first + half] for first in range(0, count, half)]
        self._stacks = [Stack(images, each, parameters.learning_rate) for each in halves]
        self._epochs = 0

    def in_turn(self) -> dict[str, float]:
        """Train one network after the other, as a worker does; return the `seconds` of all."""
        return self._timed(lambda: self._with_threads(1, self._train, self._trainings))

    def by_threads(self) -> dict[str, float]:
        """Train as many networks at a time as there are cores."""
        return self._timed(lambda: self._with_threads(usable_processors(), self._train, self._trainings))

    def stacked(self) -> dict[str, float]:
        """Train all networks of a core by the same operations."""
        return self._timed(lambda: self._with_threads(usable_processors(), Stack.epoch, self._stacks))

    def _with_threads(self, threads: int, work: Callable[[Any], None], items: Sequence[Any]) -> None:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, items))

    def _timed(self, work: Callable[[], object]) -> dict[str, float]:
        began = time.perf_counter()
        work()
        self._epochs += 1
        return {"seconds": time.perf_counter() - began}

    def _train(self, training: ImageTrainable) -> None:
        training.begin_epoch(self._epochs)
        for first in range(0, training.steps, training.chunk):
            training.make_steps(first, min(training.chunk, training.steps - first))


class Stack:
    """Networks whose weights are stacked: each product of matrices is one batched product.

    What one network of Quartet learns from a batch, each of these learns: no loss is computed, and Adam is
    one operation a weight. The products are TensorFlow's: XLA's own batched ones are slower on a CPU.
    """

    def __init__(self, images: Any, trainings: list[ImageTrainable], learning_rate: float) -> None:
        """Begin with the weights that the networks have."""
        self._pixels = tf.constant(images.reshape(len(images), PIXELS))
        stacks = zip(*(each.model.get_weights() for each in trainings), strict=True)
        self._weights = [Stacked(np.stack(values)) for values in stacks]
        self._adam = Adam(self._weights, learning_rate)
        self._batch, steps = trainings[0].batch_size, trainings[0].steps
        self._rng = np.random.default_rng(0)
        self._shape = (steps, len(trainings), self._batch)
        self._steps = tf.function(self._all_steps, input_signature=[tf.TensorSpec(self._shape, tf.int32)])

    def epoch(self) -> None:
        """Train all networks for an epoch, each in an order of its own."""
        self._steps(tf.constant(self._rng.integers(len(self._pixels), size=self._shape), tf.int32))

    def _all_steps(self, order: Any) -> None:
        for step in tf.range(tf.shape(order)[0]):
            self._adam.apply(self._gradients(order[step]))

    def _gradients(self, rows: Any) -> list[Any]:
        encode, encode_bias, decode, decode_bias = [weight.value for weight in self._weights]
        images = tf.cast(tf.gather(self._pixels, rows), tf.float32) / 255.0
        before = images @ encode + encode_bias[:, None]
        code = tf.nn.relu(before)
        slope = self._slope(code @ decode + decode_bias[:, None], images)
        code_slope = tf.where(before > 0, tf.matmul(slope, decode, transpose_b=True), 0.0)
        return [
            tf.matmul(images, code_slope, transpose_a=True),
            tf.reduce_sum(code_slope, axis=1),
            tf.matmul(code, slope, transpose_a=True),
            tf.reduce_sum(slope, axis=1),
        ]

    def _slope(self, logits: Any, images: Any) -> Any:
        return (tf.sigmoid(logits) - images) / (self._batch * PIXELS)


class Stacked:
    """A variable with the form that `Adam` asks of Keras' variables."""

    def __init__(self, values: Any) -> None:
        """Of float32 values, the first axis being the networks."""
        self.value = tf.Variable(values)
        self.shape = self.value.shape


def start(**options: Any) -> Many:
    """The side that trains many networks."""
    return Many(**options)
