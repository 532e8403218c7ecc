"""Quality of both image models on real MNIST after 10, 20 and 50 epochs, beside the targets.

Run: `python -m benchmarks.image_quality [--short]`.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.data import OFFLINE, REAL, TEST_STREAM, real_data_folder
from benchmarks.measuring import Row
from benchmarks.row_command import run
from jobs.settings import read_settings
from jobs.spec import JobSpec
from worker.context import JobContext
from worker.images.arrays import flat, with_noise
from worker.images.datasets import load_images
from worker.images.parameters import ImageTraining
from worker.images.quality import means, network_errors
from worker.images.training_job import train_network

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


def trained(
    model: str,
    data_dir: Path,
    seed: int = 0,
    data: str = REAL["images"],
    epochs_each: tuple[int, ...] = EPOCHS,
) -> Iterator[Measured]:
    """Train on MNIST with the defaults, going on from 10 to 20 to 50 epochs, and measure after each."""
    settings = read_settings(data_dir=data_dir)
    images = load_images(data, settings)
    clean = flat(images.test)
    noise = NOISE[model]
    seen = with_noise(clean, noise, [seed, TEST_STREAM])
    with tempfile.TemporaryDirectory() as folder:
        for epochs in epochs_each:
            spec = JobSpec.make(model, "train", data=data, seed=seed, parameters={"epochs": epochs})
            context = JobContext(spec=spec, folder=Path(folder), settings=settings)
            assert isinstance(spec.parameters, ImageTraining)
            network, history = train_network(context, images, spec.parameters, noise=noise, seed=seed)
            measured = means(network_errors(network, seen, clean))
            seconds = float(np.median([row["seconds"] for row in history]))
            yield Measured(model, epochs, seed, measured["bce"], measured["psnr_db"], seconds)


def measure(row: Row) -> None:
    """Train both models with three seeds."""
    for model in NOISE:
        if row.short:
            seeds = [list(trained(model, Path(), data=OFFLINE["images"], epochs_each=(1, 2)))]
        else:
            seeds = [list(trained(model, real_data_folder(), seed)) for seed in (0, 1, 2)]
        for after in zip(*seeds, strict=True):
            epochs = after[0].epochs
            row.figure(f"{model}, BCE after {epochs} epochs", "nats/pixel", [found.bce for found in after])
            row.figure(f"{model}, PSNR after {epochs} epochs", "dB", [found.psnr_db for found in after])
            if (model, epochs) in TARGETS:
                name, target = TARGETS[model, epochs]
                sign, unit = ("≤", "nats/pixel") if name == "bce" else ("≥", "dB")
                values = [getattr(found, name) for found in after]
                row.judge(f"{model}, {name} after {epochs} epochs", values, sign, target, unit)


if __name__ == "__main__":
    run("image_quality", "Quality of the image models on MNIST, three seeds", measure)
