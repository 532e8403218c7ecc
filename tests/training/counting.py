"""A Trainable without a network: each step adds one to a variable, and losses are given."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf


class Model:
    """As much of a Keras model as a training run needs."""

    def __init__(self, counter: tf.Variable) -> None:
        self.weights = [counter]
        self.saved: list[float] = []

    def set_weights(self, values: Sequence[Any]) -> None:
        self.weights[0].assign(values[0])

    def save(self, path: Any) -> None:
        self.saved.append(float(self.weights[0]))
        path.write_bytes(np.asarray(self.weights[0]).tobytes())


class Counting:
    """Counts its steps; the validation loss after each epoch is the next of `losses`."""

    steps, chunk = 3, 2

    def __init__(self, losses: Sequence[float]) -> None:
        self.counter = tf.Variable(0.0)
        self.model = Model(self.counter)
        self.calls: list[tuple[int, int]] = []
        self._losses = losses
        self._epoch = 0

    def variables(self) -> list[tf.Variable]:
        return [self.counter]

    def begin_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def make_steps(self, first: int, count: int) -> None:
        self.calls.append((first, count))
        self.counter.assign_add(count)

    def measure(self) -> dict[str, float]:
        return {"loss": float(self.counter), "validation_loss": self._losses[self._epoch]}
