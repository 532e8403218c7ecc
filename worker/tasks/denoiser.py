"""The denoiser: train it on noisy digits, compare it with a basic autoencoder, denoise images with it."""

from dataclasses import replace

import keras

from jobs.datasets import DATASETS
from jobs.folder import JobFolder
from jobs.spec import DenoiserEvaluate, DenoiserGenerate, DenoiserTrain
from worker.data.images import load_images
from worker.image_arrays import as_bytes, flat, one_of_each_digit, with_noise
from worker.image_generation import data_of, generate_images, pictures_for
from worker.image_jobs import (
    SHOWN_IMAGES,
    images_for,
    load_network,
    predict,
    record_data,
    save_images,
    save_training,
    saved_images,
    train_network,
    trained_as,
)
from worker.image_quality import quality
from worker.noise_comparison import Comparison, compare
from worker.report.generated_images import generation_parts
from worker.report.image_figures import named_rows
from worker.report.noise_sweep import comparison_parts
from worker.report.parts import Figure, Metric, Parts
from worker.run import Run

METRICS = (
    Metric("psnr_db", "PSNR, denoised", 2, "dB", better="higher"),
    Metric("validation_bce", "Validation binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("basic_psnr_db", "PSNR, basic autoencoder", 2, "dB", better="higher"),
    Metric("noisy_psnr_db", "PSNR, noisy", 2, "dB", better="higher"),
    Metric("ssim", "SSIM, denoised", 3, better="higher"),
    Metric("basic_ssim", "SSIM, basic autoencoder", 3, better="higher"),
    Metric("noisy_ssim", "SSIM, noisy", 3, better="higher"),
    Metric("mse", "Mean squared error, denoised", 4, better="lower"),
    Metric("basic_mse", "Mean squared error, basic autoencoder", 4, better="lower"),
    Metric("noisy_mse", "Mean squared error, noisy", 4, better="lower"),
    Metric("bce", "Binary cross-entropy, denoised", 4, "nats per pixel", better="lower"),
    Metric("basic_bce", "Binary cross-entropy, basic autoencoder", 4, "nats per pixel", better="lower"),
    Metric("noisy_bce", "Binary cross-entropy, noisy", 4, "nats per pixel", better="lower"),
    Metric("training_bce", "Training binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("images", "Images", 0),
    Metric("interpolations", "Interpolated images", 0),
    Metric("samples", "Sampled images", 0),
)

NOISE_FOR_DATASETS = 0.5
"""Added by `generate` to the clean images of a named dataset where it is not told how much."""


def train(run: Run) -> dict[str, float]:
    """Train 784 → 32 → 784 to turn noisy images into clean ones, with fresh noise in every epoch.

    Raises:
        InvalidData: the images cannot be used.
        Cancelled: the run was asked to stop; its checkpoint is kept.
        JobFailed: the training diverged.
    """
    parameters = run.spec.parameters
    assert isinstance(parameters, DenoiserTrain)
    images = images_for(run)
    model, history = train_network(run, images, parameters, noise=parameters.noise, seed=run.spec.seed)
    return save_training(run, model, images, history, noise=parameters.noise)


def evaluate(run: Run) -> dict[str, float]:
    """Compare what the denoiser and a basic autoencoder make of the same noisy test images.

    Raises:
        InvalidData: the images cannot be used.
        Cancelled: the run was asked to stop; the checkpoint of the basic autoencoder is kept.
    """
    parameters = run.spec.parameters
    assert isinstance(parameters, DenoiserEvaluate)
    images = images_for(run)
    networks = {"basic": _basic_autoencoder(run), "denoised": load_network(run.source)}
    comparison = compare(run, networks, images.test, parameters.noise)
    comparison.write(run)

    original = images.test[one_of_each_digit(images.test_labels, len(images.test), SHOWN_IMAGES)]
    noisy = with_noise(flat(original), parameters.noise, [run.spec.seed, 41])
    outputs = {method: as_bytes(predict(model, noisy)) for method, model in networks.items()}
    save_images(run, original=original, noisy=as_bytes(noisy), **outputs)
    # Nobody goes on with the basic autoencoder's training, once there is something to show.
    run.checkpoint.unlink(missing_ok=True)
    at_noise = comparison.values[parameters.noise]
    named = {f"{method}_{name}": value for method, row in at_noise.items() for name, value in row.items()}
    return {name.removeprefix("denoised_"): value for name, value in named.items()} | {
        "images": float(len(images.test))
    }


def generate(run: Run) -> dict[str, float]:
    """Denoise images; decode interpolations and samples of the code.

    Raises:
        InvalidData: the images cannot be used.
        Cancelled: the run was asked to stop.
    """
    parameters = run.spec.parameters
    assert isinstance(parameters, DenoiserGenerate)
    pictures = pictures_for(run)
    noise = parameters.noise
    if noise is None:
        named = (data_of(run) or parameters.default_data) in DATASETS
        noise = NOISE_FOR_DATASETS if named else 0.0
    clean = flat(pictures.images)
    noisy = with_noise(clean, noise, [run.spec.seed, 42])
    output, counts = generate_images(run, pictures, noisy, "denoised")
    if not noise:
        run.note("No noise was added: the images are taken for noisy as they are (`--noise` adds some).")
        return counts
    run.note(f"Gaussian noise of standard deviation {noise:g} was added to the images first.")
    before = {f"noisy_{name}": value for name, value in quality(clean, noisy).items()}
    return quality(clean, output) | before | counts


def present(folder: JobFolder) -> Parts:
    """What the report shows of the images that the job kept."""
    images = saved_images(folder)
    job = folder.job
    match job["spec"]["action"]:
        case "train":
            noise = job["spec"]["parameters"]["noise"]
            rows = {"original": images["original"], "noisy": images["input"], "denoised": images["output"]}
            yield Figure(
                "denoised",
                "Denoised images",
                "Images that were held out for validation, with noise of standard deviation "
                f"{noise:g}, and what the trained network makes of them.",
                f"{len(images['original'])} images in columns, from above: {', '.join(rows)}.",
                named_rows(rows),
            )
        case "evaluate":
            noise = job["spec"]["parameters"]["noise"]
            yield from comparison_parts(images, Comparison.read(folder), noise)
        case "generate":
            # Without metrics, nothing was added to the images.
            added = "noisy_mse" in folder.metrics
            rows = (
                {"given": images["original"], "noisy": images["input"]}
                if added
                else {"given": images["input"]}
            )
            yield from generation_parts(
                images,
                rows | {"denoised": images["output"]},
                "Denoised images",
                "Each image, what it looks like with noise, and what the network makes of that."
                if added
                else "Each image and what the network makes of it.",
            )


def _basic_autoencoder(run: Run) -> keras.Model:
    """The autoencoder to compare with: that of `--baseline`, or one trained here as the denoiser was."""
    if "baseline" in run.sources:
        folder = run.sources["baseline"]
        _note_differences(run, folder)
        return load_network(folder)
    trained = trained_as(run)
    assert isinstance(trained.parameters, DenoiserTrain)
    images = load_images(trained.data, run.settings)
    record_data(run, images)

    def report_progress(values: dict[str, float | str]) -> None:
        run.report_progress({"stage": "training a basic autoencoder", **values})

    model, _ = train_network(
        replace(run, report_progress=report_progress),
        images,
        trained.parameters,
        noise=0.0,
        seed=trained.seed,
        history_file="baseline_history.csv",
    )
    epochs = trained.parameters.epochs
    run.note(
        "The basic autoencoder was trained in this job, on the images that the denoiser was trained on, for "
        f"{epochs:,} {'epoch' if epochs == 1 else 'epochs'} as well."
    )
    return model


def _note_differences(run: Run, baseline: JobFolder) -> None:
    """Say so where the basic autoencoder was not trained as the denoiser was."""
    mine, other = run.source.job["spec"], baseline.job["spec"]
    for what, ours, theirs in (
        ("data", mine["data"] or "mnist", other["data"] or "mnist"),
        ("epochs", mine["parameters"]["epochs"], other["parameters"]["epochs"]),
    ):
        if ours != theirs:
            run.note(f"The basic autoencoder's {what}: {theirs}; the denoiser's: {ours}.")
