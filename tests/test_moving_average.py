"""The average of a training's weights goes where its definition says."""

import keras
import numpy as np

from worker import moving_average


def test_an_average_forgets_its_first_steps_soon_and_goes_back_no_longer_than_asked() -> None:
    random = np.random.default_rng(0)
    start = random.normal(size=(3, 2)).astype(np.float32)
    average, weight = keras.Variable(start), keras.Variable(start)
    expected = start.astype(np.float64)
    for step in range(1, 60):
        weight.assign(random.normal(size=(3, 2)).astype(np.float32))
        moving_average.follow([average], [weight], step, longest=0.8)
        keep = min(0.8, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * weight.numpy()
        assert np.allclose(average.numpy(), expected, atol=1e-6)
    assert not np.allclose(average.numpy(), weight.numpy(), atol=0.1)
