"""Adam makes the steps that Keras' own makes."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from worker.images.training import WarmUpThenDecay
from worker.training.adam import Adam

SHAPES = ((5, 3), (3,))
STEPS = 300


def weights() -> list[keras.Variable]:
    random = np.random.default_rng(0)
    return [keras.Variable(random.normal(size=shape).astype(np.float32)) for shape in SHAPES]


def gradients(step: int) -> list[tf.Tensor]:
    random = np.random.default_rng([1, step])
    return [tf.constant(random.normal(size=shape).astype(np.float32)) for shape in SHAPES]


@pytest.mark.quality
@pytest.mark.parametrize("clip_norm", [None, 1.0])
@pytest.mark.parametrize("rate", [lambda: 1e-2, lambda: WarmUpThenDecay(1e-2)])
def test_its_steps_are_those_of_keras(rate: Callable[[], Any], clip_norm: float | None) -> None:
    mine, theirs = weights(), weights()
    ours = Adam(mine, rate(), clip_norm)
    keras_adam = keras.optimizers.Adam(rate(), global_clipnorm=clip_norm)
    for step in range(STEPS):
        ours.apply(gradients(step))
        keras_adam.apply(gradients(step), theirs)
    for one, other, start in zip(mine, theirs, weights(), strict=True):
        assert np.abs(one.numpy() - other.numpy()).max() < 1e-5
        assert np.abs(one.numpy() - start.numpy()).max() > 0.05


def test_a_sparse_gradient_counts_as_the_dense_one_that_it_is() -> None:
    dense, sparse = (keras.Variable(np.ones((4, 2), np.float32)) for _ in range(2))
    rows = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    twice = tf.IndexedSlices(rows, tf.constant([2, 0, 2]), tf.constant([4, 2]))
    for variable, gradient in ((dense, tf.convert_to_tensor(twice)), (sparse, twice)):
        optimizer = Adam([variable], 0.1)
        optimizer.apply([gradient])
        optimizer.apply([gradient])
    assert np.array_equal(dense.numpy(), sparse.numpy())


def test_after_a_restart_it_makes_its_first_steps_again() -> None:
    mine = weights()
    optimizer = Adam(mine, 1e-2)
    ends = []
    for _ in range(2):
        for weight, start in zip(mine, weights(), strict=True):
            weight.assign(start)
        optimizer.restart()
        for step in range(5):
            optimizer.apply(gradients(step))
        ends.append([weight.numpy().tobytes() for weight in mine])
    assert ends[0] == ends[1]
    assert int(optimizer.iterations) == 5


def test_a_run_with_another_learning_rate_needs_no_other_function() -> None:
    mine, theirs = weights(), weights()
    reused, new = Adam(mine, 1e-2), Adam(theirs, 3e-3)
    step = tf.function(lambda: reused.apply(gradients(0)))
    step()
    for variable, start in zip(mine, weights(), strict=True):
        variable.assign(start)
    reused.restart(3e-3)
    assert reused.learning_rate == pytest.approx(3e-3)
    step()
    new.apply(gradients(0))
    assert step.experimental_get_tracing_count() == 1
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-6)


def test_the_rate_that_is_recorded_is_the_one_that_a_step_takes() -> None:
    for warm_up in (200, 30):
        schedule = WarmUpThenDecay(3e-3, warm_up)
        for step in (0, 10, warm_up - 1, warm_up, 5_000):
            assert schedule.at(step) == pytest.approx(float(schedule(step)), rel=1e-5)
        assert schedule.at(warm_up - 1) == pytest.approx(3e-3 / (1 + (warm_up - 1) / 1_000) ** 0.5)
        assert schedule.at(0) == pytest.approx(3e-3 / warm_up)
