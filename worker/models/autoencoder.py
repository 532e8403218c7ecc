"""The network of the autoencoder and of the denoiser: 784 → Dense 32 → Dense 784 sigmoid.

The plain one of "Building Autoencoders in Keras" (https://blog.keras.io/building-autoencoders-in-keras.html).
"""

from typing import Any

import keras

SIDE = 28
PIXELS = SIDE * SIDE
CODE_UNITS = 32


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
    """The first half: images (n, 784) in, codes (n, 32) of 0 and above out."""
    return keras.Model(model.input, model.get_layer("code").output, name="encoder")


def decoder_of(model: keras.Model) -> keras.Model:
    """The second half: codes (n, 32) in, images (n, 784) out."""
    code = keras.Input((CODE_UNITS,), name="code")
    return keras.Model(code, model.get_layer("reconstruction")(code), name="decoder")


def logits_of(model: keras.Model, images: Any) -> Any:
    """What the network's sigmoid is applied to, (n, 784), for images (n, 784)."""
    code, reconstruction = model.get_layer("code"), model.get_layer("reconstruction")
    return code(images) @ reconstruction.kernel + reconstruction.bias
