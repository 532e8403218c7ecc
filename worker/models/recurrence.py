"""An LSTM's recurrence with its gradients written out: what Keras' layer computes, faster on a CPU.

Keras multiplies the input with its kernel once for each time step, and TensorFlow's autodiff adds up the
gradient of the recurrent kernel step by step. Here the input's part comes in ready-made, and the gradient of
the recurrent kernel is one product for all steps. The steps themselves are a loop forward and a loop back,
each compiled by XLA: as operations of TensorFlow's, what is done to a step's gates takes longer than its
product. A test compares every gradient with autodiff's.
"""

from typing import Any

import tensorflow as tf


@tf.custom_gradient  # type: ignore[untyped-decorator]
def lstm(inputs: tf.Tensor, recurrent_kernel: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor) -> Any:
    """Read a window of a text: `c = f·c + i·g` and `h = o·tanh(c)`, Hochreiter and Schmidhuber (1997).

    Each shape is compiled by itself, which takes a fifth of a second.

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
    # The loop has no gradient but the one below: a tape that watches outside of a function would ask for it.
    kept = forward(*map(tf.stop_gradient, (inputs, recurrent_kernel, hidden, cell)))
    hiddens, cells = states_in(kept, tf.shape(inputs)[0])

    def gradients(d_hiddens: Any, d_last_hidden: Any, d_last_cell: Any) -> Any:
        # Transposed here: XLA takes longer, and a product that transposes its second factor as well.
        back = tf.transpose(recurrent_kernel)
        d_inputs, d_hidden, d_cell = backward(back, kept, d_hiddens, d_last_hidden, d_last_cell)
        before = tf.reshape(hiddens[:-1], (-1, recurrent_kernel.shape[0]))
        of_gates = tf.reshape(d_inputs, (-1, recurrent_kernel.shape[1]))
        return d_inputs, tf.matmul(before, of_gates, transpose_a=True), d_hidden, d_cell

    return (hiddens[1:], hiddens[-1], cells[-1]), gradients


def advance(inputs: tf.Tensor, cell: tf.Tensor) -> tuple[Any, Any, list[Any]]:
    """One step, from what goes into the gates (batch, 4 × units): h, c, and the gates i, f, g and o."""
    i, f, g, o = tf.split(inputs, 4, axis=1)
    i, f, g, o = _sigmoid(i), _sigmoid(f), tf.tanh(g), _sigmoid(o)
    after = f * cell + i * g
    return o * tf.tanh(after), after, [i, f, g, o]


def _sigmoid(values: Any) -> Any:
    """The logistic function by tanh, which XLA computes in less time than an exponential and a division."""
    return 0.5 * tf.tanh(0.5 * values) + 0.5


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def forward(inputs: Any, recurrent_kernel: Any, hidden: Any, cell: Any) -> Any:
    """h and c before each step and after the last one, then the gates i, f, g and o of each step.

    All in one array, (2 + 6 × time, batch, units). Several would begin as copies of one, which XLA makes on
    a thread of the operation; there is only one for both parts of a batch, and one part would wait.
    """
    time = tf.shape(inputs)[0]
    begins = _begins(time)

    def turn(step: Any, hidden: Any, cell: Any, kept: Any) -> Any:
        into_gates = inputs[step] + tf.matmul(hidden, recurrent_kernel)
        hidden, cell, gates = advance(into_gates, cell)
        kept = kept.write(begins[0] + step + 1, hidden).write(begins[1] + step + 1, cell)
        for begin, gate in zip(begins[2:], gates, strict=True):
            kept = kept.write(begin + step, gate)
        return step + 1, hidden, cell, kept

    kept = tf.TensorArray(tf.float32, 2 + 6 * time, element_shape=hidden.shape)
    kept = kept.write(begins[0], hidden).write(begins[1], cell)
    *_, kept = tf.while_loop(lambda step, *_: step < time, turn, (0, hidden, cell, kept))
    return kept.stack()


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def backward(back: Any, kept: Any, d_hiddens: Any, dh: Any, dc: Any) -> Any:
    """The gradients of the inputs, and of h and c before the window; `dh` and `dc` are those after it.

    Args:
        back: the recurrent kernel, transposed: (4 × units, units).
        kept: what `forward` returned.
        d_hiddens: the gradient of h at every step, (time, batch, units).
        dh: (batch, units).
        dc: (batch, units).
    """
    time = tf.shape(d_hiddens)[0]
    begins = _begins(time)

    def turn(step: Any, dh: Any, dc: Any, written: Any) -> Any:
        before, i, f, g, o = (kept[begin + step] for begin in begins[1:])
        squashed = tf.tanh(kept[begins[1] + step + 1])
        dh = dh + d_hiddens[step]
        dc = dc + dh * o * (1 - squashed * squashed)
        d_gates = (
            dc * g * i * (1 - i),
            dc * before * f * (1 - f),
            dc * i * (1 - g * g),
            dh * squashed * o * (1 - o),
        )
        d_inputs = tf.concat(d_gates, axis=1)
        return step - 1, tf.matmul(d_inputs, back), dc * f, written.write(step, d_inputs)

    shape = (*dh.shape[:1], back.shape[0])
    written = tf.TensorArray(tf.float32, time, element_shape=shape)
    _, dh, dc, written = tf.while_loop(lambda step, *_: step >= 0, turn, (time - 1, dh, dc, written))
    return written.stack(), dh, dc


def states_in(kept: Any, time: Any) -> tuple[Any, Any]:
    """h and c, each (time + 1, batch, units), in what `forward` keeps: before each step, after the last."""
    begin_of_cells = _begins(time)[1]
    return kept[:begin_of_cells], kept[begin_of_cells : 2 * begin_of_cells]


def _begins(time: Any) -> list[Any]:
    """Where h, c, i, f, g and o begin in what `forward` keeps."""
    return [0, time + 1, *(2 + (2 + gate) * time for gate in range(4))]
