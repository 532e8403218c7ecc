"""The interval of a gain holds the true gain about as often as it says, also of texts whose errors go together."""

import numpy as np
import pytest

from worker.tasks.textgen.paired import gain


@pytest.mark.parametrize("length", [100, 400, 20_000])
def test_nineteen_intervals_of_twenty_hold_the_true_gain(length: int) -> None:
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(400):
        # Errors that go together over a few characters, as within a word.
        noise = np.convolve(rng.normal(size=length + 4), np.ones(5), "valid")
        of = gain(np.full(length, 2.0), 2.25 + noise)
        assert of.low < of.mean < of.high
        found += of.low <= 0.25 <= of.high
    assert 0.91 <= found / 400 <= 0.985


def test_the_gain_is_what_the_first_saves() -> None:
    of = gain(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 3.0, 4.0, 5.0]))
    assert of == (1.0, 1.0, 1.0)
