"""Keras' own Adam in place of ours, its step under one `jit_compile`, to measure what ours gains."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import worker.images.training


class KerasAdam:
    """The same interface as `worker.training.adam.Adam`."""

    def __init__(self, weights: Sequence[Any], learning_rate: float | Callable[[Any], Any]) -> None:
        """Keras' optimizer for these weights; nothing is compiled before the first step."""
        self._weights = list(weights)
        self._optimizer = keras.optimizers.Adam(learning_rate)
        self._optimizer.build(self._weights)
        self._step = tf.function(self._make_step, jit_compile=True)

    @property
    def variables(self) -> list[Any]:
        """The steps made, the rate, and the moments."""
        return list(self._optimizer.variables)

    def restart(self) -> None:
        """Set steps and moments to zero."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def apply(self, gradients: Sequence[Any]) -> None:
        """Make one step."""
        self._step(list(gradients))

    def _make_step(self, gradients: list[Any]) -> None:
        self._optimizer.apply(gradients, self._weights)


def start(**options: Any) -> Any:
    """Quartet's side of an image row, with Keras' Adam."""
    from benchmarks.quartet import images

    setattr(worker.images.training, "Adam", KerasAdam)  # noqa: B010 - its type is another
    return images.start(**options)
