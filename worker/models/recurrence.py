"""An LSTM's recurrence with its gradients written out: what Keras' layer computes, faster on a CPU.

Keras multiplies the input with its kernel once for each time step, and TensorFlow's autodiff adds up the
gradient of the recurrent kernel step by step. Here the input's part comes in ready-made, and what does not
depend on the step before (the gates' slopes, the recurrent kernel's gradient) is computed for the whole
window at once. A test compares every gradient with autodiff's.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


@tf.custom_gradient  # type: ignore[untyped-decorator]
def lstm(inputs: tf.Tensor, recurrent_kernel: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor) -> Any:
    """Read a window of a text: `c = f·c + i·g` and `h = o·tanh(c)`, Hochreiter and Schmidhuber (1997).

    Args:
        inputs: (time, batch, 4 × units), the input's part of the gates i, f, g and o (Keras' order),
            its bias included.
        recurrent_kernel: (units, 4 × units).
        hidden: (batch, units), h before the window.
        cell: (batch, units), c before the window.

    Returns:
        h at every step (time, batch, units), and h and c after the last one. Gradients flow to all
        four arguments, from all three results.
    """
    steps, units = tf.shape(inputs)[0], recurrent_kernel.shape[0]
    read = _reader(inputs)

    def forward(step: tf.Tensor, h: tf.Tensor, c: tf.Tensor, *written: tf.TensorArray) -> Any:
        h, c, gates = advance(read(step) + tf.matmul(h, recurrent_kernel), c)
        values = (h, c, tf.concat(gates, axis=1))
        arrays = (array.write(step, value) for array, value in zip(written, values, strict=True))
        return step + 1, h, c, *arrays

    start = (0, hidden, cell, _writer(steps, units), _writer(steps, units), _writer(steps, 4 * units))
    _, last_hidden, last_cell, *written = tf.while_loop(lambda step, *_: step < steps, forward, start)
    hiddens, cells, gates = (array.stack() for array in written)

    def gradients(d_hiddens: tf.Tensor, d_last_hidden: tf.Tensor, d_last_cell: tf.Tensor) -> Any:
        i, f, g, o = tf.split(gates, 4, axis=2)
        cells_before = tf.concat([cell[tf.newaxis], cells[:-1]], axis=0)
        squashed = tf.tanh(cells)
        # What each gate's input does to c (the first three) and to h (the last): d gate = slope × d c or d h.
        slopes = tf.concat(
            [g * i * (1 - i), cells_before * f * (1 - f), i * (1 - g * g), squashed * o * (1 - o)], axis=2
        )
        # Transposed once: a product that transposes its second factor takes three times as long on a CPU.
        back = tf.transpose(recurrent_kernel)
        read_d_hidden, read_slopes, read_forget = _reader(d_hiddens), _reader(slopes), _reader(f)
        read_cell_to_hidden = _reader(o * (1 - squashed * squashed))

        def backward(step: tf.Tensor, dh: tf.Tensor, dc: tf.Tensor, written: tf.TensorArray) -> Any:
            dh = dh + read_d_hidden(step)
            dc = dc + dh * read_cell_to_hidden(step)
            d_gates = tf.concat([dc, dc, dc, dh], axis=1) * read_slopes(step)
            dh = tf.matmul(d_gates, back)
            return step - 1, dh, dc * read_forget(step), written.write(step, d_gates)

        _, d_hidden, d_cell, written = tf.while_loop(
            lambda step, *_: step >= 0,
            backward,
            (steps - 1, d_last_hidden, d_last_cell, _writer(steps, 4 * units)),
        )
        d_inputs = written.stack()
        hiddens_before = tf.concat([hidden[tf.newaxis], hiddens[:-1]], axis=0)
        d_kernel = tf.matmul(
            tf.reshape(hiddens_before, (-1, units)), tf.reshape(d_inputs, (-1, 4 * units)), transpose_a=True
        )
        return d_inputs, d_kernel, d_hidden, d_cell

    return (hiddens, last_hidden, last_cell), gradients


def advance(inputs: tf.Tensor, cell: tf.Tensor) -> tuple[Any, Any, Any]:
    """One step, from what goes into the gates (batch, 4 × units): h, c and the gates i, f, g and o."""
    i, f, g, o = tf.split(inputs, 4, axis=1)
    i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
    cell = f * cell + i * g
    return o * tf.tanh(cell), cell, (i, f, g, o)


def _reader(values: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor]:
    """What reads one time step of (time, batch, …) inside a loop, without a copy."""
    array = tf.TensorArray(tf.float32, tf.shape(values)[0], element_shape=values.shape[1:])
    return array.unstack(values).read  # type: ignore[no-any-return]


def _writer(steps: tf.Tensor, width: int) -> tf.TensorArray:
    return tf.TensorArray(tf.float32, steps, element_shape=(None, width))
