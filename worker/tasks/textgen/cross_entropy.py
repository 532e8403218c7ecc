"""The loss of a softmax and its gradient as one XLA program.

Ours, because as TensorFlow operations the softmax, its logarithm and its gradient each read all logits anew.
"""

from typing import Any

import tensorflow as tf


@tf.custom_gradient  # type: ignore[untyped-decorator]
def cross_entropy(logits: tf.Tensor, targets: tf.Tensor) -> Any:
    """Compute the mean cross-entropy of a softmax with the classes that came.

    Args:
        logits: (…, classes).
        targets: (…), the class that came, int32.

    Returns:
        A scalar, in nats. Its gradient flows to the logits.
    """
    loss, gradient = _with_gradient(logits, targets)
    return loss, lambda d_loss: (d_loss * gradient, None)


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def _with_gradient(logits: Any, targets: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits))
    return loss, tape.gradient(loss, logits)
