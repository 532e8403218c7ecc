"""The character model: one-hot characters → LSTM 128 → Dense softmax.

After Graves (2013), https://arxiv.org/abs/1308.0850, and Karpathy (2015),
https://karpathy.github.io/2015/05/21/rnn-effectiveness/. `build` is plain Keras, and a saved model
loads without Quartet; the functions below compute the same, but faster.
"""

from typing import Any

import keras
import tensorflow as tf

from worker.tasks.textgen.cross_entropy import cross_entropy
from worker.training.embedding_rows import rows
from worker.training.lstm import advance, lstm


def build(vocab_size: int, layers: int = 1, units: int = 128, seed: int = 0) -> keras.Model:
    """Build the network, with Keras' default initial weights, drawn from the seed.

    Args:
        vocab_size: distinct characters.
        layers: LSTM layers, one on the other.
        units: in each LSTM layer.
        seed: of the initial weights.

    Returns:
        A model whose inputs are characters (batch, time), integers below `vocab_size`, then the state before
        the first one: h and c of each layer, (batch, units). Its outputs are the probabilities of the next
        character at every position, (batch, time, vocab_size), then the state after the last one.
    """
    # Seeds of their own: `keras.utils.set_random_seed` makes TensorFlow prepare every function anew.
    seeds = keras.random.SeedGenerator(seed)
    glorot = keras.initializers.GlorotUniform(seeds)
    characters = keras.Input((None,), dtype="int32", name="characters")
    states = [keras.Input((units,), name=f"{part}_{layer + 1}") for layer in range(layers) for part in "hc"]
    states_after = []
    hidden = keras.ops.one_hot(characters, vocab_size)
    for layer in range(layers):
        hidden, *state = keras.layers.LSTM(
            units,
            kernel_initializer=glorot,
            recurrent_initializer=keras.initializers.Orthogonal(seed=seeds),
            return_sequences=True,
            return_state=True,
            name=f"lstm_{layer + 1}",
        )(hidden, initial_state=states[2 * layer : 2 * layer + 2])
        states_after += state
    probabilities = keras.layers.Dense(
        vocab_size, activation="softmax", kernel_initializer=glorot, name="next_character"
    )(hidden)
    return keras.Model([characters, *states], [probabilities, *states_after], name="textgen")


def lstm_layers(model: keras.Model) -> list[keras.layers.LSTM]:
    """Return the LSTM layers of a network that `build` made, from the input up."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.LSTM)]


def multiplications(model: keras.Model) -> int:
    """Return about how many multiplications the network makes for one character."""
    return sum(int(weight.shape[0] * weight.shape[1]) for weight in model.weights if len(weight.shape) == 2)


def zero_state(model: keras.Model, batch: int) -> Any:
    """Return the state before the first character.

    Args:
        model: a network that `build` made.
        batch: texts that are read in parallel.

    Returns:
        Zeros, (layers, 2, batch, units).
    """
    layers = lstm_layers(model)
    return tf.zeros((len(layers), 2, batch, layers[0].units))


def logits_of(
    model: keras.Model, characters: Any, state: Any, *, cudnn: bool | None = None
) -> tuple[Any, Any]:
    """Compute what `model` computes before its softmax, in the way that is fastest on this machine.

    Args:
        model: a network that `build` made.
        characters: (time, batch), int32.
        state: (layers, 2, batch, units), h and c of each layer before the first character.
        cudnn: whether Keras' layers do it, which on a GPU is cuDNN's kernel; None where there is a GPU.

    Returns:
        Logits of the next character at every position, (time, batch, vocab_size), and the state after the
        last one.
    """
    hidden, state_after = _hidden(model, characters, state, cudnn)
    return _logits(model, hidden), state_after


def mean_nats(model: keras.Model, codes: Any, state: Any) -> tuple[Any, Any]:
    """Compute the mean cross-entropy of what `logits_of` returns, in less time.

    Args:
        model: a network that `build` made.
        codes: (time + 1, batch), int32; every character but the first is predicted.
        state: (layers, 2, batch, units), before the first character.

    Returns:
        Nats per character, a scalar, and the state after the last character but one.
    """
    hidden, state_after = _hidden(model, codes[:-1], state)
    return cross_entropy(_logits(model, hidden), codes[1:]), state_after


def next_logits(model: keras.Model, characters: Any, state: Any) -> tuple[Any, Any]:
    """Compute the same as `logits_of` for one character.

    Args:
        model: a network that `build` made.
        characters: (batch,), int32.
        state: (layers, 2, batch, units), before the character.

    Returns:
        Logits of the next character, (batch, vocab_size), and the state after this one.
    """
    hidden, states_after = None, []
    for layer, (h, c) in zip(lstm_layers(model), map(tf.unstack, tf.unstack(state)), strict=True):
        inputs = _inputs(layer, characters if hidden is None else hidden)
        hidden, c, _ = advance(inputs + tf.matmul(h, layer.cell.recurrent_kernel), c)
        states_after.append([hidden, c])
    return _logits(model, hidden), tf.stack(states_after)


def _hidden(model: keras.Model, characters: Any, state: Any, cudnn: bool | None = None) -> tuple[Any, Any]:
    """h of the last layer at every position, (time, batch, units), and the state after the last one."""
    if cudnn is None:
        cudnn = bool(tf.config.list_physical_devices("GPU"))
    hidden, states_after = None, []
    for layer, (h, c) in zip(lstm_layers(model), map(tf.unstack, tf.unstack(state)), strict=True):
        if cudnn:
            inputs = _one_hot(model, characters) if hidden is None else hidden
            hidden, h, c = layer(tf.transpose(inputs, (1, 0, 2)), initial_state=[h, c])
            hidden = tf.transpose(hidden, (1, 0, 2))
        else:
            inputs = _inputs(layer, characters if hidden is None else hidden)
            hidden, h, c = lstm(inputs, tf.convert_to_tensor(layer.cell.recurrent_kernel), h, c)
        states_after.append([h, c])
    return hidden, tf.stack(states_after)


def _inputs(layer: keras.layers.LSTM, values: Any) -> Any:
    """The input's part of a layer's gates: of characters (…), or of the layer below (…, units)."""
    values = tf.convert_to_tensor(values)
    kernel, bias = (tf.convert_to_tensor(weight) for weight in (layer.cell.kernel, layer.cell.bias))
    if values.dtype.is_integer:
        return rows(kernel + bias, values)
    return _times(values, kernel) + bias


def _logits(model: keras.Model, hidden: Any) -> Any:
    dense = model.get_layer("next_character")
    return _times(hidden, tf.convert_to_tensor(dense.kernel)) + dense.bias


def _one_hot(model: keras.Model, characters: Any) -> Any:
    return tf.one_hot(characters, model.get_layer("next_character").units)


def _times(values: Any, kernel: Any) -> Any:
    """(…, n) times (n, m), as one product of two matrices."""
    product = tf.matmul(tf.reshape(values, (-1, kernel.shape[0])), kernel)
    return tf.reshape(product, (*tf.unstack(tf.shape(values))[:-1], kernel.shape[1]))
