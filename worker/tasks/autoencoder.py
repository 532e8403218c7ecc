"""The autoencoder: train it to reproduce digits, measure it, reconstruct images with it."""

import numpy as np
from numpy.typing import NDArray

from jobs.folder import JobFolder
from jobs.spec import AutoencoderTrain
from worker.image_generation import generate_images, generated, pictures_for
from worker.image_jobs import flat, images_for, load_network, predict, train_network
from worker.image_quality import quality
from worker.models.autoencoder import encoder_of
from worker.report import image_figures
from worker.report.parts import Figure, Metric, Parts
from worker.run import Run

METRICS = (
    Metric("bce", "Binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("validation_bce", "Validation binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("psnr_db", "PSNR", 2, "dB", better="higher"),
    Metric("mse", "Mean squared error", 4, better="lower"),
    Metric("ssim", "SSIM", 3, better="higher"),
    Metric("training_bce", "Training binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("images", "Images", 0),
    Metric("interpolations", "Interpolated images", 0),
    Metric("samples", "Sampled images", 0),
)

SHOWN = 20
WORST = 10
MOST_POINTS = 5_000
"""Codes drawn in two dimensions; more would only cover each other."""


def train(run: Run) -> dict[str, float]:
    """Train 784 → 32 → 784 to reproduce its input.

    Raises:
        InvalidData: the images cannot be used.
        Cancelled: the run was asked to stop; its checkpoint is kept.
    """
    assert isinstance(run.spec.parameters, AutoencoderTrain)
    model, history = train_network(run, images_for(run), run.spec.parameters, noise=0.0)
    model.save(run.folder / "model.keras")
    return {"validation_bce": history[-1]["validation_loss"], "training_bce": history[-1]["loss"]}


def evaluate(run: Run) -> dict[str, float]:
    """Measure the reconstructions of the test images; keep examples, the worst, and the code.

    Raises:
        InvalidData: the images cannot be used.
    """
    images = images_for(run)
    model = load_network(run.source)
    clean = flat(images.test)
    run.progress(force=True, stage="reconstructing the test images")
    output = predict(model, clean)
    codes = predict(encoder_of(model), clean)
    run.check_stop()
    errors = np.square(clean - output).mean(axis=1)
    worst = np.argsort(errors)[::-1][:WORST]
    shown = examples(images.test_labels, len(clean), SHOWN)
    points, explained = principal_components(codes)
    some = np.random.default_rng([run.spec.seed, 3]).permutation(len(points))[:MOST_POINTS]
    labels = images.test_labels if images.test_labels is not None else np.full(len(points), -1)
    np.savez_compressed(
        run.folder / "evaluation.npz",
        originals=images.test[shown],
        reconstructions=as_bytes(output[shown]),
        worst=worst,
        worst_originals=images.test[worst],
        worst_reconstructions=as_bytes(output[worst]),
        worst_errors=errors[worst],
        kernel=np.asarray(model.get_layer("reconstruction").kernel),
        points=points[some],
        point_labels=labels[some],
        explained=explained,
    )
    header = ["image", "mse", *(f"code_{unit}" for unit in range(codes.shape[1]))]
    rows = [[index, *row] for index, row in enumerate(np.column_stack([errors, codes]).tolist())]
    run.write_table("codes.csv", header, rows)
    return quality(clean, output)


def generate(run: Run) -> dict[str, float]:
    """Reconstruct images; decode interpolations and samples of the code.

    Raises:
        InvalidData: the images cannot be used.
    """
    pictures = pictures_for(run)
    seen = flat(pictures.images)
    output, counts = generate_images(run, pictures, seen, "reconstructed")
    return quality(seen, output) | counts


def present(folder: JobFolder) -> Parts:
    """The figures of an evaluation or a generation; a training has its loss curve alone."""
    action = folder.job["spec"]["action"]
    if action == "evaluate":
        yield from _evaluation(folder)
    elif action == "generate":
        yield from generation_figures(folder, "Input", "Reconstruction", "the network's reconstructions")


def examples(labels: NDArray[np.int64] | None, count: int, wanted: int) -> NDArray[np.int64]:
    """Which images to show: as many of each digit as of any other, or just the first."""
    if labels is None:
        return np.arange(min(count, wanted))
    digits = np.unique(labels)
    each = -(-wanted // len(digits))
    picked = [np.flatnonzero(labels == digit)[:each] for digit in digits]
    # By digit, then the second of each: two rows of ten show every digit above itself.
    by_round = [column[place] for place in range(each) for column in picked if place < len(column)]
    return np.array(by_round[:wanted])


def principal_components(codes: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Codes (n, 32) on their two principal components (n, 2), and the shares of variance these have."""
    centred = codes - codes.mean(axis=0)
    variances, directions = np.linalg.eigh(np.cov(centred, rowvar=False))
    share = variances[::-1][:2] / max(float(variances.sum()), 1e-12)
    return (centred @ directions[:, ::-1][:, :2]).astype(np.float32), share.astype(np.float32)


def as_bytes(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Images (n, 784) in [0, 1] as uint8 (n, 28, 28)."""
    return np.round(np.clip(images, 0, 1) * 255).astype(np.uint8).reshape(-1, 28, 28)


def generation_figures(folder: JobFolder, given: str, made: str, what: str) -> Parts:
    """The figures of `generate`, for both image models."""
    images = generated(folder)
    count = min(len(images["input"]), 30)
    yield Figure(
        "images",
        f"{made}s",
        f"Above: {given.lower()}. Below: {what}. "
        + (f"The first {count} of {len(images['input'])}." if len(images["input"]) > count else ""),
        f"{count} images in pairs of rows: {given.lower()} above, {made.lower()} below.",
        image_figures.rows_of_images({given: images["input"][:count], made: images["output"][:count]}),
    )
    between = images["interpolation"]
    if len(between):
        yield Figure(
            "interpolation",
            "From one image to another",
            "The code moves in equal steps on the straight line between two images' codes; "
            "each point is decoded.",
            f"{len(between)} images that turn from one digit into another.",
            image_figures.one_row_each(between[:100]),
        )
    samples = images["samples"]
    if len(samples):
        yield Figure(
            "samples",
            "Samples of the code",
            "Random mixtures of the codes of three training images each, decoded. The code of an "
            "autoencoder has no prior to draw from, so most samples are between digits.",
            f"{len(samples)} decoded random codes.",
            image_figures.one_row_each(samples[:100]),
        )


def _evaluation(folder: JobFolder) -> Parts:
    with np.load(folder.path / "evaluation.npz", allow_pickle=False) as stored:
        kept = {name: stored[name] for name in stored.files}
    yield Figure(
        "reconstructions",
        "Originals and reconstructions",
        "Test images above, what is left of them after 32 numbers below.",
        f"{len(kept['originals'])} test images in pairs of rows, each above its reconstruction.",
        image_figures.rows_of_images({"original": kept["originals"], "rebuilt": kept["reconstructions"]}),
    )
    yield Figure(
        "worst",
        "The ten worst reconstructions",
        "The test images with the largest mean squared error, the worst first: "
        + ", ".join(f"no. {n} ({e:.3f})" for n, e in zip(kept["worst"], kept["worst_errors"], strict=True))
        + ".",
        "Ten test images above their poor reconstructions.",
        image_figures.rows_of_images(
            {"original": kept["worst_originals"], "rebuilt": kept["worst_reconstructions"]}
        ),
    )
    yield Figure(
        "code_units",
        "What each unit of the code draws",
        "The decoder's weights from each of the 32 units to the 784 pixels: where a unit that is on makes "
        "the image lighter (red) or darker (blue).",
        "32 small images of weights, strokes and blobs.",
        image_figures.code_units(kept["kernel"]),
    )
    yield Figure(
        "code_map",
        "The code in two dimensions",
        f"Codes of {len(kept['points']):,} test images on their first two principal components"
        + (", coloured by digit." if kept["point_labels"].max() >= 0 else "."),
        "A scatter of points; digits form overlapping clouds.",
        image_figures.code_map(kept["points"], kept["point_labels"], kept["explained"].tolist()),
    )
