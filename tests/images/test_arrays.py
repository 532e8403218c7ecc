"""Noise and the choice of images to show."""

from typing import Any

import numpy as np

from worker.images.arrays import flat, one_of_each_digit, with_noise


def test_images_get_the_same_noise_at_once_and_in_parts(digits: Any) -> None:
    clean, rng = flat(digits.test), np.random.default_rng([1, 2])
    parts = [with_noise(clean[first : first + 100], 0.5, rng) for first in range(0, len(clean), 100)]
    assert (np.concatenate(parts) == with_noise(clean, 0.5, [1, 2])).all()


def test_without_noise_images_stay_as_they_are(digits: Any) -> None:
    clean = flat(digits.test)
    assert with_noise(clean, 0.0, [1]) is clean


def test_one_of_each_digit_comes_first() -> None:
    labels = np.array([3, 3, 1, 3, 1, 0])
    assert one_of_each_digit(labels, 6, 5).tolist() == [5, 2, 0, 4, 1]
    assert one_of_each_digit(None, 6, 5).tolist() == [0, 1, 2, 3, 4]
    assert one_of_each_digit(None, 2, 5).tolist() == [0, 1]
