"""The average of a training run's weights goes where its definition says."""

import keras
import numpy as np

from worker.training.weight_average import update_averages


def test_an_average_forgets_its_first_steps_soon_and_goes_back_no_longer_than_asked() -> None:
    rng = np.random.default_rng(0)
    start = rng.normal(size=(3, 2)).astype(np.float32)
    average, weight = keras.Variable(start), keras.Variable(start)
    expected = start.astype(np.float64)
    for step in range(1, 60):
        weight.assign(rng.normal(size=(3, 2)).astype(np.float32))
        update_averages([average], [weight], step, longest=0.8)
        keep = min(0.8, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * weight.numpy()
        assert np.allclose(average.numpy(), expected, atol=1e-6)
    assert not np.allclose(average.numpy(), weight.numpy(), atol=0.1)
