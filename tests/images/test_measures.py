"""BCE, MSE, PSNR and SSIM are what their definitions say."""

import math
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from worker.images.arrays import flat, with_noise
from worker.images.quality import errors, quality


def test_measures_are_what_numpy_computes_by_hand(digits: Any) -> None:
    clean = flat(digits.test)
    noisy = with_noise(clean, 0.3, [1])
    probability = np.clip(noisy, np.float32(1e-7), np.float32(1 - 1e-7)).astype(np.float64)
    bce = -(clean * np.log(probability) + (1 - clean) * np.log(1 - probability)).mean(axis=1)
    mse = ((clean.astype(np.float64) - noisy) ** 2).mean(axis=1)
    measured = errors(clean, noisy)
    np.testing.assert_allclose(measured["bce"], bce, rtol=1e-5)
    np.testing.assert_allclose(measured["mse"], mse, rtol=1e-5)
    np.testing.assert_allclose(measured["psnr_db"], 10 * np.log10(1 / mse), rtol=1e-5)
    assert quality(clean, noisy)["psnr_db"] == pytest.approx((10 * np.log10(1 / mse)).mean(), rel=1e-5)


def test_ssim_is_that_of_tensorflow(digits: Any) -> None:
    clean = flat(digits.test)
    noisy = with_noise(clean, 0.3, [1])
    squares = [tf.reshape(images, (-1, 28, 28, 1)) for images in (clean, noisy)]
    np.testing.assert_allclose(
        errors(clean, noisy)["ssim"], tf.image.ssim(*squares, max_val=1.0).numpy(), atol=1e-5
    )


def test_an_image_without_error_has_finite_measures(digits: Any) -> None:
    clean = flat(digits.test)
    measured = quality(clean, clean)
    assert measured["mse"] == 0
    assert measured["psnr_db"] == pytest.approx(100)
    assert measured["ssim"] == pytest.approx(1)
    assert math.isfinite(measured["bce"])
