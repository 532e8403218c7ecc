"""The autoencoder and the denoiser as a worker trains them."""

import time
from pathlib import Path
from typing import Any

from benchmarks.data import arrays, image_errors, scaled
from jobs.spec import JobSpec
from worker.engine.gpu import device
from worker.images.network import build_autoencoder, predict
from worker.images.training import ImageTrainable


class Quartet:
    """`worker.images.training.ImageTrainable` with the defaults of a job, driven as `fit` drives it."""

    def __init__(self, data: Path | str, seed: int, noise: float) -> None:
        """`noise` is the standard deviation of what is added to the input, 0 for the autoencoder."""
        device.prepare()
        self._data, self._noisy = arrays(data), bool(noise)
        spec = JobSpec.make("denoiser" if noise else "autoencoder", "train", seed=seed)
        self._model = build_autoencoder(seed)
        parameters: Any = spec.parameters
        self._training = ImageTrainable(
            self._model,
            self._data["images"],
            noise=noise,
            batch_size=parameters.batch_size,
            learning_rate=parameters.learning_rate,
            seed=seed,
        )
        self._epochs = 0

    def epoch(self) -> dict[str, float]:
        """Train one epoch: its `seconds`, both losses included."""
        training = self._training
        began = time.perf_counter()
        training.begin_epoch(self._epochs)
        for first in range(0, training.steps, training.chunk):
            training.make_steps(first, min(training.chunk, training.steps - first))
        losses = training.measure()
        self._epochs += 1
        return losses | {"seconds": time.perf_counter() - began}

    def quality(self) -> dict[str, float]:
        """BCE and PSNR on the test images, noisy ones if it is a denoiser."""
        clean = scaled(self._data["test"])
        return image_errors(clean, predict(self._model, self._data["noisy_test"] if self._noisy else clean))


def start(**options: Any) -> Quartet:
    """Quartet's side."""
    return Quartet(**options)
