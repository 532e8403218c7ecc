"""What the denoiser's reports show, from a job's folder."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.store.job_folder import JobFolder
from jobs.wording import counted
from worker.images.artifacts import saved_images
from worker.images.drawings import named_rows
from worker.images.generation_report import generation_blocks
from worker.report.blocks import Blocks, Figure, Table
from worker.report.formatting import percentage
from worker.tasks.denoiser.comparison import Comparison
from worker.tasks.denoiser.figures import who_wins_where
from worker.tasks.denoiser.sentences import best_level, clipping, disagreement, rise_of_both

METHODS = {"noisy": "noisy", "basic": "basic autoencoder", "denoised": "denoised"}
"""Methods of a comparison, and what the report calls them."""

MEASURES_SHOWN = {
    "psnr_db": ("PSNR", "higher"),
    "ssim": ("SSIM", "higher"),
    "mse": ("MSE", "lower"),
}
"""Measures, their short names, and which way is better."""

Arrays = Mapping[str, NDArray[Any]]
"""The arrays of `images.npz`."""


def present(folder: JobFolder) -> Blocks:
    """Yield what the report shows of a finished job.

    Args:
        folder: of the job.

    Raises:
        DamagedFolder: `job.json` or `metrics.json` cannot be read.
    """
    images = saved_images(folder)
    spec = folder.job["spec"]
    match spec["action"]:
        case "train":
            yield _denoised(images, spec["parameters"]["noise"])
        case "evaluate":
            yield from comparison_blocks(
                images, Comparison.read(folder), spec["parameters"]["noise"], folder.metrics
            )
        case "generate":
            yield from _generation(images, folder.metrics)


def comparison_blocks(
    images: Arrays, comparison: Comparison, noise: float, metrics: Mapping[str, float]
) -> Blocks:
    """What a report shows of a denoiser compared with a basic autoencoder.

    Args:
        images: the same images uint8 (k, 28, 28) by the names of METHODS and `original`.
        comparison: all noise levels.
        noise: the level of the headline numbers and of `images`.
        metrics: of the job.
    """
    rows = {"original": images["original"]} | {name: images[method] for method, name in METHODS.items()}
    at_noise = {name: comparison.values[noise][method] for method, name in METHODS.items()}
    yield Figure(
        "comparison",
        "The same noisy images, two networks",
        f"Test images, with noise of standard deviation {noise:g}, and the outputs of the basic autoencoder "
        "and the denoiser for them."
        + clipping(noise, at_noise["noisy"]["mse"], metrics.get("clipped_share")),
        _columns_alt(rows),
        named_rows(rows),
    )
    yield _sweep(comparison, noise, metrics.get("training_noise"))
    mean = {name: metrics[key] for name in MEASURES_SHOWN if (key := f"baseline_{name}") in metrics}
    compared = at_noise | ({"mean training image": mean} if mean else {})
    yield Table(
        f"At noise {noise:g}",
        ["", *(f"{label} {'↑' if better == 'higher' else '↓'}" for label, better in MEASURES_SHOWN.values())],
        [[name, *(measures[measure] for measure in MEASURES_SHOWN)] for name, measures in compared.items()],
        "Means over the test images; PSNR is the mean of each image's own, in dB. ↑ higher is better, ↓ "
        f"lower is better. All levels are in sweep.csv.{disagreement(at_noise)}",
    )


def _denoised(images: Arrays, noise: float) -> Figure:
    rows = {"original": images["original"], "noisy": images["input"], "denoised": images["output"]}
    return Figure(
        "denoised",
        "Denoised images",
        f"Validation images, with noise of standard deviation {noise:g}, and the trained network's output "
        f"for them.{clipping(noise, _mean_square(images))}",
        _columns_alt(rows),
        named_rows(rows),
    )


def _generation(images: Arrays, metrics: Mapping[str, float]) -> Blocks:
    # The metrics compare with clean images, which there are only where noise was added.
    if "noisy_mse" in metrics:
        rows = {"given": images["original"], "noisy": images["input"]}
        methods = {
            "noisy": {"psnr_db": metrics["noisy_psnr_db"], "mse": metrics["noisy_mse"]},
            "denoised": {"psnr_db": metrics["psnr_db"], "mse": metrics["mse"]},
        }
        share = metrics.get("clipped_share")
        clipped = "" if share is None else f", which clips {percentage(share)} of all pixels to 0 or 1"
        caption = (
            f"Each image, the same with noise{clipped}, and the network's output for that."
            f"{disagreement(methods)}"
        )
    else:
        rows, caption = {"given": images["input"]}, "Each image and the network's output for it."
    rows["denoised"] = images["output"]
    # Jobs of earlier versions interpolated between the clean images, and did not say what was trained on.
    is_noisy = "noisy_mse" in metrics and "interpolation_inputs" in images
    noise = metrics.get("training_noise")
    trained = "with noise, as in training" if noise is None else f"with noise of {noise:g}"
    yield from generation_blocks(
        images,
        rows,
        "Denoised images",
        caption,
        interpolated="with noise" if is_noisy else "",
        encoded="" if noise == 0 else trained,
    )


def _sweep(comparison: Comparison, noise: float, training_noise: float | None) -> Figure:
    levels = list(comparison.values)
    won = {
        label: [METHODS[method] for method in winners(comparison.curves(measure), better)]
        for measure, (label, better) in MEASURES_SHOWN.items()
    }
    curves = {METHODS[method]: values for method, values in comparison.curves("psnr_db").items()}
    finite = {
        name: [value if math.isfinite(value) else np.nan for value in values]
        for name, values in curves.items()
    }
    summary = stretches(levels, won["PSNR"])
    return Figure(
        "sweep",
        "Who wins where",
        "Top: PSNR by noise level, the mean of the test images' own, higher is better; the dotted line marks "
        f"{noise:g}, the level of the headline. Bottom: which of the three is closest to the original, by "
        f"each of {len(won)} measures. {summary}{_remarks(comparison, training_noise)}",
        "Line chart of the PSNR by noise level for noisy images, basic autoencoder and denoiser, and below "
        f"it a strip for each measure with the winner at each level. {summary}",
        who_wins_where(levels, finite, won, unit="PSNR, dB", marked=noise),
    )


def _remarks(comparison: Comparison, training_noise: float | None) -> str:
    by_method = {
        method: {level: methods[method] for level, methods in comparison.values.items()} for method in METHODS
    }
    untouched = any(math.isinf(measures["psnr_db"]) for measures in by_method["noisy"].values())
    return "".join(
        (
            " Without noise the noisy images are the originals: their PSNR is infinite, empty in sweep.csv."
            if untouched
            else "",
            best_level(by_method["denoised"], training_noise),
            rise_of_both(by_method["noisy"], "the noisy images"),
            rise_of_both(by_method["basic"], "the basic autoencoder's output"),
            rise_of_both(by_method["denoised"], "the denoiser's output"),
        )
    )


def _mean_square(images: Arrays) -> float:
    """The mean squared error of the noisy images that are shown, pixels being in [0, 1]."""
    difference = (images["input"].astype(np.float64) - images["original"]) / 255
    return float(np.square(difference).mean())


def winners(values: Mapping[str, Sequence[float]], better: str) -> list[str]:
    """The best method at each level.

    Args:
        values: method -> its value at each level.
        better: `lower` or `higher`, as in a metric.

    Returns:
        A method for each level, the first of equals.
    """
    best = max if better == "higher" else min
    return [
        next(method for method, value in zip(values, of_level, strict=True) if value == best(of_level))
        for of_level in zip(*values.values(), strict=True)
    ]


def stretches(levels: Sequence[float], won: Sequence[str]) -> str:
    """A sentence about the best method at each level: `Best by PSNR: noisy at 0, denoised from 0.1 to 1.`

    Args:
        levels: standard deviations of the noise, ascending.
        won: the best method at each of them.
    """
    starts = [place for place in range(len(won)) if place == 0 or won[place] != won[place - 1]]
    ends = [*(start - 1 for start in starts[1:]), len(won) - 1]
    phrases = []
    for start, end in zip(starts, ends, strict=True):
        first, last = f"{levels[start]:g}", f"{levels[end]:g}"
        phrases.append(f"{won[start]} {f'at {first}' if start == end else f'from {first} to {last}'}")
    return f"Best by PSNR: {', '.join(phrases)}."


def _columns_alt(rows: Arrays) -> str:
    return f"{counted(len(rows['original']), 'image')} in columns, from top to bottom: {', '.join(rows)}."
