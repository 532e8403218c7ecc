"""Quality of both image models on real MNIST after 10, 20 and 50 epochs, beside the targets.

Needs `mnist.npz` in the folder that QUARTET_TEST_DATA names.
Run: `python -m benchmarks.image_quality [number of seeds]`.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jobs.settings import read_settings
from jobs.spec import AutoencoderTrain, DenoiserTrain, JobSpec
from worker.data.images import load_images
from worker.image_arrays import flat, with_noise
from worker.image_jobs import predict, train_network
from worker.image_quality import quality
from worker.run import Run

EPOCHS = (10, 20, 50)
TARGETS = {
    ("autoencoder", 10): ("bce", 0.0975),
    ("autoencoder", 20): ("bce", 0.0940),
    ("autoencoder", 50): ("bce", 0.0932),
    ("denoiser", 10): ("psnr_db", 16.9),
    ("denoiser", 50): ("psnr_db", 17.3),
}
"""BCE at most, PSNR at least, on the 10,000 test images; PSNR is the mean of each image's own."""

NOISE = {"autoencoder": 0.0, "denoiser": 0.5}
"""Standard deviation of the noise in training and test."""

TEST_STREAM = 50
"""Makes the noise of the test images another than that of the training (see `image_training`)."""


@dataclass(frozen=True)
class Measured:
    """One network after so many epochs; `seconds` is the mean time of an epoch, as in the history."""

    model: str
    epochs: int
    seed: int
    bce: float
    psnr_db: float
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether it is as good as its target, if there is one."""
        if (self.model, self.epochs) not in TARGETS:
            return True
        measure, target = TARGETS[self.model, self.epochs]
        return self.bce <= target if measure == "bce" else self.psnr_db >= target


def measure(model: str, data_dir: Path, seed: int = 0) -> Iterator[Measured]:
    """Train on MNIST with the defaults, going on from 10 to 20 to 50 epochs, and measure after each."""
    settings = read_settings(data_dir=data_dir)
    images = load_images("mnist", settings)
    clean = flat(images.test)
    noise = NOISE[model]
    seen = with_noise(clean, noise, [seed, TEST_STREAM])
    with tempfile.TemporaryDirectory() as folder:
        for epochs in EPOCHS:
            spec = JobSpec.make(model, "train", data="mnist", seed=seed, parameters={"epochs": epochs})
            run = Run(spec=spec, folder=Path(folder), settings=settings)
            assert isinstance(spec.parameters, AutoencoderTrain | DenoiserTrain)
            network, history = train_network(run, images.train, spec.parameters, noise=noise, seed=seed)
            measured = quality(clean, predict(network, seen))
            seconds = float(np.median([row["seconds"] for row in history]))
            yield Measured(model, epochs, seed, measured["bce"], measured["psnr_db"], seconds)


def main() -> None:
    """Print a row for each model, seed and number of epochs."""
    data = os.environ.get("QUARTET_TEST_DATA")
    if not data or not (Path(data) / "mnist.npz").is_file():
        raise SystemExit("QUARTET_TEST_DATA names no folder with mnist.npz: nothing was measured")
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    began = time.monotonic()
    print("model        epochs  seed  BCE     PSNR dB  s/epoch  target")
    for model in ("autoencoder", "denoiser"):
        for seed in seeds:
            for row in measure(model, Path(data), seed):
                target = TARGETS.get((model, row.epochs), ("", ""))
                word = "holds" if row.holds else "MISSED"
                figures = f"{row.bce:.4f}  {row.psnr_db:7.2f}  {row.seconds:7.3f}"
                held = f"{target[0]} {target[1]} {word}" if target[0] else ""
                print(f"{model:12} {row.epochs:6} {seed:5}  {figures}  {held}", flush=True)
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
