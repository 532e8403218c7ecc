"""The network of the image models: 784 → Dense 32 → Dense 784 sigmoid.

The plain one of "Building Autoencoders in Keras" (https://blog.keras.io/building-autoencoders-in-keras.html).
"""

from typing import Any

import keras
import numpy as np

from jobs.store.job_folder import MODEL, JobFolder
from worker.images.arrays import Floats
from worker.images.pixels import PIXELS
from worker.training.saved_weights import load_weights

CODE_UNITS = 32

PREDICTION_BATCH = 4_096
"""Rows that a network processes in one call."""


def build_autoencoder(seed: int) -> keras.Model:
    """Build the network: images (n, 784) in [0, 1] in, reconstructions (n, 784) in (0, 1) out.

    Args:
        seed: of the initial weights, Glorot's uniform ones (https://proceedings.mlr.press/v9/glorot10a.html).
    """
    weights = keras.initializers.GlorotUniform(keras.random.SeedGenerator(seed))
    image = keras.Input((PIXELS,), name="image")
    code = keras.layers.Dense(CODE_UNITS, "relu", kernel_initializer=weights, name="code")(image)
    reconstruction = keras.layers.Dense(PIXELS, "sigmoid", kernel_initializer=weights, name="reconstruction")(
        code
    )
    return keras.Model(image, reconstruction, name="autoencoder")


def encoder_of(model: keras.Model) -> keras.Model:
    """The first half of a network: images (n, 784) in, codes (n, 32) ≥ 0 out."""
    return keras.Model(model.input, model.get_layer("code").output, name="encoder")


def decoder_of(model: keras.Model) -> keras.Model:
    """The second half of a network: codes (n, 32) in, images (n, 784) in (0, 1) out."""
    code = keras.Input((CODE_UNITS,), name="code")
    return keras.Model(code, model.get_layer("reconstruction")(code), name="decoder")


def logits_of(model: keras.Model, images: Any) -> Any:
    """Compute what a network's sigmoid is applied to.

    Args:
        model: as built by `build_autoencoder`.
        images: float32 (n, 784) in [0, 1].

    Returns:
        float32 (n, 784), log-odds.
    """
    code, reconstruction = model.get_layer("code"), model.get_layer("reconstruction")
    return code(images) @ reconstruction.kernel + reconstruction.bias


def load_network(folder: JobFolder) -> keras.Model:
    """Load the network of a finished training job.

    It is built by this module, and only its weights are read from the folder.

    Raises:
        DamagedFolder: they cannot be read, belong to another network, or are not finite numbers.
    """
    model = build_autoencoder(0)
    load_weights(model, folder.path / MODEL)
    return model


def predict(model: keras.Model, values: Floats) -> Floats:
    """Compute a model's output, a few thousand rows at a time.

    Args:
        model: a network, or one of its halves.
        values: float32 (n, units of its input), n ≥ 0.

    Returns:
        float32 (n, units of its output).
    """
    parts: list[Any] = [
        np.asarray(model(values[first : first + PREDICTION_BATCH]))
        for first in range(0, max(1, len(values)), PREDICTION_BATCH)
    ]
    return np.concatenate(parts)
