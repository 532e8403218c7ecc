"""A Trainable without a network: each step adds one to a variable, and losses are given."""

from collections.abc import Callable, Sequence
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


class Watched(Counting):
    """Ten steps an epoch, a loss that falls with each of them, and a learning rate."""

    steps, chunk = 10, 4
    learning_rate = 0.5

    def __init__(self, losses: Sequence[float], after_call: Callable[[], None] = lambda: None) -> None:
        super().__init__(losses)
        self.summed = tf.Variable(0.0, dtype=tf.float64)
        self._after_call = after_call

    def variables(self) -> list[tf.Variable]:
        return [self.counter, self.summed]

    def make_steps(self, first: int, count: int) -> None:
        if first == 0:
            self.summed.assign(0.0)
        for _ in range(count):
            self.counter.assign_add(1.0)
            self.summed.assign_add(1 / float(self.counter))
        self.calls.append((first, count))
        self._after_call()

    def recent_loss(self, since: int, step: int, total: float) -> tuple[float, float]:
        now = float(self.summed)
        return (now - total) / (step - since), now
