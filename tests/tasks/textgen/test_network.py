"""The fast ways through the network compute what plain Keras computes."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.tasks.textgen.jobs import states
from worker.tasks.textgen.network import build, logits_of, next_logits, zero_state


def test_the_network_is_the_one_of_the_design() -> None:
    layers = [type(layer).__name__ for layer in build(65).layers]
    assert [name for name in layers if name != "InputLayer"] == ["LSTM", "Dense"]
    assert "OneHot" in [type(operation).__name__ for operation in build(65).operations]
    assert build(65).count_params() == 4 * 128 * (65 + 128 + 1) + 65 * (128 + 1)


def test_the_model_file_is_one_that_plain_keras_loads(network: keras.Model, tmp_path: Path) -> None:
    network.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = [np.array([[3, 1, 4]]), *states(network, 1)]
    for one, other in zip(network.predict(inputs, verbose=0), loaded.predict(inputs, verbose=0), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("cudnn", [False, True])
def test_the_fast_way_to_read_gives_what_the_network_gives(network: keras.Model, cudnn: bool) -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 11, (7, 5)).astype(np.int32)
    state = random.normal(size=(2, 2, 5, 8)).astype(np.float32)
    expected, *expected_state = network([tf.constant(codes.T), *map(tf.constant, state.reshape(4, 5, 8))])
    logits, after = logits_of(network, codes, tf.constant(state), cudnn=cudnn)
    assert np.allclose(tf.nn.softmax(logits), np.transpose(expected, (1, 0, 2)), atol=1e-6)
    assert np.allclose(tf.reshape(after, (4, 5, 8)), expected_state, atol=1e-5)
    one_by_one = tf.constant(state)
    for step, row in enumerate(codes):
        last, one_by_one = next_logits(network, tf.constant(row), one_by_one)
        assert np.allclose(last, logits[step], atol=1e-5)


@pytest.mark.parametrize("time", [1, 2, 30])
def test_the_gradients_written_out_are_those_of_autodiff(network: keras.Model, time: int) -> None:
    random = np.random.default_rng(1)
    codes, targets = random.integers(0, 11, (2, time, 6)).astype(np.int32)
    state = tf.constant(random.normal(size=(2, 2, 6, 8)).astype(np.float32))
    weight_of_state = tf.constant(random.normal(size=(2, 2, 6, 8)).astype(np.float32))
    found = []
    for cudnn in (False, True):  # ours, and autodiff through Keras' layers
        with tf.GradientTape() as tape:
            tape.watch(state)
            logits, after = logits_of(network, codes, state, cudnn=cudnn)
            nats = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_sum(nats) + tf.reduce_sum(weight_of_state * after)
        variables = [weight.value for weight in network.trainable_variables]
        found.append(
            [tf.convert_to_tensor(each).numpy() for each in tape.gradient(loss, [*variables, state])]
        )
    for ours, theirs in zip(*found, strict=True):
        assert np.abs(ours - theirs).max() < 1e-5 * np.abs(theirs).max()


def test_a_window_whose_length_is_not_known_before_is_read_as_any_other(network: keras.Model) -> None:
    codes = np.random.default_rng(2).integers(0, 11, (37, 4)).astype(np.int32)
    state = zero_state(network, 4)
    unknown = tf.function(
        lambda codes: logits_of(network, codes, state),
        input_signature=[tf.TensorSpec([None, None], tf.int32)],
    )
    for ours, expected in zip(unknown(codes), logits_of(network, codes, state, cudnn=True), strict=True):
        assert np.allclose(ours, expected, atol=1e-5)
