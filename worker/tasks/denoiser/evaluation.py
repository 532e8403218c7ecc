"""Measures networks on the same images over a range of noise levels."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from worker.context import JobContext
from worker.images.arrays import (
    Floats,
    as_bytes,
    flat,
    one_of_each_digit,
    standard_normals,
    with_noise,
    with_scaled,
)
from worker.images.artifacts import SHOWN_IMAGES
from worker.images.image_sets import Images
from worker.images.network import predict
from worker.images.pixels import Pixels
from worker.images.quality import MEASURES, errors, network_errors, quality
from worker.images.trivial_baseline import baseline_errors, warn_if_no_better
from worker.tasks.denoiser.comparison import Comparison
from worker.training.cpu_parallel import parallel_parts

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

    def measured(first: int) -> dict[float, dict[str, dict[str, float]]]:
        clean = flat(images[first : first + BATCH])
        normals = _normals(context, clean, first)
        found = {}
        for level in levels:
            context.check_stop()
            noisy = with_scaled(clean, level, normals)
            outputs = {"noisy": noisy} | {name: predict(model, noisy) for name, model in networks.items()}
            found[level] = {method: quality(clean, output) for method, output in outputs.items()}
        return found

    firsts = range(0, len(images), BATCH)
    with ThreadPoolExecutor(parallel_parts()) as pool:
        for first, of_batch in zip(firsts, pool.map(measured, firsts), strict=True):
            context.progress(stage="comparing at each noise level", step=first, steps=len(images))
            share = len(images[first : first + BATCH])
            for level, of_level in of_batch.items():
                for method, means in of_level.items():
                    for measure, value in means.items():
                        sums[level][method][measure] += value * share / len(images)
    return Comparison(sums)


def measure_at(
    context: JobContext,
    networks: Mapping[str, keras.Model],
    images: Pixels,
    noise: float,
    mean: Floats | None,
) -> dict[str, Floats]:
    """Measure each image with the noise of one level, the same noise as in `compare`.

    Args:
        context: of the job; its seed, progress and stop are used.
        networks: by method, `denoised` among them.
        images: uint8 (n, 28, 28), 0 to 255.
        noise: its standard deviation, pixels being in [0, 1].
        mean: float32 (784,) of the training images, if there is one.

    Returns:
        Arrays (n,): what `denoising_errors` returns, and `<method>_<measure>` for the other networks.

    Raises:
        Cancelled: a stop was requested.
    """
    parts = []
    for clean, noisy in _noisy_batches(context, images, noise):
        part = denoising_errors(networks["denoised"], clean, noisy, noise, mean)
        for method, model in networks.items():
            if method != "denoised":
                measured = network_errors(model, noisy, clean)
                part |= {f"{method}_{name}": values for name, values in measured.items()}
        parts.append(part)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def denoising_errors(
    model: keras.Model, clean: Floats, noisy: Floats, noise: float, mean: Floats | None
) -> dict[str, Floats]:
    """Compare a denoiser's output, its input and the mean training image with clean images.

    Args:
        model: the denoiser.
        clean: float32 (n, 784) in [0, 1].
        noisy: float32 (n, 784), the same with noise, clipped to [0, 1].
        noise: its standard deviation.
        mean: float32 (784,) of the training images, if there is one.

    Returns:
        Arrays (n,): those of `network_errors` and `baseline_errors`, `noisy_<measure>`, and
        `clipped_share`, the share of pixels whose noise was cut off.
    """
    clipped = (noisy == 0) | (noisy == 1) if noise else np.zeros(clean.shape, bool)
    return {
        **network_errors(model, noisy, clean),
        **{f"noisy_{name}": values for name, values in errors(clean, noisy).items()},
        **baseline_errors(clean, mean),
        "clipped_share": clipped.mean(axis=1, dtype=np.float32),
    }


def warn_of_harm(context: JobContext, metrics: Mapping[str, float], noise: float, images: str) -> None:
    """Warn if the output is no closer to the clean images than the mean training image or the input is.

    Args:
        context: of the job.
        metrics: the means of what `denoising_errors` returns.
        noise: of the input; without any, the input is the clean image, and nothing can be closer.
        images: what was measured: `test images`.
    """
    warn_if_no_better(context, metrics, f"{images} with noise of {noise:g}")
    if noise and metrics["psnr_db"] <= metrics["noisy_psnr_db"]:
        by = "" if metrics["noisy_mse"] <= metrics["mse"] else " by PSNR, though not by mean squared error"
        context.warn(
            f"At noise {noise:g} the noisy images are closer to the clean ones than what the network makes "
            f"of them{by}: PSNR {metrics['noisy_psnr_db']:.2f} against {metrics['psnr_db']:.2f} dB, mean "
            f"squared error {metrics['noisy_mse']:.4f} against {metrics['mse']:.4f}."
        )


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


def _noisy_batches(context: JobContext, images: Pixels, noise: float) -> Iterator[tuple[Floats, Floats]]:
    """Batches of images without and with noise, each float32 (k, 784)."""
    for first in range(0, len(images), BATCH):
        context.check_stop()
        context.progress(stage=f"measuring at noise {noise:g}", step=first, steps=len(images))
        clean = flat(images[first : first + BATCH])
        yield clean, with_scaled(clean, noise, _normals(context, clean, first))


def _normals(context: JobContext, clean: Floats, first: int) -> Floats:
    """The noise of a batch at each level, before it is scaled."""
    return standard_normals(clean, [context.spec.seed, 40, first])
