"""The denoiser: train it on noisy digits, compare it with a basic autoencoder, denoise images with it."""

import math
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from jobs.datasets import DATASETS
from jobs.folder import JobFolder
from jobs.spec import DenoiserEvaluate, DenoiserGenerate, DenoiserTrain, JobSpec
from worker.data.images import Images
from worker.image_generation import Floats, generate_images, pictures_for
from worker.image_jobs import flat, images_for, load_network, predict, train_network
from worker.image_quality import LARGEST_PSNR, quality
from worker.report import image_figures
from worker.report.parts import Figure, Metric, Parts, Table, Text
from worker.run import Run
from worker.tasks.autoencoder import as_bytes, examples, generation_figures

METRICS = (
    Metric("psnr_db", "PSNR, denoised", 2, "dB", better="higher"),
    Metric("validation_bce", "Validation binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("basic_psnr_db", "PSNR, basic autoencoder", 2, "dB", better="higher"),
    Metric("noisy_psnr_db", "PSNR, noisy", 2, "dB", better="higher"),
    Metric("bce", "Binary cross-entropy, denoised", 4, "nats per pixel", better="lower"),
    Metric("basic_bce", "Binary cross-entropy, basic autoencoder", 4, "nats per pixel", better="lower"),
    Metric("noisy_bce", "Binary cross-entropy, noisy", 4, "nats per pixel", better="lower"),
    Metric("mse", "Mean squared error, denoised", 4, better="lower"),
    Metric("basic_mse", "Mean squared error, basic autoencoder", 4, better="lower"),
    Metric("noisy_mse", "Mean squared error, noisy", 4, better="lower"),
    Metric("ssim", "SSIM, denoised", 3, better="higher"),
    Metric("basic_ssim", "SSIM, basic autoencoder", 3, better="higher"),
    Metric("noisy_ssim", "SSIM, noisy", 3, better="higher"),
    Metric("training_bce", "Training binary cross-entropy", 4, "nats per pixel", better="lower"),
    Metric("images", "Images", 0),
    Metric("interpolations", "Interpolated images", 0),
    Metric("samples", "Sampled images", 0),
)

LEVELS = tuple(step / 10 for step in range(11))
"""Standard deviations of the noise in the sweep."""

WAYS = {"noisy": "as it is", "basic": "basic autoencoder", "denoised": "denoiser"}
MEASURES = {"psnr_db": "PSNR, dB", "ssim": "SSIM", "mse": "mean squared error", "bce": "BCE, nats per pixel"}
SHOWN = 10
MOST_COMPARED = 10_000
"""Test images in the sweep; a set of ten thousand is sure to a hundredth of a decibel."""


def train(run: Run) -> dict[str, float]:
    """Train 784 → 32 → 784 to turn noisy images into clean ones, with fresh noise in every epoch.

    Raises:
        InvalidData: the images cannot be used.
        Cancelled: the run was asked to stop; its checkpoint is kept.
    """
    parameters = run.spec.parameters
    assert isinstance(parameters, DenoiserTrain)
    model, history = train_network(run, images_for(run), parameters, noise=parameters.noise)
    model.save(run.folder / "model.keras")
    return {"validation_bce": history[-1]["validation_loss"], "training_bce": history[-1]["loss"]}


def evaluate(run: Run) -> dict[str, float]:
    """Compare what the denoiser and a basic autoencoder make of the same noisy test images.

    The noise of all levels is one set of normals, scaled: the lines of the sweep differ by the
    level and by nothing else.

    Raises:
        InvalidData: the images cannot be used.
    """
    parameters = run.spec.parameters
    assert isinstance(parameters, DenoiserEvaluate)
    images = images_for(run)
    networks = {"basic": _baseline(run, images), "denoised": load_network(run.source)}
    clean = flat(images.test[:MOST_COMPARED])
    if len(images.test) > MOST_COMPARED:
        run.note(f"The first {MOST_COMPARED:,} of {len(images.test):,} test images were compared.")
    normals = np.random.default_rng([run.spec.seed, 4]).standard_normal(clean.shape, np.float32)
    levels = sorted({*LEVELS, parameters.noise})
    sweep = []
    headline: dict[str, float] = {}
    for done, level in enumerate(levels):
        run.check_stop()
        run.progress(force=True, stage=f"noise {level:g}, {done} of {len(levels)} levels done")
        seen = dict(_ways(clean, normals, level, networks))
        measured = {way: quality(clean, output) for way, output in seen.items()}
        sweep += [[level, way, *measured[way].values()] for way in seen]
        if level == parameters.noise:
            headline = _headline(measured)
            shown = examples(images.test_labels, len(clean), SHOWN)
            kept = {way: as_bytes(output[shown]) for way, output in seen.items()}
            np.savez_compressed(
                run.folder / "comparison.npz", allow_pickle=False, original=images.test[shown], **kept
            )
    run.write_table("sweep.csv", ["noise", "way", "bce", "mse", "psnr_db", "ssim"], sweep)
    return headline


def generate(run: Run) -> dict[str, float]:
    """Denoise images; decode interpolations and samples of the code.

    Raises:
        InvalidData: the images cannot be used.
    """
    parameters = run.spec.parameters
    assert isinstance(parameters, DenoiserGenerate)
    pictures = pictures_for(run)
    own = run.spec.data is not None and run.spec.data not in DATASETS
    noise = parameters.noise if parameters.noise is not None else 0.0 if own else 0.5
    run.note(
        f"Gaussian noise of standard deviation {noise:g} was added first."
        if noise
        else "No noise was added: the images are taken to be noisy already (`--noise` adds some)."
    )
    clean = flat(pictures.images)
    normals = np.random.default_rng([run.spec.seed, 5]).standard_normal(clean.shape, np.float32)
    noisy = _noisy(clean, normals, noise)
    output, counts = generate_images(run, pictures, noisy, "denoised")
    if not noise:
        return counts
    measured = quality(clean, output)
    return measured | {f"noisy_{name}": value for name, value in quality(clean, noisy).items()} | counts


def present(folder: JobFolder) -> Parts:
    """The figures of an evaluation or a generation; a training has its loss curve alone."""
    action = folder.job["spec"]["action"]
    if action == "evaluate":
        yield from _evaluation(folder)
    elif action == "generate":
        yield from generation_figures(folder, "Noisy", "Denoised image", "what the denoiser makes of it")


def _baseline(run: Run, images: Images) -> keras.Model:
    """The basic autoencoder to compare with: the job's `--baseline`, or one trained here."""
    if "baseline" in run.sources:
        return load_network(run.sources["baseline"])
    trained = JobSpec.parse(run.source.job["spec"])
    assert isinstance(trained.parameters, DenoiserTrain)
    run.note(
        f"The basic autoencoder was trained in this job, on the same images for the same "
        f"{trained.parameters.epochs} epochs, without noise."
    )
    # A folder and a checkpoint of its own, inside the staging of this job.
    aside = replace(run, spec=trained, folder=run.folder / "baseline")
    aside.folder.mkdir()
    model, _ = train_network(aside, images, trained.parameters, noise=0.0)
    shutil.rmtree(aside.folder)
    return model


def _ways(
    clean: Floats, normals: Floats, level: float, networks: dict[str, keras.Model]
) -> Iterator[tuple[str, Floats]]:
    noisy = _noisy(clean, normals, level)
    yield "noisy", noisy
    for way, network in networks.items():
        yield way, predict(network, noisy)


def _noisy(clean: Floats, normals: Floats, level: float) -> Floats:
    noisy: Floats = np.clip(clean + np.float32(level) * normals, 0, 1)
    return noisy


def _headline(measured: dict[str, dict[str, float]]) -> dict[str, float]:
    named: dict[str, float] = {}
    for way, values in measured.items():
        prefix = "" if way == "denoised" else f"{way}_"
        named |= {f"{prefix}{name}": value for name, value in values.items()}
    return named


def _evaluation(folder: JobFolder) -> Parts:
    noise = folder.job["spec"]["parameters"]["noise"]
    with np.load(folder.path / "comparison.npz", allow_pickle=False) as stored:
        rows = {"noisy": "noisy", "basic": "basic", "denoised": "denoised", "original": "original"}
        images = {label: stored[name] for name, label in rows.items()}
    yield Figure(
        "comparison",
        "The same noisy images, two networks",
        f"From above: test images with noise of standard deviation {noise:g}; what the basic autoencoder "
        "makes of them; what the denoiser makes of them; the originals.",
        "Four rows of ten digits: noisy, basic autoencoder, denoised, original.",
        image_figures.rows_of_images(images),
    )
    sweep = _read_sweep(folder)
    levels = sorted({row["noise"] for row in sweep})
    panels = {
        title: {label: [row[measure] for row in sweep if row["way"] == way] for way, label in WAYS.items()}
        for measure, title in MEASURES.items()
    }
    psnr = panels[MEASURES["psnr_db"]]
    yield Figure(
        "sweep",
        "Who wins where",
        "The same test images at every noise level; the dotted line is the level of the numbers above "
        f"({noise:g}).",
        "Four panels over the noise level: PSNR, SSIM, mean squared error, cross-entropy; three lines each.",
        image_figures.quality_over_noise(levels, panels | {MEASURES["psnr_db"]: _finite(psnr)}, noise),
    )
    yield Text("In words", _who_wins(levels, psnr))
    yield Table(
        "The sweep",
        ["noise", *(f"{label}, dB" for label in WAYS.values())],
        [
            [level, *(_decibels(psnr[label][place]) for label in WAYS.values())]
            for place, level in enumerate(levels)
        ],
        "PSNR by noise level; all measures are in sweep.csv.",
    )


def _finite(psnr: dict[str, list[float]]) -> dict[str, list[float]]:
    """Without the infinite PSNR of an image that was not touched, which would flatten all lines."""
    return {label: [v if v < LARGEST_PSNR else math.nan for v in values] for label, values in psnr.items()}


def _decibels(psnr: float) -> str | float:
    return round(psnr, 2) if psnr < LARGEST_PSNR else "the original"


def _read_sweep(folder: JobFolder) -> list[dict[str, Any]]:
    lines = (folder.path / "sweep.csv").read_text(encoding="utf-8").splitlines()
    header = lines[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=True)) for line in lines[1:]]
    return [{name: value if name == "way" else float(value) for name, value in row.items()} for row in rows]


def _who_wins(levels: list[float], psnr: dict[str, list[float]]) -> str:
    """One sentence for each stretch of noise levels that the same way wins."""
    winners = [
        max((values[place], label) for label, values in psnr.items())[1] for place in range(len(levels))
    ]
    sentences = []
    start = 0
    for place in range(1, len(levels) + 1):
        if place == len(levels) or winners[place] != winners[start]:
            first, last = levels[start], levels[place - 1]
            where = f"at noise {first:g}" if first == last else f"from noise {first:g} to {last:g}"
            winner = {"as it is": "the image as it is", "basic autoencoder": "the basic autoencoder"}
            sentences.append(
                f"{winner.get(winners[start], 'the denoiser')} is closest to the original {where}"
            )
            start = place
    text = "; ".join(sentences)
    return f"By PSNR, {text}."
