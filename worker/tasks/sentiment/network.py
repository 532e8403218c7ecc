"""The network that judges a review: Embedding → LSTM 64 → Dense 1 sigmoid."""

from typing import Any

import keras
import tensorflow as tf

from worker.tasks.sentiment.ragged_lstm import TURN, last_hidden, last_hidden_without_gradients
from worker.training.embedding_rows import rows

EMBEDDING_UNITS = 32
LSTM_UNITS = 64


def build_sentiment(vocab_size: int, seed: int) -> keras.Model:
    """Build the network: tokens (batch, time) in, the probability that a review is positive (batch, 1) out.

    Tokens are integers below `vocab_size`; 0 is padding, on the right, and is masked. On a GPU Keras' LSTM
    layer runs on cuDNN's kernel as it is configured here, which supports no other padding.

    Args:
        vocab_size: how many different tokens there are, the padding included.
        seed: of the initial weights.

    Returns:
        The network with its initial weights, 32 numbers for each token of the vocabulary among them.
    """
    rng = keras.random.SeedGenerator(seed)
    glorot = keras.initializers.GlorotUniform(rng)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    embedded = keras.layers.Embedding(
        vocab_size,
        EMBEDDING_UNITS,
        embeddings_initializer=keras.initializers.RandomUniform(seed=rng),
        mask_zero=True,
        name="embedding",
    )(tokens)
    hidden = keras.layers.LSTM(
        LSTM_UNITS,
        kernel_initializer=glorot,
        recurrent_initializer=keras.initializers.Orthogonal(seed=rng),
        name="lstm",
    )(embedded)
    probability = keras.layers.Dense(1, "sigmoid", kernel_initializer=glorot, name="probability")(hidden)
    return keras.Model(tokens, probability, name="sentiment")


def logits_of(model: keras.Model, tokens: Any, sizes: Any, *, learns: bool = True) -> Any:
    """Compute what the network's sigmoid is applied to, in the way that is fastest on this machine.

    Args:
        model: a network that `build_sentiment` made.
        tokens: (batch, time), int32, padded on the right with 0.
        sizes: (batch,), int64, how many tokens of each review are not padding: at least one.
        learns: whether gradients will be asked for.

    Returns:
        (batch,), float32: log-odds of `positive`.
    """
    embedding, lstm, dense = (model.get_layer(name) for name in ("embedding", "lstm", "probability"))
    if tf.config.list_physical_devices("GPU"):
        embedded = embedding(tokens)
        hidden = lstm(embedded, mask=embedding.compute_mask(tokens))
    else:
        hidden = _hidden_on_cpu(embedding, lstm, tokens, sizes, learns=learns)
    return tf.squeeze(tf.matmul(hidden, dense.kernel) + dense.bias, axis=1)


def _hidden_on_cpu(embedding: Any, lstm: Any, tokens: Any, sizes: Any, *, learns: bool) -> Any:
    """The LSTM's h after the last token of each review, (batch, units)."""
    whole_turns = tf.pad(tf.transpose(tokens), [[0, -tf.shape(tokens)[1] % TURN], [0, 0]])
    embedded = rows(tf.convert_to_tensor(embedding.embeddings), whole_turns)
    cell = lstm.cell
    weights = map(tf.convert_to_tensor, (cell.kernel, cell.recurrent_kernel, cell.bias))
    return (last_hidden if learns else last_hidden_without_gradients)(embedded, sizes, *weights)
