"""The autoencoder and the denoiser as a notebook trains them.

"Building Autoencoders in Keras" (https://blog.keras.io/building-autoencoders-in-keras.html): 784 → Dense 32
relu → Dense 784 sigmoid, images as float32 in [0, 1], binary cross-entropy, Adam, batches of 256, `fit` with
`shuffle=True` and validation after each epoch. The denoiser gets noise that is made once, before the
training, as there. Data are read as `mnist.load_data` and the blog do it: arrays of an `.npz`, then
`astype("float32") / 255`, the test images too; the file has the images of `mnist.npz`, divided.

Changed for honesty: validated on images that are held out of the training set, not on the test set; the
denoiser is a fresh network, not the autoencoder trained on; and nothing seeds Keras as a whole, which
would make `fit` use one and the same order of the images in every epoch.

Learning rates: `python -m benchmarks.learning_rates` gave these validation BCE after 10 epochs, one seed.

    Adam's         5e-4    1e-3    2e-3    4e-3    8e-3
    autoencoder    0.1129  0.0981  0.0948  0.1008  0.1062
    denoiser       0.1425  0.1330  0.1352  0.1413  0.1570
"""

import queue
import threading
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.data import image_errors, scaled

LEARNING_RATES = {False: 2e-3, True: 1e-3}
"""Without and with noise."""

BATCH = 256


def build(seed: int) -> keras.Model:
    """The network of the blog."""
    weights = keras.initializers.GlorotUniform(keras.random.SeedGenerator(seed))
    image = keras.Input((784,))
    encoded = keras.layers.Dense(32, activation="relu", kernel_initializer=weights)(image)
    decoded = keras.layers.Dense(784, activation="sigmoid", kernel_initializer=weights)(encoded)
    return keras.Model(image, decoded)


class Notebook:
    """One call of `fit`, which waits after each epoch until it is asked for the next."""

    def __init__(self, data: Path | str, seed: int, noise: float, learning_rate: float | None = None) -> None:
        """Without a learning rate, the best one found is used.

        `noise` is the standard deviation of what is added to the input, 0 for the autoencoder.
        """
        self._data = data
        with np.load(data, allow_pickle=False) as stored:
            train, validation, test = (stored[name] for name in ("train", "validation", "test"))
        train, validation, self._test = scaled(train), scaled(validation), scaled(test)
        began = time.perf_counter()
        seen, seen_validation = train, validation
        if noise:
            rng = np.random.default_rng([seed, 7])
            seen, seen_validation = (
                np.clip(clean + noise * rng.normal(0.0, 1.0, clean.shape), 0.0, 1.0).astype("float32")
                for clean in (train, validation)
            )
        self.seconds_for_noise = time.perf_counter() - began
        self._model = build(seed)
        optimizer = keras.optimizers.Adam(learning_rate or LEARNING_RATES[bool(noise)])
        self._model.compile(optimizer=optimizer, loss="binary_crossentropy")
        self._noisy = bool(noise)
        self._turn, self._done = queue.SimpleQueue[None](), queue.SimpleQueue[dict[str, float]]()
        self._fit = lambda: self._model.fit(
            seen,
            train,
            epochs=10**6,
            batch_size=BATCH,
            shuffle=True,
            validation_data=(seen_validation, validation),
            callbacks=[_TakesTurns(self._turn, self._done)],
            verbose=0,
        )
        self._started = False

    def epoch(self) -> dict[str, float]:
        """Train one epoch: its `seconds`, with what `fit` does around it, and its losses."""
        if not self._started:
            threading.Thread(target=self._fit, daemon=True).start()
            self._started = True
        self._turn.put(None)
        return self._done.get()

    def quality(self) -> dict[str, float]:
        """BCE and PSNR on the test images, noisy ones if it is a denoiser."""
        seen = self._test
        if self._noisy:
            with np.load(self._data, allow_pickle=False) as stored:
                seen = stored["noisy_test"]
        return image_errors(self._test, self._model.predict(seen, batch_size=1_000, verbose=0))

    def noise_seconds(self) -> float:
        """How long it took to make the noise, once."""
        return self.seconds_for_noise


class _TakesTurns(keras.callbacks.Callback):  # type: ignore[misc]
    def __init__(self, turn: Any, done: Any) -> None:
        super().__init__()
        self._turn, self._done = turn, done

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' signature
        self._turn.get()
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002 - Keras' signature
        seconds = time.perf_counter() - self._began
        self._done.put({"seconds": seconds, "loss": logs["loss"], "validation_loss": logs["val_loss"]})


def start(**options: Any) -> Notebook:
    """The notebook's side."""
    return Notebook(**options)
