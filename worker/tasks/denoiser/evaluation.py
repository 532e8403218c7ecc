"""Measures networks on the same images over a range of noise levels."""

from collections.abc import Mapping

import keras

from worker.context import JobContext
from worker.images.arrays import as_bytes, flat, one_of_each_digit, with_noise
from worker.images.artifacts import SHOWN_IMAGES
from worker.images.image_sets import Images
from worker.images.network import predict
from worker.images.pixels import Pixels
from worker.images.quality import MEASURES, quality
from worker.tasks.denoiser.comparison import Comparison

LEVELS = tuple(tenth / 10 for tenth in range(11))
"""Standard deviations of the noise, pixels being in [0, 1]."""

BATCH = 1_000


def compare(
    context: JobContext, networks: Mapping[str, keras.Model], images: Pixels, noise: float
) -> Comparison:
    """Measure networks on the same noisy images at each of LEVELS, and at `noise`.

    The noise of all levels is one set of normals, scaled: curves differ by the level alone.

    Args:
        context: of the job; its seed, progress and stop are used.
        networks: by method.
        images: uint8 (n, 28, 28), 0 to 255.
        noise: one more standard deviation, pixels being in [0, 1].

    Returns:
        The means of all measures, also those of the noisy images themselves, as the method `noisy`.

    Raises:
        Cancelled: a stop was requested.
    """
    levels = sorted({*LEVELS, noise})
    sums = {
        level: {method: dict.fromkeys(MEASURES, 0.0) for method in ("noisy", *networks)} for level in levels
    }
    for first in range(0, len(images), BATCH):
        clean = flat(images[first : first + BATCH])
        for level in levels:
            context.check_stop()
            context.progress(stage="comparing", step=first, steps=len(images))
            noisy = with_noise(clean, level, [context.spec.seed, 40, first])
            outputs = {"noisy": noisy} | {name: predict(model, noisy) for name, model in networks.items()}
            for method, output in outputs.items():
                for measure, value in quality(clean, output).items():
                    sums[level][method][measure] += value * len(clean) / len(images)
    return Comparison(sums)


def example_arrays(
    networks: Mapping[str, keras.Model], images: Images, noise: float, seed: int
) -> dict[str, Pixels]:
    """What a report shows of the networks' outputs.

    Args:
        networks: by method.
        images: m test images.
        noise: its standard deviation, pixels being in [0, 1].
        seed: of the noise.

    Returns:
        `original`, `noisy`, and the output of each method, uint8 (k, 28, 28).
    """
    original = images.test[one_of_each_digit(images.test_labels, len(images.test), SHOWN_IMAGES)]
    noisy = with_noise(flat(original), noise, [seed, 41])
    outputs = {method: as_bytes(predict(model, noisy)) for method, model in networks.items()}
    return {"original": original, "noisy": as_bytes(noisy), **outputs}


def metrics_at(noise: float, comparison: Comparison) -> dict[str, float]:
    """Return the metrics of an evaluation.

    Args:
        noise: one of the levels of the comparison.
        comparison: with the methods `noisy`, `basic` and `denoised`.

    Returns:
        `<method>_<measure>` for each of them; without a prefix for `denoised`.
    """
    named = {
        f"{method}_{measure}": value
        for method, measures in comparison.values[noise].items()
        for measure, value in measures.items()
    }
    return {name.removeprefix("denoised_"): value for name, value in named.items()}
