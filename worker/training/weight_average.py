"""The moving average of a training run's weights: as good as a learning rate that falls to zero at the end.

The end need not be known (Polyak and Juditsky, 1992, https://doi.org/10.1137/0330046). Ours, because
`use_ema` of Keras' optimizers has one momentum for all steps, so it is slow to forget the initial weights.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf


def update_averages(averages: Sequence[Any], weights: Sequence[Any], steps: Any, longest: float) -> None:
    """Move each average towards its weight.

    After n steps an average keeps (1 + n) / (10 + n) of itself, so that it soon forgets the first steps, and
    never more than `longest`.

    Args:
        averages: Keras variables, updated in place.
        weights: the variables that learn, of the same shapes.
        steps: optimizer steps made so far, a scalar.
        longest: below 1; with 0.99 an average goes back some 100 steps.
    """
    made = tf.cast(steps, tf.float32)
    keep = tf.minimum(longest, (1 + made) / (10 + made))
    for average, weight in zip(averages, weights, strict=True):
        # average - (1 - keep) · (average - weight), as one operation in place.
        tf.raw_ops.ResourceApplyGradientDescent(
            var=average.value.handle, alpha=1 - keep, delta=average.value - weight.value
        )
