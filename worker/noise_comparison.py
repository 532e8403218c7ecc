"""A sweep over noise levels: noisy images, and what networks make of them, beside the originals."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass

import keras

from jobs.folder import JobFolder
from worker.data.pixels import Pixels
from worker.image_arrays import flat, with_noise
from worker.image_jobs import predict
from worker.image_quality import MEASURES, quality
from worker.run import Run

LEVELS = tuple(tenth / 10 for tenth in range(11))
"""Standard deviations of the noise, pixels being in [0, 1]."""

FILE = "sweep.csv"
BATCH = 1_000


@dataclass(frozen=True)
class Comparison:
    """How good each method is at each noise level.

    Attributes:
        values: noise level -> method -> measure -> mean over the images. `noisy` is the method that
            leaves images as they are; each other is a network.
    """

    values: Mapping[float, Mapping[str, Mapping[str, float]]]

    def curves(self, measure: str) -> dict[str, list[float]]:
        """Method -> the measure at each level, levels ascending."""
        methods = next(iter(self.values.values()))
        return {method: [row[method][measure] for row in self.values.values()] for method in methods}

    def write(self, run: Run) -> None:
        """Write `sweep.csv`."""
        rows = [
            [level, method, *(values[measure] for measure in MEASURES)]
            for level, by_method in self.values.items()
            for method, values in by_method.items()
        ]
        run.write_table(FILE, ["noise", "method", *MEASURES], rows)

    @classmethod
    def read(cls, folder: JobFolder) -> "Comparison":
        """Read what `write` wrote."""
        values: dict[float, dict[str, dict[str, float]]] = {}
        with (folder.path / FILE).open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                of_level = values.setdefault(float(row["noise"]), {})
                of_level[row["method"]] = {measure: float(row[measure]) for measure in MEASURES}
        return cls(values)


def compare(run: Run, networks: Mapping[str, keras.Model], images: Pixels, noise: float) -> Comparison:
    """Measure `networks` on the same noisy images at each of LEVELS, and at `noise`.

    The noise of all levels is one set of normals, scaled: curves differ by the level alone.

    Args:
        run: the job; it is told of the progress, and asked to stop it.
        networks: by method.
        images: uint8 (n, 28, 28), 0 to 255.
        noise: one more standard deviation.

    Raises:
        Cancelled: the run was asked to stop.
    """
    levels = sorted({*LEVELS, noise})
    sums = {
        level: {method: dict.fromkeys(MEASURES, 0.0) for method in ("noisy", *networks)} for level in levels
    }
    for first in range(0, len(images), BATCH):
        clean = flat(images[first : first + BATCH])
        for level in levels:
            run.check_stop()
            run.progress(stage="comparing", step=first, steps=len(images))
            noisy = with_noise(clean, level, [run.spec.seed, 40, first])
            outputs = {"noisy": noisy} | {name: predict(model, noisy) for name, model in networks.items()}
            for method, output in outputs.items():
                for measure, value in quality(clean, output).items():
                    sums[level][method][measure] += value * len(clean) / len(images)
    return Comparison(sums)
