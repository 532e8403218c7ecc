"""Images as bytes, as what the network takes, with noise; and which of many to show."""

import numpy as np
from numpy.typing import NDArray

from worker.data.pixels import Labels, Pixels
from worker.models.autoencoder import PIXELS, SIDE

Floats = NDArray[np.float32]


def flat(images: Pixels) -> Floats:
    """Images uint8 (n, 28, 28) as the network takes them: float32 (n, 784) in [0, 1]."""
    return images.reshape(len(images), PIXELS).astype(np.float32) / np.float32(255)


def as_bytes(images: Floats) -> Pixels:
    """Images (n, 784) in [0, 1] as a file holds them: uint8 (n, 28, 28)."""
    levels: Pixels = np.rint(images * 255).astype(np.uint8).reshape(-1, SIDE, SIDE)
    return levels


def with_noise(clean: Floats, noise: float, seed: list[int] | np.random.Generator) -> Floats:
    """Images (n, 784) with Gaussian noise of this standard deviation, clipped to [0, 1].

    The noise is the same for the same seed: a job's, followed by numbers of the caller's own. A generator
    goes on from where it is, so that parts of many images get what these would get at once.
    """
    noisy: Floats = np.random.default_rng(seed).standard_normal(clean.shape, np.float32)
    noisy *= np.float32(noise)
    noisy += clean
    return np.clip(noisy, 0, 1, out=noisy)


def one_of_each_digit(labels: Labels | None, images: int, count: int) -> NDArray[np.int64]:
    """Indices of `count` images to show: the first of each digit, the second of each, and so on.

    Without labels, the first images.
    """
    if labels is None:
        return np.arange(min(images, count))
    order = np.argsort(labels, kind="stable")
    _, first, size = np.unique(labels[order], return_index=True, return_counts=True)
    place = np.arange(len(labels)) - np.repeat(first, size)
    return order[np.argsort(place, kind="stable")][:count]
