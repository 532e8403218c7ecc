"""The network, and the fast way through it beside Keras' own."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.tasks.sentiment.jobs import padded_table, some_tokens
from worker.tasks.sentiment.network import build_sentiment, logits_of
from worker.tasks.sentiment.ragged_lstm import TURN


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the way that a GPU takes: Keras' own layer."""
    monkeypatch.setattr("worker.tasks.sentiment.network.tf.config.list_physical_devices", lambda _: ["GPU:0"])


def test_the_network_is_the_one_of_the_design() -> None:
    model = build_sentiment(10_002, seed=0)
    layers = [type(layer).__name__ for layer in model.layers]
    assert [name for name in layers if name not in ("InputLayer", "NotEqual")] == [
        "Embedding",
        "LSTM",
        "Dense",
    ]
    assert model.count_params() == 10_002 * 32 + 4 * 64 * (32 + 64 + 1) + 65
    # What Keras asks of a layer that is to run on cuDNN's kernel.
    lstm = model.get_layer("lstm")
    assert (lstm.activation, lstm.recurrent_activation) == (keras.activations.tanh, keras.activations.sigmoid)
    assert (lstm.use_bias, lstm.unroll, lstm.recurrent_dropout) == (True, False, 0)


def test_the_model_file_is_one_that_plain_keras_loads(network: keras.Model, tmp_path: Path) -> None:
    network.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    tokens, _ = padded_table(some_tokens(5, 9))
    assert np.array_equal(network(tokens), loaded(tokens))


@pytest.mark.parametrize("longest", [1, TURN, TURN + 1, 3 * TURN - 5])
def test_the_fast_ways_to_read_give_what_the_network_gives(network: keras.Model, longest: int) -> None:
    tokens, sizes = padded_table(some_tokens(40, longest))
    expected = network(tokens)[:, 0]
    learning = logits_of(network, tokens, sizes)
    assert np.allclose(tf.sigmoid(learning), expected, atol=1e-5)
    assert np.allclose(logits_of(network, tokens, sizes, learns=False), learning, rtol=1e-6, atol=1e-6)


@pytest.mark.usefixtures("as_on_a_gpu")
def test_the_way_of_a_gpu_gives_what_the_network_gives(network: keras.Model) -> None:
    tokens, sizes = padded_table(some_tokens(40, 30))
    assert np.allclose(tf.sigmoid(logits_of(network, tokens, sizes)), network(tokens)[:, 0], atol=1e-5)


@pytest.mark.parametrize("longest", [2, TURN, TURN + 1, 3 * TURN - 5])
def test_the_gradients_of_the_fast_way_are_those_of_autodiff(
    network: keras.Model, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    tokens, sizes = padded_table(some_tokens(12, longest))
    labels = tf.constant(np.arange(12) % 2, tf.float32)
    found = []
    for devices in ([], ["GPU:0"]):  # ours, and autodiff through Keras' layers
        monkeypatch.setattr(
            "worker.tasks.sentiment.network.tf.config.list_physical_devices", lambda _, d=devices: d
        )
        with tf.GradientTape() as tape:
            logits = logits_of(network, tokens, sizes)
            loss = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
        variables = [weight.value for weight in network.trainable_variables]
        found.append([tf.convert_to_tensor(each).numpy() for each in tape.gradient(loss, variables)])
    for ours, theirs in zip(*found, strict=True):
        assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()
