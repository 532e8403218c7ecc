"""What the autoencoder's reports show, from a job's folder."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.store.job_folder import JobFolder
from jobs.wording import counted
from worker.images.artifacts import SHOWN_IMAGES, saved_images
from worker.images.drawings import named_rows, weights_as_images
from worker.images.generation_report import generation_blocks
from worker.report.blocks import Blocks, Figure
from worker.report.formatting import percentage
from worker.tasks.autoencoder.figures import code_map

Arrays = dict[str, NDArray[Any]]
"""The arrays of `images.npz`."""


def present(folder: JobFolder) -> Blocks:
    """Yield what the report shows of a finished job.

    Args:
        folder: of the job.

    Raises:
        DamagedFolder: `job.json` or `metrics.json` cannot be read.
    """
    images = saved_images(folder)
    match folder.job["spec"]["action"]:
        case "train":
            yield _reconstructions(
                images,
                "Validation images and the trained network's output for them: each is compressed to 32 "
                "numbers and reconstructed from them.",
                "validation image",
            )
        case "evaluate":
            yield _reconstructions(
                images,
                "Test images, the first of each class where there are labels, and the network's output for "
                "them.",
                "test image",
            )
            yield _worst(images)
            yield _code_units(images)
            yield _code(images)
        case "generate":
            rows = {"given": images["original"], "rebuilt": images["output"]}
            yield from generation_blocks(
                images, rows, "Reconstructions", "Each image and the network's output for it."
            )


def _reconstructions(images: Arrays, caption: str, noun: str) -> Figure:
    return Figure(
        "reconstructions",
        "Reconstructions",
        caption,
        _pairs_alt(len(images["original"]), noun),
        named_rows({"original": images["original"], "rebuilt": images["output"]}),
    )


def _worst(images: Arrays) -> Figure:
    mse = images["worst_mse"]
    return Figure(
        "worst",
        "The ten worst reconstructions" if len(mse) == SHOWN_IMAGES else "The worst reconstructions",
        "The test images with the largest mean squared errors, which are written below them; images "
        f"{', '.join(str(index) for index in images['worst_index'])} of the test part, counted from 0.",
        f"{_pairs_alt(len(mse), 'test image')} "
        f"Their mean squared errors range from {mse[0]:.3f} down to {mse[-1]:.3f}.",
        named_rows(
            {"original": images["worst_original"], "rebuilt": images["worst_output"]},
            captions=[f"{error:.3f}" for error in mse],
        ),
    )


def _code_units(images: Arrays) -> Figure:
    unused = int(np.count_nonzero(images["unit_std"] == 0))
    note = f" Never active: {counted(unused, 'unit')}." if unused else ""
    return Figure(
        "code_units",
        "What each unit of the code draws",
        "The decoder's weights from each of the 32 units to the pixels, times the unit's standard deviation "
        "over the test images: red where a unit that is more active than usual makes an image brighter, "
        f"blue where it makes it darker.{note}",
        "32 small images in red and blue, strokes and blobs, one for each unit of the code.",
        weights_as_images(images["units"] * images["unit_std"][:, np.newaxis], "darker ← logit → brighter"),
    )


def _code(images: Arrays) -> Figure:
    points, labels = images["points"], images["point_labels"]
    classes = tuple(map(str, images.get("classes", ())))
    labelled, noun = bool((labels >= 0).any()), "class" if classes else "digit"
    return Figure(
        "code",
        "The code in two dimensions",
        f"The codes of {counted(len(points), 'test image')} on the two principal components of all "
        f"test images' codes{f', coloured by {noun}' if labelled else ''}; "
        f"the components account for {percentage(images['variance'].sum())} of the variance."
        + (
            f" Each large {'name' if classes else 'digit'} stands at the median of its codes."
            if labelled
            else ""
        ),
        f"Scatter plot of the codes{f', coloured by {noun}' if labelled else ''}.",
        code_map(points, labels, images["variance"], classes),
    )


def _pairs_alt(count: int, noun: str) -> str:
    return f"{counted(count, noun)}, each above its reconstruction."
