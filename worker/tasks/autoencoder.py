"""The autoencoder: train it to reproduce digits, measure it, reconstruct images with it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.folder import JobFolder
from jobs.spec import AutoencoderTrain
from worker.image_arrays import Floats, as_bytes, flat, one_of_each_digit
from worker.image_generation import generate_images, pictures_for
from worker.image_jobs import (
    SHOWN_IMAGES,
    images_for,
    load_network,
    predict,
    save_images,
    save_training,
    saved_images,
    train_network,
)
from worker.image_quality import errors, quality
from worker.models.autoencoder import encoder_of
from worker.report.code_map import code_map
from worker.report.generated_images import generation_parts
from worker.report.image_figures import named_rows, weights_as_images
from worker.report.parts import Figure, Metric, Parts
from worker.run import Run

METRICS = (
    Metric("bce", "Binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("validation_bce", "Validation binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("psnr_db", "PSNR", 2, "dB", better="higher"),
    Metric("ssim", "SSIM", 3, better="higher"),
    Metric("mse", "Mean squared error", 4, better="lower"),
    Metric("training_bce", "Training binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("images", "Images", 0),
    Metric("interpolations", "Interpolated images", 0),
    Metric("samples", "Sampled images", 0),
)

WORST = 10

MOST_POINTS = 3_000
"""Codes that are drawn; more would only cover each other."""

BATCH = 10_000


def train(run: Run) -> dict[str, float]:
    """Train 784 → 32 → 784 to reproduce its input.

    Raises:
        InvalidData: the images cannot be used.
        Cancelled: the run was asked to stop; its checkpoint is kept.
        JobFailed: the training diverged.
    """
    assert isinstance(run.spec.parameters, AutoencoderTrain)
    images = images_for(run)
    model, history = train_network(run, images, run.spec.parameters, noise=0.0, seed=run.spec.seed)
    return save_training(run, model, images, history, noise=0.0)


def evaluate(run: Run) -> dict[str, float]:
    """Measure the reconstructions of the test images; keep examples, the worst, and the code.

    Raises:
        InvalidData: the images cannot be used.
        Cancelled: the run was asked to stop.
    """
    images = images_for(run)
    model = load_network(run.source)
    encoder = encoder_of(model)
    measured: list[dict[str, Floats]] = []
    codes: list[Floats] = []
    for first in range(0, len(images.test), BATCH):
        run.check_stop()
        run.progress(stage="measuring", step=first, steps=len(images.test))
        clean = flat(images.test[first : first + BATCH])
        measured.append(errors(clean, predict(model, clean)))
        codes.append(predict(encoder, clean))
    every = {name: np.concatenate([part[name] for part in measured]) for name in measured[0]}
    code = np.concatenate(codes)

    shown = images.test[one_of_each_digit(images.test_labels, len(images.test), SHOWN_IMAGES)]
    worst = np.argsort(-every["mse"], kind="stable")[:WORST]
    points, variance = principal_components(code)
    drawn = np.random.default_rng([run.spec.seed, 30]).permutation(len(code))[:MOST_POINTS]
    unlabelled = np.full(len(code), -1)
    save_images(
        run,
        original=shown,
        output=as_bytes(predict(model, flat(shown))),
        worst_original=images.test[worst],
        worst_output=as_bytes(predict(model, flat(images.test[worst]))),
        worst_mse=every["mse"][worst],
        worst_index=worst,
        units=np.asarray(model.get_layer("reconstruction").kernel),
        unit_std=code.std(axis=0),
        points=points[drawn],
        point_labels=(unlabelled if images.test_labels is None else images.test_labels)[drawn],
        variance=variance,
    )
    return {name: float(values.mean(dtype=np.float64)) for name, values in every.items()} | {
        "images": float(len(code))
    }


def generate(run: Run) -> dict[str, float]:
    """Reconstruct images; decode interpolations and samples of the code.

    Raises:
        InvalidData: the images cannot be used.
        Cancelled: the run was asked to stop.
    """
    pictures = pictures_for(run)
    seen = flat(pictures.images)
    output, counts = generate_images(run, pictures, seen, "reconstructed")
    return quality(seen, output) | counts


def present(folder: JobFolder) -> Parts:
    """What the report shows of the images that the job kept."""
    images = saved_images(folder)
    match folder.job["spec"]["action"]:
        case "train":
            yield Figure(
                "reconstructions",
                "Reconstructions",
                "Images that were held out for validation, and what the trained network makes of them: each "
                "is squeezed into 32 numbers and drawn again from these.",
                _pairs_alt("Validation images", images["original"]),
                named_rows({"original": images["original"], "rebuilt": images["output"]}),
            )
        case "evaluate":
            yield from _evaluation(images)
        case "generate":
            rows = {"given": images["original"], "rebuilt": images["output"]}
            yield from generation_parts(
                images, rows, "Reconstructions", "Each image and what the network makes of it."
            )


def principal_components(codes: Floats) -> tuple[Floats, Floats]:
    """Codes (n, 32) on their first two principal components (n, 2), and their shares (2,) of variance."""
    centred = codes - codes.mean(axis=0)
    variances, directions = np.linalg.eigh(centred.T @ centred)
    first_two = directions[:, [-1, -2]]
    # Both a direction and its opposite are right: the larger part is made positive.
    first_two *= np.sign(first_two[np.abs(first_two).argmax(axis=0), [0, 1]])
    shares = variances[[-1, -2]] / max(float(variances.sum()), 1e-12)
    return centred @ first_two, shares.astype(np.float32)


def _evaluation(images: dict[str, NDArray[Any]]) -> Parts:
    shown, worst_mse = images["original"], images["worst_mse"]
    yield Figure(
        "reconstructions",
        "Reconstructions",
        "Test images, the first of each digit where there are labels, and what the network makes of them.",
        _pairs_alt("Test images", shown),
        named_rows({"original": shown, "rebuilt": images["output"]}),
    )
    yield Figure(
        "worst",
        "The ten worst reconstructions" if len(worst_mse) == WORST else "The worst reconstructions",
        "The test images with the largest mean squared error, which is written below each; images "
        f"{', '.join(str(index) for index in images['worst_index'])} of the test part, counted from 0.",
        _pairs_alt("The worst test images", worst_mse)
        + f" Their mean squared errors run from {worst_mse[0]:.3f} down to {worst_mse[-1]:.3f}.",
        named_rows(
            {"original": images["worst_original"], "rebuilt": images["worst_output"]},
            captions=[f"{error:.3f}" for error in worst_mse],
        ),
    )
    unused = int(np.count_nonzero(images["unit_std"] == 0))
    yield Figure(
        "code_units",
        "What each unit of the code draws",
        "The decoder's weights from each of the 32 units to the pixels, times the standard deviation of the "
        "unit over the test images: where a unit that is more active than usual makes an image brighter "
        "(red) or darker (blue)." + (f" {unused} of the units are never active." if unused else ""),
        "32 small images in red and blue, strokes and blobs, one for each unit of the code.",
        weights_as_images(images["units"] * images["unit_std"][:, np.newaxis], "darker ← logit → brighter"),
    )
    labelled = bool((images["point_labels"] >= 0).any())
    yield Figure(
        "code",
        "The code in two dimensions",
        f"The codes of {len(images['points']):,} test images on the two principal components of all "
        + ("test images' codes, coloured by digit; " if labelled else "test images' codes; ")
        + f"they hold {images['variance'].sum():.0%} of the variance."
        + (" Each large digit stands at the median of its kind." if labelled else ""),
        "Scatter of the codes on two axes." + (" Digits form clouds that overlap." if labelled else ""),
        code_map(images["points"], images["point_labels"], images["variance"]),
    )


def _pairs_alt(what: str, images: NDArray[Any]) -> str:
    return f"{what}, {len(images)} of them, each above its reconstruction."
