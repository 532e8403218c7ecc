"""Reads sequences of any length with an LSTM, some steps in a turn, faster on a CPU than Keras' layer.

`worker.models.recurrence` compiles each length by itself. Here all lengths are read in turns of one length,
so that one program forward and one back do for all of them. A test compares every gradient with autodiff's.
"""

from typing import Any

import tensorflow as tf

from worker.models.recurrence import backward, forward, states_in

TURN = 25
"""Steps in a turn: so few that what they keep is still near the processor when it is needed."""


@tf.custom_gradient  # type: ignore[untyped-decorator]
def last_hidden(
    values: tf.Tensor, sizes: tf.Tensor, kernel: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor
) -> Any:
    """h after the last value of each sequence, (batch, units), from zeros on.

    Autodiff would find the same gradients of the loop, but clears memory that nobody uses on the way, which
    makes a training's step a tenth longer.

    Args:
        values: (time, batch, n), where `time` is a multiple of `TURN`.
        sizes: (batch,), int64, how many values of each sequence count, at least one: what stands behind them
            is read and not looked at.
        kernel: (n, 4 × units), of the gates i, f, g and o (Keras' order).
        recurrent_kernel: (units, 4 × units).
        bias: (4 × units,).

    Returns:
        h. Gradients flow to the values, the kernels and the bias.
    """
    values, kernel, recurrent_kernel, bias = map(tf.stop_gradient, (values, kernel, recurrent_kernel, bias))
    turns, batch = tf.shape(values)[0] // TURN, tf.shape(values)[1]
    units = recurrent_kernel.shape[0]
    nothing = tf.zeros((batch, units))

    def values_of(turn: Any) -> Any:
        return tf.reshape(values[turn * TURN : (turn + 1) * TURN], (-1, kernel.shape[0]))

    def ends(turn: Any) -> tuple[Any, Any]:
        """Which sequences end in a turn, (batch, 1), and their last steps in it, (batch, 2)."""
        step = tf.cast(sizes, tf.int32) - 1 - turn * TURN
        here = (step >= 0) & (step < TURN)
        return here[:, tf.newaxis], tf.stack([tf.where(here, step, 0), tf.range(batch)], axis=1)

    def read(turn: Any, hidden: Any, cell: Any, found: Any, kept: Any) -> Any:
        inputs = tf.nn.bias_add(tf.matmul(values_of(turn), kernel), bias)
        kept_now = forward(tf.reshape(inputs, (TURN, batch, 4 * units)), recurrent_kernel, hidden, cell)
        hiddens, cells = states_in(kept_now, TURN)
        here, places = ends(turn)
        found = tf.where(here, tf.gather_nd(hiddens[1:], places), found)
        return turn + 1, hiddens[-1], cells[-1], found, kept.write(turn, kept_now)

    kept = tf.TensorArray(tf.float32, turns, element_shape=(None, None, units))
    begin = (0, nothing, nothing, nothing, kept)
    *_, found, kept = tf.while_loop(lambda turn, *_: turn < turns, read, begin, parallel_iterations=1)

    def gradients(d_found: Any) -> Any:
        back, back_to_values = tf.transpose(recurrent_kernel), tf.transpose(kernel)

        def go_back(turn: Any, dh: Any, dc: Any, weights: Any, d_values: Any) -> Any:
            here, places = ends(turn)
            d_hiddens = tf.scatter_nd(places, tf.where(here, d_found, 0.0), (TURN, batch, units))
            kept_then = kept.read(turn)
            d_inputs, dh, dc = backward(back, kept_then, d_hiddens, dh, dc)
            d_gates = tf.reshape(d_inputs, (-1, 4 * units))
            before = tf.reshape(states_in(kept_then, TURN)[0][:-1], (-1, units))
            more = (
                tf.matmul(values_of(turn), d_gates, transpose_a=True),
                tf.matmul(before, d_gates, transpose_a=True),
                tf.reduce_sum(d_gates, axis=0),
            )
            weights = tuple(so_far + now for so_far, now in zip(weights, more, strict=True))
            d_values = d_values.write(turn, tf.matmul(d_gates, back_to_values))
            return turn - 1, dh, dc, weights, d_values

        d_values = tf.TensorArray(tf.float32, turns, element_shape=(None, kernel.shape[0]))
        weights = tuple(map(tf.zeros_like, (kernel, recurrent_kernel, bias)))
        begin = (turns - 1, nothing, nothing, weights, d_values)
        # One turn after the other: a product that is put off finds its factors far from the processor.
        *_, weights, d_values = tf.while_loop(
            lambda turn, *_: turn >= 0, go_back, begin, parallel_iterations=1
        )
        return tf.reshape(d_values.stack(), tf.shape(values)), None, *weights

    return found, gradients
