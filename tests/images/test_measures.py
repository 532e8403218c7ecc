"""BCE, MSE, PSNR and SSIM are what their definitions say."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from worker.images.arrays import flat, with_noise
from worker.images.network import build_autoencoder, logits_of
from worker.images.quality import MEASURES, cross_entropy, errors, means, network_errors, quality


def test_measures_are_what_numpy_computes_by_hand(digits: Any) -> None:
    clean = flat(digits.test)
    noisy = with_noise(clean, 0.3, [1])
    mse = ((clean.astype(np.float64) - noisy) ** 2).mean(axis=1)
    measured = errors(clean, noisy)
    np.testing.assert_allclose(measured["mse"], mse, rtol=1e-5)
    np.testing.assert_allclose(measured["psnr_db"], 10 * np.log10(1 / mse), rtol=1e-5)
    assert quality(clean, noisy)["psnr_db"] == pytest.approx((10 * np.log10(1 / mse)).mean(), rel=1e-5)


def test_cross_entropy_is_that_of_keras_and_is_cut_off_nowhere(digits: Any) -> None:
    clean = flat(digits.test)
    logits = np.random.default_rng(0).normal(0, 4, clean.shape).astype(np.float32)
    keras_loss = keras.losses.BinaryCrossentropy(from_logits=True)(clean, logits)
    assert cross_entropy(clean, logits).mean() == pytest.approx(float(keras_loss), rel=1e-5)
    black, white = np.zeros((1, 784), np.float32), np.ones((1, 784), np.float32)
    for sure in (20.0, 50.0, 400.0):
        assert cross_entropy(white, -sure * white)[0] == pytest.approx(sure)
        assert cross_entropy(black, sure * white)[0] == pytest.approx(sure)
        assert cross_entropy(white, sure * white)[0] == pytest.approx(0, abs=1e-6)


def test_a_network_is_measured_on_its_own_output(digits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = flat(digits.test)
    noisy, network = with_noise(clean, 0.5, [1]), build_autoencoder(0)
    measured = network_errors(network, noisy, clean)
    assert list(measured) == ["bce", *MEASURES]
    np.testing.assert_allclose(measured["bce"], cross_entropy(clean, logits_of(network, noisy)), rtol=1e-5)
    np.testing.assert_allclose(measured["mse"], errors(clean, network(noisy).numpy())["mse"], rtol=1e-5)
    monkeypatch.setattr("worker.images.quality.BATCH", 7)
    assert means(network_errors(network, noisy, clean)) == pytest.approx(means(measured), rel=1e-5)


def test_no_measure_of_noisy_images_depends_on_a_constant(digits: Any) -> None:
    """Their cross-entropy would: a pixel that noise made wrongly black or white costs what it is cut off at."""
    assert "bce" not in MEASURES
    clean = flat(digits.test)
    assert list(quality(clean, with_noise(clean, 0.5, [1]))) == list(MEASURES)


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
