"""Rows of a table are what one-hot vectors times the table are, gradients included."""

import numpy as np
import pytest
import tensorflow as tf

from worker.training.embedding_rows import rows


@pytest.mark.parametrize("shape_is_known", [True, False])
def test_rows_and_their_gradient_are_those_of_a_one_hot_product(shape_is_known: bool) -> None:
    rng = np.random.default_rng(0)
    table = tf.constant(rng.normal(size=(7, 3)).astype(np.float32))
    indices = tf.constant(rng.integers(0, 5, (4, 6)).astype(np.int32))  # rows 5 and 6 are never asked for
    weight = tf.constant(rng.normal(size=(4, 6, 3)).astype(np.float32))

    def looked_up(indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(table)
            found = rows(table, indices)
            total = tf.reduce_sum(weight * found)
        return found, tape.gradient(total, table)

    shape = [4, 6] if shape_is_known else [None, None]
    found, gradient = tf.function(looked_up, input_signature=[tf.TensorSpec(shape, tf.int32)])(indices)
    one_hot = tf.one_hot(tf.reshape(indices, [-1]), 7)
    expected = tf.matmul(one_hot, tf.reshape(weight, (-1, 3)), transpose_a=True)
    assert np.array_equal(found, tf.reshape(tf.matmul(one_hot, table), (4, 6, 3)))
    assert isinstance(gradient, tf.Tensor)
    assert np.allclose(gradient, expected, atol=1e-6)
