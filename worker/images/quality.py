"""How close images are to what they should be: MSE, PSNR, SSIM, and BCE of a network's output."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from worker.images.arrays import Floats
from worker.images.network import logits_of, predict
from worker.images.pixels import PIXELS, SIDE
from worker.training.cpu_parallel import parallel_parts

MEASURES = ("mse", "psnr_db", "ssim")
"""Of any images. Binary cross-entropy is none of them: it is infinite for a pixel that is wrongly black or
white, as many are in images with noise, so that it would measure the number it is cut off at."""

SMALLEST_MSE = 1e-10
"""An image without any error counts as 100 dB, so that a mean over images stays finite."""

SSIM_WINDOW, SSIM_WINDOW_STD = 11, 1.5
SSIM_LUMINANCE, SSIM_CONTRAST = 0.01**2, 0.03**2

BATCH = 1_000


def means(measured: Mapping[str, Floats]) -> dict[str, float]:
    """The mean of each measure over the images, from arrays (n,)."""
    return {name: float(values.mean(dtype=np.float64)) for name, values in measured.items()}


def quality(clean: Floats, images: Floats) -> dict[str, float]:
    """Compare images with the clean ones they stand for.

    Args:
        clean: float32 (n, 784) in [0, 1].
        images: float32 (n, 784) in [0, 1].

    Returns:
        The mean of each of MEASURES, with the units of `errors`.
    """
    return means(errors(clean, images))


def errors(clean: Floats, images: Floats) -> dict[str, Floats]:
    """Compare each image with the clean one it stands for.

    Args:
        clean: float32 (n, 784) in [0, 1].
        images: float32 (n, 784) in [0, 1].

    Returns:
        Arrays (n,) by the names of MEASURES. `mse`: mean squared error. `psnr_db`: peak signal-to-noise
        ratio of each image, 10 · log10(1 / MSE), in dB, and 100 dB for an image without error; the mean
        over images, as `tf.image.psnr` is commonly averaged, is at least the ratio for the mean MSE.
        `ssim`: structural similarity (Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861), with the
        window of 11 × 11 pixels and the constants of `tf.image.ssim`.
    """
    return in_batches(_errors, clean, images)


def network_errors(model: keras.Model, inputs: Floats, clean: Floats) -> dict[str, Floats]:
    """Compare each output of a network with the clean image it stands for.

    Args:
        model: as built by `build_autoencoder`.
        inputs: float32 (n, 784) in [0, 1].
        clean: float32 (n, 784) in [0, 1].

    Returns:
        Arrays (n,): `bce`, as `cross_entropy` computes it, and those of `errors`.
    """

    def measured(seen: Floats, hoped_for: Floats) -> dict[str, Any]:
        outputs = predict(model, seen)
        return {"bce": cross_entropy(hoped_for, logits_of(model, seen)), **_errors(hoped_for, outputs)}

    return in_batches(measured, inputs, clean)


def in_batches(measure: Callable[..., Mapping[str, Any]], *arrays: Floats) -> dict[str, Floats]:
    """Measure arrays (n, …) a thousand rows at a time, so that memory does not grow with n; on a CPU two
    thousand, side by side.

    Args:
        measure: called with the same rows of each array; returns arrays (rows,) by name.
        arrays: of the same length, at least 1.
    """

    def measured(first: int) -> Mapping[str, Any]:
        return measure(*(array[first : first + BATCH] for array in arrays))

    with ThreadPoolExecutor(parallel_parts()) as pool:
        parts = list(pool.map(measured, range(0, len(arrays[0]), BATCH)))
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


def cross_entropy(clean: Floats, logits: Any) -> Floats:
    """Binary cross-entropy of each image.

    From logits, as in training: of probabilities in float32 it would depend on the constant that keeps the
    logarithm finite.

    Args:
        clean: float32 (n, 784) in [0, 1].
        logits: float32 (n, 784) or (784,), log-odds.

    Returns:
        (n,), nats per pixel.
    """
    losses = tf.nn.sigmoid_cross_entropy_with_logits(clean, np.broadcast_to(logits, clean.shape))
    means: Floats = tf.reduce_mean(losses, axis=1).numpy()
    return means


@tf.function(  # type: ignore[untyped-decorator]
    input_signature=[tf.TensorSpec([None, PIXELS], tf.float32)] * 2, autograph=False
)
def _errors(clean: Any, images: Any) -> dict[str, Any]:
    mse = tf.reduce_mean(tf.math.squared_difference(clean, images), axis=1)
    psnr = -10 / np.log(10) * tf.math.log(tf.maximum(mse, SMALLEST_MSE))
    values = (mse, psnr, _structural_similarity(clean, images))
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
