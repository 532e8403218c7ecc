"""How close images are to what they should be: BCE, MSE, PSNR, SSIM."""

from typing import Any

import numpy as np
import tensorflow as tf

from worker.images.arrays import Floats
from worker.images.pixels import PIXELS, SIDE

MEASURES = ("bce", "mse", "psnr_db", "ssim")

SMALLEST_PROBABILITY = 1e-7
"""Keras' epsilon: keeps the logarithm finite for a pixel that is certainly black or white."""

SMALLEST_MSE = 1e-10
"""An image without any error counts as 100 dB, so that a mean over images stays finite."""

SSIM_WINDOW, SSIM_WINDOW_STD = 11, 1.5
SSIM_LUMINANCE, SSIM_CONTRAST = 0.01**2, 0.03**2

BATCH = 1_000


def quality(clean: Floats, images: Floats) -> dict[str, float]:
    """Compare images with the clean ones they stand for.

    Args:
        clean: float32 (n, 784) in [0, 1].
        images: float32 (n, 784) in [0, 1].

    Returns:
        The mean of each of MEASURES, with the units of `errors`.
    """
    return {name: float(values.mean(dtype=np.float64)) for name, values in errors(clean, images).items()}


def errors(clean: Floats, images: Floats) -> dict[str, Floats]:
    """Compare each image with the clean one it stands for.

    Args:
        clean: float32 (n, 784) in [0, 1].
        images: float32 (n, 784) in [0, 1].

    Returns:
        Arrays (n,) by the names of MEASURES. `bce`: binary cross-entropy, nats per pixel. `mse`: mean
        squared error. `psnr_db`: peak signal-to-noise ratio of each image, 10 · log10(1 / MSE), in dB; the
        mean over images, as `tf.image.psnr` is commonly averaged, is above the ratio for the mean MSE.
        `ssim`: structural similarity (Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861), with the
        window of 11 × 11 pixels and the constants of `tf.image.ssim`.
    """
    parts = [
        _errors(clean[first : first + BATCH], images[first : first + BATCH])
        for first in range(0, len(clean), BATCH)
    ]
    return {name: np.concatenate([part[name].numpy() for part in parts]) for name in MEASURES}


@tf.function(input_signature=[tf.TensorSpec([None, PIXELS], tf.float32)] * 2)  # type: ignore[untyped-decorator]
def _errors(clean: Any, images: Any) -> dict[str, Any]:
    likely = tf.clip_by_value(images, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    losses = clean * tf.math.log(likely) + (1 - clean) * tf.math.log(1 - likely)
    mse = tf.reduce_mean(tf.math.squared_difference(clean, images), axis=1)
    psnr = -10 / np.log(10) * tf.math.log(tf.maximum(mse, SMALLEST_MSE))
    values = (-tf.reduce_mean(losses, axis=1), mse, psnr, _structural_similarity(clean, images))
    return dict(zip(MEASURES, values, strict=True))


def _structural_similarity(clean: Any, images: Any) -> Any:
    """SSIM of each image (n,).

    Ours, because `tf.image.ssim` computes the same by convolutions, which took 7 s for 10,000 images on two
    cores; a Gaussian window is a product of two matrices with the image between them, which takes 0.1 s.
    """
    blur = tf.constant(_gaussian_blur())

    def local_mean(values: Any) -> Any:
        return blur @ tf.reshape(values, (-1, SIDE, SIDE)) @ tf.transpose(blur)

    mean, other_mean = local_mean(clean), local_mean(images)
    product, squares = mean * other_mean, tf.square(mean) + tf.square(other_mean)
    covariance = local_mean(clean * images) - product
    variances = local_mean(tf.square(clean) + tf.square(images)) - squares
    luminance = (2 * product + SSIM_LUMINANCE) / (squares + SSIM_LUMINANCE)
    contrast = (2 * covariance + SSIM_CONTRAST) / (variances + SSIM_CONTRAST)
    return tf.reduce_mean(luminance * contrast, axis=(1, 2))


def _gaussian_blur() -> Floats:
    """One row (18, 28) for each place where the window lies entirely within a line of pixels."""
    places = SIDE - SSIM_WINDOW + 1
    offsets = np.arange(SSIM_WINDOW) - SSIM_WINDOW // 2
    weights = np.exp(-0.5 * np.square(offsets / SSIM_WINDOW_STD))
    blur = np.zeros((places, SIDE), np.float32)
    for place in range(places):
        blur[place, place : place + SSIM_WINDOW] = weights / weights.sum()
    return blur
