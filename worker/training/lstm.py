"""An LSTM's recurrence with its gradients written out: what Keras' layer computes, faster on a CPU.

Ours, because Keras multiplies the input with its kernel once for each time step, and TensorFlow's autodiff
sums the gradient of the recurrent kernel step by step. Here the input's part is computed before, and the
gradient of the recurrent kernel is one product over all steps. The steps themselves are a loop forward and
a loop backward, each compiled by XLA: as TensorFlow operations, the work on a step's gates takes longer than
its product. A test compares every gradient with autodiff's.
"""

from typing import Any

import tensorflow as tf


@tf.custom_gradient  # type: ignore[untyped-decorator]
def lstm(inputs: tf.Tensor, recurrent_kernel: tf.Tensor, hidden: tf.Tensor, cell: tf.Tensor) -> Any:
    """Run an LSTM over a window: `c = f·c + i·g` and `h = o·tanh(c)`.

    Hochreiter and Schmidhuber (1997), https://doi.org/10.1162/neco.1997.9.8.1735, with the forget gate of
    Gers et al. (2000). Each shape is compiled by itself, which takes a fifth of a second.

    Args:
        inputs: (time, batch, 4 × units), the input's part of the gates i, f, g and o (Keras' order),
            bias included.
        recurrent_kernel: (units, 4 × units).
        hidden: (batch, units), h before the window.
        cell: (batch, units), c before the window.

    Returns:
        h at every step (time, batch, units), then h and c after the last step, (batch, units) each. Gradients
        flow from all three to all four arguments.
    """
    # The loop has no gradient but the one below: a tape that watches outside of a function would ask for it.
    trace = forward(*map(tf.stop_gradient, (inputs, recurrent_kernel, hidden, cell)))
    hiddens, cells = states_in(trace, tf.shape(inputs)[0])

    def gradients(d_hiddens: Any, d_last_hidden: Any, d_last_cell: Any) -> Any:
        # Transposed here: XLA takes longer, and so does a product that transposes its second factor.
        transposed = tf.transpose(recurrent_kernel)
        d_inputs, d_hidden, d_cell = backward(transposed, trace, d_hiddens, d_last_hidden, d_last_cell)
        before = tf.reshape(hiddens[:-1], (-1, recurrent_kernel.shape[0]))
        d_gates = tf.reshape(d_inputs, (-1, recurrent_kernel.shape[1]))
        return d_inputs, tf.matmul(before, d_gates, transpose_a=True), d_hidden, d_cell

    return (hiddens[1:], hiddens[-1], cells[-1]), gradients


def advance(inputs: tf.Tensor, cell: tf.Tensor) -> tuple[Any, Any, list[Any]]:
    """Make one step.

    Args:
        inputs: (batch, 4 × units), what goes into the gates, the part of h included.
        cell: (batch, units), c before the step.

    Returns:
        h and c after it, and the gates i, f, g and o, (batch, units) each.
    """
    i, f, g, o = tf.split(inputs, 4, axis=1)
    i, f, g, o = _sigmoid(i), _sigmoid(f), tf.tanh(g), _sigmoid(o)
    after = f * cell + i * g
    return o * tf.tanh(after), after, [i, f, g, o]


def _sigmoid(values: Any) -> Any:
    """The logistic function by tanh, which XLA computes faster than an exponential and a division."""
    return 0.5 * tf.tanh(0.5 * values) + 0.5


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def forward(inputs: Any, recurrent_kernel: Any, hidden: Any, cell: Any) -> Any:
    """Run the steps, and return all that `backward` needs of them.

    Args:
        inputs: (time, batch, 4 × units).
        recurrent_kernel: (units, 4 × units).
        hidden: (batch, units), h before the first step.
        cell: (batch, units), c before the first step.

    Returns:
        The trace, (2 + 6 × time, batch, units): h before each step and after the last one, c likewise, then
        the gates i, f, g and o of each step. It is one array because several would start as copies of one,
        which XLA makes on an operation's thread; both parts of a batch share the only one, so one would wait.
    """
    time = tf.shape(inputs)[0]
    offsets = _offsets(time)

    def forward_step(step: Any, hidden: Any, cell: Any, trace: Any) -> Any:
        into_gates = inputs[step] + tf.matmul(hidden, recurrent_kernel)
        hidden, cell, gates = advance(into_gates, cell)
        trace = trace.write(offsets[0] + step + 1, hidden).write(offsets[1] + step + 1, cell)
        for offset, gate in zip(offsets[2:], gates, strict=True):
            trace = trace.write(offset + step, gate)
        return step + 1, hidden, cell, trace

    trace = tf.TensorArray(tf.float32, 2 + 6 * time, element_shape=hidden.shape)
    trace = trace.write(offsets[0], hidden).write(offsets[1], cell)
    *_, trace = tf.while_loop(lambda step, *_: step < time, forward_step, (0, hidden, cell, trace))
    return trace.stack()


@tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
def backward(transposed_kernel: Any, trace: Any, d_hiddens: Any, dh: Any, dc: Any) -> Any:
    """Run the steps backward.

    Args:
        transposed_kernel: the recurrent kernel, transposed: (4 × units, units).
        trace: what `forward` returned.
        d_hiddens: the gradient of h at every step, (time, batch, units).
        dh: the gradient of h after the last step, (batch, units).
        dc: the gradient of c after the last step, (batch, units).

    Returns:
        The gradients of the inputs, (time, batch, 4 × units), and of h and c before the first step.
    """
    time = tf.shape(d_hiddens)[0]
    offsets = _offsets(time)

    def backward_step(step: Any, dh: Any, dc: Any, written: Any) -> Any:
        before, i, f, g, o = (trace[offset + step] for offset in offsets[1:])
        squashed = tf.tanh(trace[offsets[1] + step + 1])
        dh = dh + d_hiddens[step]
        dc = dc + dh * o * (1 - squashed * squashed)
        d_gates = (
            dc * g * i * (1 - i),
            dc * before * f * (1 - f),
            dc * i * (1 - g * g),
            dh * squashed * o * (1 - o),
        )
        d_inputs = tf.concat(d_gates, axis=1)
        return step - 1, tf.matmul(d_inputs, transposed_kernel), dc * f, written.write(step, d_inputs)

    shape = (*dh.shape[:1], transposed_kernel.shape[0])
    written = tf.TensorArray(tf.float32, time, element_shape=shape)
    _, dh, dc, written = tf.while_loop(lambda step, *_: step >= 0, backward_step, (time - 1, dh, dc, written))
    return written.stack(), dh, dc


def states_in(trace: Any, time: Any) -> tuple[Any, Any]:
    """Cut h and c out of a trace.

    Args:
        trace: what `forward` returned.
        time: its number of steps.

    Returns:
        h and c, (time + 1, batch, units) each: before each step and after the last one.
    """
    cells_begin = _offsets(time)[1]
    return trace[:cells_begin], trace[cells_begin : 2 * cells_begin]


def _offsets(time: Any) -> list[Any]:
    """Where h, c, i, f, g and o begin in a trace of so many steps."""
    return [0, time + 1, *(2 + (2 + gate) * time for gate in range(4))]
