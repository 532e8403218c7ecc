"""Trainables of the image models, made for tests."""

from typing import Any

import numpy as np

from worker.images.network import build_autoencoder
from worker.images.training import ImageTrainable


def numbered_images(count: int) -> Any:
    """Images that are all different: the first two pixels are their number."""
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(count) // 256, np.arange(count) % 256
    return images


def training(images: Any, noise: float, **changed: Any) -> ImageTrainable:
    arguments = {"batch_size": 32, "learning_rate": 3e-3, "seed": 5} | changed
    return ImageTrainable(build_autoencoder(arguments["seed"]), images, noise=noise, **arguments)


def bits(trainable: ImageTrainable) -> list[bytes]:
    return [np.asarray(variable).tobytes() for variable in trainable.variables()]
