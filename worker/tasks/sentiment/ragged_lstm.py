"""Runs an LSTM over sequences of any length, a few steps at a time, faster on a CPU than Keras' layer.

Ours, because Keras' layer on a CPU multiplies and differentiates step by step, and XLA would compile
each length anew: here all lengths are read in turns of one length, with one compiled program forward and one
back. A test compares every gradient with the one that autodiff finds through Keras' own layer.
"""

from typing import Any

import tensorflow as tf

from worker.training.lstm import advance, backward, forward, states_in

TURN = 25
"""Steps in a turn: so few that a turn's states are still in the CPU's cache when they are needed."""


@tf.custom_gradient  # type: ignore[untyped-decorator]
def last_hidden(
    values: tf.Tensor, sizes: tf.Tensor, kernel: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor
) -> Any:
    """Compute h after the last value of each sequence, (batch, units), beginning with zeros.

    Autodiff would find the same gradients of the loop, but clears memory that nobody uses on the way, which
    makes a training step a tenth longer.

    Args:
        values: (time, batch, n), where `time` is a multiple of `TURN`.
        sizes: (batch,), int64, how many values of each sequence count, at least one: the others are read
            and have no effect.
        kernel: (n, 4 × units), of the gates i, f, g and o (Keras' order).
        recurrent_kernel: (units, 4 × units).
        bias: (4 × units,).

    Returns:
        h. Gradients flow to the values, the kernels and the bias.
    """
    values, kernel, recurrent_kernel, bias = map(tf.stop_gradient, (values, kernel, recurrent_kernel, bias))
    batch = _Batch(values, sizes, kernel, recurrent_kernel, bias)
    found, traces = batch.run()

    def gradients(d_found: Any) -> Any:
        d_values, d_weights = batch.differentiate(d_found, traces)
        return d_values, None, *d_weights

    return found, gradients


def last_hidden_without_gradients(
    values: tf.Tensor, sizes: tf.Tensor, kernel: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor
) -> Any:
    """Compute the same as `last_hidden` in two thirds of the time, where nothing is learned.

    It keeps no trace of the states: all that a step needs is in the CPU's cache.

    Args:
        values: (time, batch, n), where `time` is a multiple of `TURN`.
        sizes: (batch,), int64, how many values of each sequence count, at least one.
        kernel: (n, 4 × units), of the gates i, f, g and o (Keras' order).
        recurrent_kernel: (units, 4 × units).
        bias: (4 × units,).

    Returns:
        h after the last value of each sequence, (batch, units).
    """
    last = tf.cast(sizes, tf.int32) - 1
    zeros = tf.zeros((tf.shape(values)[1], recurrent_kernel.shape[0]))

    def run_turn(first: Any, hidden: Any, cell: Any, found: Any) -> Any:
        some, place = values[first : first + TURN], last - first
        weights = kernel, recurrent_kernel, bias
        return first + TURN, *_read_turn(some, place, *weights, hidden, cell, found)

    begin = (0, zeros, zeros, zeros)
    # Nothing can be computed ahead, but several turns' values would be held.
    *_, found = tf.while_loop(
        lambda first, *_: first < tf.shape(values)[0], run_turn, begin, parallel_iterations=1
    )
    return found


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def _read_turn(
    values: Any, last: Any, kernel: Any, recurrent_kernel: Any, bias: Any, hidden: Any, cell: Any, found: Any
) -> Any:
    """h and c after a turn, and `found` with h of the sequences that end in it, at step `last` (batch,)."""

    def read_step(step: Any, hidden: Any, cell: Any, found: Any) -> Any:
        from_value = tf.matmul(values[step], kernel) + bias
        hidden, cell, _ = advance(from_value + tf.matmul(hidden, recurrent_kernel), cell)
        return step + 1, hidden, cell, tf.where((last == step)[:, tf.newaxis], hidden, found)

    begin = (0, hidden, cell, found)
    return tf.while_loop(lambda step, *_: step < tf.shape(values)[0], read_step, begin)[1:]


class _Batch:
    """One batch of sequences and the weights to read it with, as TensorFlow builds a graph of them."""

    def __init__(self, values: Any, sizes: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> None:
        self._values, self._sizes = values, sizes
        self._kernel, self._recurrent_kernel, self._bias = kernel, recurrent_kernel, bias
        self._turns, self._batch = tf.shape(values)[0] // TURN, tf.shape(values)[1]
        self._units = recurrent_kernel.shape[0]
        self._zeros = tf.zeros((self._batch, self._units))

    def run(self) -> tuple[Any, Any]:
        """h after the last value of each sequence, and what `forward` traced in each turn."""
        traces = tf.TensorArray(tf.float32, self._turns, element_shape=(None, None, self._units))
        begin = (0, self._zeros, self._zeros, self._zeros, traces)
        *_, found, traces = tf.while_loop(
            lambda turn, *_: turn < self._turns, self._run_turn, begin, parallel_iterations=1
        )
        return found, traces

    def _run_turn(self, turn: Any, hidden: Any, cell: Any, found: Any, traces: Any) -> Any:
        inputs = tf.nn.bias_add(tf.matmul(self._values_of(turn), self._kernel), self._bias)
        inputs = tf.reshape(inputs, (TURN, self._batch, 4 * self._units))
        trace = forward(inputs, self._recurrent_kernel, hidden, cell)
        hiddens, cells = states_in(trace, TURN)
        here, places = self._ends(turn)
        found = tf.where(here, tf.gather_nd(hiddens[1:], places), found)
        return turn + 1, hiddens[-1], cells[-1], found, traces.write(turn, trace)

    def differentiate(self, d_found: Any, traces: Any) -> tuple[Any, Any]:
        """The gradients of the values (time, batch, n), and of kernel, recurrent kernel and bias.

        Args:
            d_found: the gradient of `found`, (batch, units).
            traces: what `run` returned.
        """
        # Transposed once, outside the loop.
        transposed = tf.transpose(self._recurrent_kernel), tf.transpose(self._kernel)

        def turn_back(turn: Any, dh: Any, dc: Any, d_weights: Any, d_values: Any) -> Any:
            dh, dc, more, d_inputs = self._turn_back(turn, d_found, traces.read(turn), dh, dc, transposed)
            d_weights = tuple(so_far + now for so_far, now in zip(d_weights, more, strict=True))
            return turn - 1, dh, dc, d_weights, d_values.write(turn, d_inputs)

        d_values = tf.TensorArray(tf.float32, self._turns, element_shape=(None, self._kernel.shape[0]))
        d_weights = tuple(map(tf.zeros_like, (self._kernel, self._recurrent_kernel, self._bias)))
        begin = (self._turns - 1, self._zeros, self._zeros, d_weights, d_values)
        # One turn after the other: of a product that is put off, the factors have left the CPU's cache.
        *_, d_weights, d_values = tf.while_loop(
            lambda turn, *_: turn >= 0, turn_back, begin, parallel_iterations=1
        )
        return tf.reshape(d_values.stack(), tf.shape(self._values)), d_weights

    def _turn_back(self, turn: Any, d_found: Any, trace: Any, dh: Any, dc: Any, transposed: Any) -> Any:
        """The gradients of one turn: dh and dc before it, of the weights, and of its values."""
        here, places = self._ends(turn)
        shape = (TURN, self._batch, self._units)
        d_hiddens = tf.scatter_nd(places, tf.where(here, d_found, 0.0), shape)
        d_inputs, dh, dc = backward(transposed[0], trace, d_hiddens, dh, dc)
        d_gates = tf.reshape(d_inputs, (-1, 4 * self._units))
        before = tf.reshape(states_in(trace, TURN)[0][:-1], (-1, self._units))
        d_weights = (
            tf.matmul(self._values_of(turn), d_gates, transpose_a=True),
            tf.matmul(before, d_gates, transpose_a=True),
            tf.reduce_sum(d_gates, axis=0),
        )
        return dh, dc, d_weights, tf.matmul(d_gates, transposed[1])

    def _values_of(self, turn: Any) -> Any:
        """The values of a turn, (TURN × batch, n)."""
        return tf.reshape(self._values[turn * TURN : (turn + 1) * TURN], (-1, self._kernel.shape[0]))

    def _ends(self, turn: Any) -> tuple[Any, Any]:
        """Which sequences end in a turn, (batch, 1), and their last steps in it, (batch, 2)."""
        step = tf.cast(self._sizes, tf.int32) - 1 - turn * TURN
        here = (step >= 0) & (step < TURN)
        return here[:, tf.newaxis], tf.stack([tf.where(here, step, 0), tf.range(self._batch)], axis=1)
