"""How close images are to what they should be: BCE, MSE, PSNR, SSIM."""

import math
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Images = NDArray[np.float32]

SMALLEST_PROBABILITY = 1e-7
"""Keras' epsilon: keeps the logarithm of a pixel that is surely black or white finite."""

SSIM_BATCH = 1_000


def quality(clean: Images, images: Images) -> dict[str, float]:
    """Compare images (n, 784) in [0, 1] with the clean ones they stand for.

    Returns:
        `bce` (nats per pixel), `mse`, `psnr_db` (dB, of the mean squared error over all images, not the
        mean of each image's PSNR) and `ssim` (mean over images; Wang et al. 2004,
        https://doi.org/10.1109/TIP.2003.819861, with its 11 × 11 window).
    """
    error = float(np.mean(np.square(clean - images), dtype=np.float64))
    return {
        "bce": binary_cross_entropy(clean, images),
        "mse": error,
        "psnr_db": 10 * math.log10(1 / max(error, 1e-10)),
        "ssim": structural_similarity(clean, images),
    }


def binary_cross_entropy(clean: Images, images: Images) -> float:
    """Mean over images (n, 784) and pixels, in nats."""
    likely = np.clip(images, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    losses = clean * np.log(likely) + (1 - clean) * np.log1p(-likely)
    return -float(np.mean(losses, dtype=np.float64))


def structural_similarity(clean: Images, images: Images) -> float:
    """Mean SSIM of images (n, 784) in [0, 1]."""
    total = 0.0
    for first in range(0, len(clean), SSIM_BATCH):
        pair = [_squares(part[first : first + SSIM_BATCH]) for part in (clean, images)]
        total += float(tf.reduce_sum(tf.image.ssim(*pair, max_val=1.0)))
    return total / len(clean)


def _squares(images: Images) -> Any:
    return tf.reshape(tf.constant(images), (-1, 28, 28, 1))
