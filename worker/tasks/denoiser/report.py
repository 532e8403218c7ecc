"""What the denoiser's reports show, from a job's folder."""

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
from worker.tasks.denoiser.comparison import Comparison
from worker.tasks.denoiser.figures import who_wins_where

METHODS = {"noisy": "noisy", "basic": "basic autoencoder", "denoised": "denoised"}
"""Methods of a comparison, and what the report calls them."""

MEASURES_SHOWN = {
    "psnr_db": ("PSNR", "higher"),
    "ssim": ("SSIM", "higher"),
    "mse": ("MSE", "lower"),
    "bce": ("BCE", "lower"),
}
"""Measures, their short names, and which way is better."""

NO_ERROR_DB = 99.0
"""A PSNR above it is that of an untouched image, and would flatten all curves."""

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
            yield from comparison_blocks(images, Comparison.read(folder), spec["parameters"]["noise"])
        case "generate":
            # The metrics compare with clean images, which there are only where noise was added.
            yield from _generation(images, noise_was_added="noisy_mse" in folder.metrics)


def comparison_blocks(images: Arrays, comparison: Comparison, noise: float) -> Blocks:
    """What a report shows of a denoiser compared with a basic autoencoder.

    Args:
        images: the same images uint8 (k, 28, 28) by the names of METHODS and `original`.
        comparison: all noise levels.
        noise: the level of the headline numbers and of `images`.
    """
    rows = {"original": images["original"]} | {name: images[method] for method, name in METHODS.items()}
    yield Figure(
        "comparison",
        "The same noisy images, two networks",
        f"Test images, with noise of standard deviation {noise:g}, and the outputs of the basic autoencoder "
        "and the denoiser for them.",
        _columns_alt(rows),
        named_rows(rows),
    )
    yield _sweep(comparison, noise)
    at_noise = comparison.values[noise]
    yield Table(
        f"At noise {noise:g}",
        ["", *(f"{label} {'↑' if better == 'higher' else '↓'}" for label, better in MEASURES_SHOWN.values())],
        [
            [name, *(at_noise[method][measure] for measure in MEASURES_SHOWN)]
            for method, name in METHODS.items()
        ],
        "↑ higher is better, ↓ lower is better. All levels are in sweep.csv.",
    )


def _denoised(images: Arrays, noise: float) -> Figure:
    rows = {"original": images["original"], "noisy": images["input"], "denoised": images["output"]}
    return Figure(
        "denoised",
        "Denoised images",
        f"Validation images, with noise of standard deviation {noise:g}, and the trained network's output "
        "for them.",
        _columns_alt(rows),
        named_rows(rows),
    )


def _generation(images: Arrays, *, noise_was_added: bool) -> Blocks:
    if noise_was_added:
        rows = {"given": images["original"], "noisy": images["input"]}
        caption = "Each image, the same with noise, and the network's output for that."
    else:
        rows, caption = {"given": images["input"]}, "Each image and the network's output for it."
    rows["denoised"] = images["output"]
    yield from generation_blocks(images, rows, "Denoised images", caption)


def _sweep(comparison: Comparison, noise: float) -> Figure:
    levels = list(comparison.values)
    won = {
        label: [METHODS[method] for method in winners(comparison.curves(measure), better)]
        for measure, (label, better) in MEASURES_SHOWN.items()
    }
    curves = {METHODS[method]: values for method, values in comparison.curves("psnr_db").items()}
    finite = {name: [v if v < NO_ERROR_DB else np.nan for v in values] for name, values in curves.items()}
    summary = stretches(levels, won["PSNR"])
    return Figure(
        "sweep",
        "Who wins where",
        "Top: PSNR by noise level, the mean over the test images, higher is better; the dotted line marks "
        f"{noise:g}, the level of the headline. Bottom: which of the three is closest to the original, by "
        f"each of four measures. {summary}",
        "Line chart of the PSNR by noise level for noisy images, basic autoencoder and denoiser, and below "
        f"it a strip for each measure with the winner at each level. {summary}",
        who_wins_where(levels, finite, won, unit="PSNR, dB", marked=noise),
    )


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
