"""The loss of a softmax and its gradient, as one program of XLA's."""

from typing import Any

import tensorflow as tf


@tf.custom_gradient  # type: ignore[untyped-decorator]
def cross_entropy(logits: tf.Tensor, numbers: tf.Tensor) -> Any:
    """The mean of minus the logarithm of the probability that a softmax gives to what came, in nats.

    Args:
        logits: (…, classes).
        numbers: (…), the class that came, int32.

    Returns:
        A scalar. Its gradient flows to the logits.
    """
    loss, gradient = _with_gradient(logits, numbers)
    return loss, lambda d_loss: (d_loss * gradient, None)


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def _with_gradient(logits: Any, numbers: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(numbers, logits))
    return loss, tape.gradient(loss, logits)
