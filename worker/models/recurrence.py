"""An LSTM's recurrence with its gradients written out: what Keras' layer computes, faster on a CPU.

Keras multiplies the input with its kernel once for each time step, and TensorFlow's autodiff adds up the
gradient of the recurrent kernel step by step. Here the input's part comes in ready-made, the gradient of the
recurrent kernel is one product for all steps, and the steps are written one after the other into the graph,
or many of them into each turn of a loop: TensorFlow's loops cost about as much as what is in them. A test
compares every gradient with autodiff's.
"""

from typing import Any, NamedTuple

import tensorflow as tf

MOST_STEPS = 25
"""Time steps in one turn of a loop, at most. A window of so many or fewer needs no loop."""


class Step(NamedTuple):
    """What one time step leaves for its gradients, each (batch, units).

    Attributes:
        cell_before: c before the step.
        i, f, g, o: the gates.
        squashed: tanh(c) after the step.
    """

    cell_before: Any
    i: Any
    f: Any
    g: Any
    o: Any
    squashed: Any


def lstm(inputs: tf.Tensor, recurrent_kernel: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor) -> Any:
    """Read a window of a text: `c = f·c + i·g` and `h = o·tanh(c)`, Hochreiter and Schmidhuber (1997).

    Args:
        inputs: (time, batch, 4 × units), the input's part of the gates i, f, g and o (Keras' order),
            its bias included. Where the graph is made without knowing how much time there is, it has to
            be a multiple of `MOST_STEPS`.
        recurrent_kernel: (units, 4 × units).
        hidden: (batch, units), h before the window.
        cell: (batch, units), c before the window.

    Returns:
        h at every step (time, batch, units), and h and c after the last one. Gradients flow to all
        four arguments, from all three results.
    """
    time = inputs.shape[0]
    if time is not None and time <= MOST_STEPS:
        return _unrolled(inputs, recurrent_kernel, hidden, cell)
    steps = MOST_STEPS
    while time is not None and time % steps:
        steps -= 1
    shape = tf.shape(inputs)
    turns = tf.reshape(inputs, (-1, steps, shape[1], shape[2]))
    turns.set_shape((None, steps, *inputs.shape[1:]))
    hiddens, hidden, cell = _looped(turns, recurrent_kernel, hidden, cell)
    return tf.reshape(hiddens, (-1, shape[1], recurrent_kernel.shape[0])), hidden, cell


def advance(inputs: tf.Tensor, cell: tf.Tensor) -> tuple[Any, Any, Step]:
    """One step, from what goes into the gates (batch, 4 × units): h, c, and what led to them."""
    i, f, g, o = tf.split(inputs, 4, axis=1)
    i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
    after = f * cell + i * g
    squashed = tf.tanh(after)
    return o * squashed, after, Step(cell, i, f, g, o, squashed)


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _unrolled(inputs: Any, recurrent_kernel: Any, hidden: Any, cell: Any) -> Any:
    """The whole window in one go."""
    hiddens, last_cell, steps = _forward(inputs, recurrent_kernel, hidden, cell)

    def gradients(d_hiddens: Any, d_last_hidden: Any, d_last_cell: Any) -> Any:
        back = tf.transpose(recurrent_kernel)
        d_inputs, d_hidden, d_cell = _backward(steps, back, tf.unstack(d_hiddens), d_last_hidden, d_last_cell)
        before = tf.concat([hidden, *hiddens[:-1]], axis=0)
        d_inputs = tf.stack(d_inputs)
        d_kernel = tf.matmul(before, tf.reshape(d_inputs, (-1, back.shape[0])), transpose_a=True)
        return d_inputs, d_kernel, d_hidden, d_cell

    return (tf.stack(hiddens), hiddens[-1], last_cell), gradients


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _looped(inputs: Any, recurrent_kernel: Any, hidden: Any, cell: Any) -> Any:
    """The same for (turns, steps, batch, 4 × units), as a loop over turns."""
    turns, steps, units = tf.shape(inputs)[0], inputs.shape[1], recurrent_kernel.shape[0]
    unread = _array(turns, inputs.shape[1:]).unstack(inputs)

    def forward(turn: Any, hidden: Any, cell: Any, written: Any, kept: Any) -> Any:
        hiddens, cell, of_steps = _forward(unread.read(turn), recurrent_kernel, hidden, cell)
        to_keep = tf.stack([tf.stack(step) for step in of_steps])
        return (
            turn + 1,
            hiddens[-1],
            cell,
            written.write(turn, tf.stack(hiddens)),
            kept.write(turn, to_keep),
        )

    arrays = _array(turns, (steps, None, units)), _array(turns, (steps, len(Step._fields), None, units))
    _, last_hidden, last_cell, written, kept = tf.while_loop(
        lambda turn, *_: turn < turns, forward, (0, hidden, cell, *arrays)
    )
    hiddens, to_keep = written.stack(), kept.stack()

    def gradients(d_hiddens: Any, d_last_hidden: Any, d_last_cell: Any) -> Any:
        back = tf.transpose(recurrent_kernel)
        unread = _array(turns, (steps, None, units)).unstack(d_hiddens)
        kept = _array(turns, to_keep.shape[1:]).unstack(to_keep)

        def backward(turn: Any, dh: Any, dc: Any, written: Any) -> Any:
            of_steps = [Step(*tf.unstack(each)) for each in tf.unstack(kept.read(turn))]
            d_inputs, dh, dc = _backward(of_steps, back, tf.unstack(unread.read(turn)), dh, dc)
            return turn - 1, dh, dc, written.write(turn, tf.stack(d_inputs))

        _, d_hidden, d_cell, written = tf.while_loop(
            lambda turn, *_: turn >= 0,
            backward,
            (turns - 1, d_last_hidden, d_last_cell, _array(turns, inputs.shape[1:])),
        )
        d_inputs = written.stack()
        before = tf.concat([hidden, tf.reshape(hiddens, (-1, units))], axis=0)
        before = before[: -tf.shape(hidden)[0]]
        d_kernel = tf.matmul(before, tf.reshape(d_inputs, (-1, 4 * units)), transpose_a=True)
        return d_inputs, d_kernel, d_hidden, d_cell

    return (hiddens, last_hidden, last_cell), gradients


def _forward(inputs: Any, recurrent_kernel: Any, hidden: Any, cell: Any) -> tuple[list[Any], Any, list[Step]]:
    """h after each of (steps, batch, 4 × units), c after the last one, and what each step leaves."""
    hiddens, steps = [], []
    for of_step in tf.unstack(inputs):
        hidden, cell, step = advance(of_step + tf.matmul(hidden, recurrent_kernel), cell)
        hiddens.append(hidden)
        steps.append(step)
    return hiddens, cell, steps


def _backward(
    steps: list[Step], back: Any, d_hiddens: list[Any], dh: Any, dc: Any
) -> tuple[list[Any], Any, Any]:
    """The gradients of each step's input, and those of h and c before the first one.

    `back` is the recurrent kernel transposed, once for all steps: a product that transposes its second
    factor takes longer. `dh` and `dc` are the gradients of h and c after the last step.
    """
    d_inputs = []
    for step, d_hidden in zip(reversed(steps), reversed(d_hiddens), strict=True):
        cell_before, i, f, g, o, squashed = step
        dh = dh + d_hidden
        dc = dc + dh * o * (1 - squashed * squashed)
        d_gates = (
            dc * g * i * (1 - i),
            dc * cell_before * f * (1 - f),
            dc * i * (1 - g * g),
            dh * squashed * o * (1 - o),
        )
        d_inputs.append(tf.concat(d_gates, axis=1))
        dh, dc = tf.matmul(d_inputs[-1], back), dc * f
    return d_inputs[::-1], dh, dc


def _array(turns: Any, shape: Any) -> tf.TensorArray:
    return tf.TensorArray(tf.float32, turns, element_shape=shape)
