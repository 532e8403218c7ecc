"""Images as bytes, as the network's input, and with noise; and which of many to show."""

import numpy as np
from numpy.typing import NDArray

from worker.images.pixels import PIXELS, SIDE, Labels, Pixels

Floats = NDArray[np.float32]


def flat(images: Pixels) -> Floats:
    """Convert images uint8 (n, 28, 28) into the network's input: float32 (n, 784) in [0, 1]."""
    return images.reshape(len(images), PIXELS).astype(np.float32) / np.float32(255)


def as_bytes(images: Floats) -> Pixels:
    """Convert images float32 (n, 784) in [0, 1] into what a file holds: uint8 (n, 28, 28)."""
    levels: Pixels = np.rint(images * 255).astype(np.uint8).reshape(-1, SIDE, SIDE)
    return levels


def with_noise(clean: Floats, noise: float, seed: list[int] | np.random.Generator) -> Floats:
    """Add Gaussian noise to images and clip them to [0, 1].

    Args:
        clean: float32 (n, 784) in [0, 1].
        noise: its standard deviation, pixels being in [0, 1].
        seed: a job's seed, followed by numbers of the caller's own; equal seeds give equal noise. A
            generator continues from its state, so that several calls give the noise that one would give.

    Returns:
        float32 (n, 784) in [0, 1]; `clean` itself where there is no noise.
    """
    if not noise:
        return clean
    return with_scaled(clean, noise, standard_normals(clean, seed))


def standard_normals(images: Floats, seed: list[int] | np.random.Generator) -> Floats:
    """Draw noise for images float32 (n, 784), of standard deviation 1, by a seed as `with_noise` takes."""
    return np.random.default_rng(seed).standard_normal(images.shape, np.float32)


def with_scaled(clean: Floats, noise: float, normals: Floats) -> Floats:
    """Add noise that was drawn before, as `with_noise` does.

    Args:
        clean: float32 (n, 784) in [0, 1].
        noise: its standard deviation.
        normals: float32 (n, 784), as `standard_normals` draws them.

    Returns:
        float32 (n, 784) in [0, 1].
    """
    noisy: Floats = normals * np.float32(noise)
    noisy += clean
    return np.clip(noisy, 0, 1, out=noisy)


def one_of_each_digit(labels: Labels | None, images: int, count: int) -> NDArray[np.int64]:
    """Choose images to show: the first of each digit, then the second of each, and so on.

    Args:
        labels: int64 (images,), or None, for which the first images are chosen.
        images: how many there are.
        count: how many to choose.

    Returns:
        Indices (k,), k ≤ `count`.
    """
    if labels is None:
        return np.arange(min(images, count))
    order = np.argsort(labels, kind="stable")
    _, first, size = np.unique(labels[order], return_index=True, return_counts=True)
    place = np.arange(len(labels)) - np.repeat(first, size)
    return order[np.argsort(place, kind="stable")][:count]
