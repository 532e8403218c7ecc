"""The network that judges a review: Embedding → LSTM 64 → Dense 1 sigmoid."""

from typing import Any

import keras
import tensorflow as tf

from worker.models.look_up import rows
from worker.models.reading import TURN, last_hidden

EMBEDDING_UNITS = 32
LSTM_UNITS = 64


def build_sentiment(numbers: int, seed: int) -> keras.Model:
    """The network: tokens (batch, time) in, the probability that a review is positive (batch, 1) out.

    Tokens are whole numbers below `numbers`; 0 is padding, on the right, and is passed over. On a GPU
    Keras' LSTM layer runs on cuDNN's kernel as it stands here, which knows no other padding.

    Args:
        numbers: how many different tokens there are, the padding included.
        seed: of the initial weights.
    """
    chance = keras.random.SeedGenerator(seed)
    glorot = keras.initializers.GlorotUniform(chance)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    embedded = keras.layers.Embedding(
        numbers,
        EMBEDDING_UNITS,
        embeddings_initializer=keras.initializers.RandomUniform(seed=chance),
        mask_zero=True,
        name="embedding",
    )(tokens)
    read = keras.layers.LSTM(
        LSTM_UNITS,
        kernel_initializer=glorot,
        recurrent_initializer=keras.initializers.Orthogonal(seed=chance),
        name="lstm",
    )(embedded)
    probability = keras.layers.Dense(1, "sigmoid", kernel_initializer=glorot, name="probability")(read)
    return keras.Model(tokens, probability, name="sentiment")


def logits_of(model: keras.Model, tokens: Any, sizes: Any) -> Any:
    """What the network's sigmoid is applied to, in the way that is fastest on this machine.

    Args:
        model: a network that `build_sentiment` made.
        tokens: (batch, time), int32, padded on the right with 0.
        sizes: (batch,), int64, how many tokens of each review are none of the padding: at least one.

    Returns:
        (batch,), float32.
    """
    embedding, lstm, dense = (model.get_layer(name) for name in ("embedding", "lstm", "probability"))
    if tf.config.list_physical_devices("GPU"):
        embedded = embedding(tokens)
        read = lstm(embedded, mask=embedding.compute_mask(tokens))
    else:
        read = _read(embedding, lstm, tokens, sizes)
    return tf.squeeze(tf.matmul(read, dense.kernel) + dense.bias, axis=1)


def _read(embedding: Any, lstm: Any, tokens: Any, sizes: Any) -> Any:
    """The LSTM's state after the last token of each review, (batch, units), on a CPU."""
    whole_turns = tf.pad(tf.transpose(tokens), [[0, -tf.shape(tokens)[1] % TURN], [0, 0]])
    embedded = rows(tf.convert_to_tensor(embedding.embeddings), whole_turns)
    cell = lstm.cell
    weights = map(tf.convert_to_tensor, (cell.kernel, cell.recurrent_kernel, cell.bias))
    return last_hidden(embedded, sizes, *weights)
