"""A network that is no better than the mean training image says so, and no other one does."""

import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from jobs.errors import DamagedFolder
from jobs.store.job_folder import JobFolder
from tests.images.jobs import IMAGE_MODELS, context_for, do
from worker.context import JobContext
from worker.images.arrays import flat
from worker.images.network import build_autoencoder
from worker.images.quality import means, network_errors
from worker.images.training import held_out_for_validation
from worker.images.training_job import warn_if_diverged
from worker.images.trivial_baseline import (
    FILE,
    baseline_errors,
    mean_image,
    read_mean,
    warn_if_no_better,
    write_mean,
)

both_models = pytest.mark.parametrize("model", IMAGE_MODELS)
AUTOENCODER = IMAGE_MODELS[0]


def warnings_for(folder: Path, **numbers: float) -> list[str]:
    context = context_for(folder, AUTOENCODER, "train")
    warn_if_no_better(context, numbers, "validation images")
    return context.warnings


@both_models
def test_a_training_is_compared_with_the_mean_of_its_training_images(
    model: str, trained: dict[str, JobFolder], digits: Any
) -> None:
    """Validation images are no part of the mean, and it is measured on them alone."""
    held_out = held_out_for_validation(len(digits.train))
    pixels = digits.train.reshape(-1, 784).astype(np.float64) / 255
    mean = np.vstack([pixels[~held_out], np.full((1, 784), 0.5)]).mean(axis=0)
    np.testing.assert_allclose(read_mean(trained[model]), mean, rtol=1e-5)
    clean = pixels[held_out]
    bce = -(clean * np.log(mean) + (1 - clean) * np.log(1 - mean)).mean()
    metrics = trained[model].metrics
    assert metrics["baseline_validation_bce"] == pytest.approx(bce, rel=1e-5)
    assert metrics["validation_bce"] < bce
    assert trained[model].job["warnings"] == []


def test_images_that_do_not_count_take_no_copy_of_the_others(digits: Any) -> None:
    images = np.tile(digits.train, (10, 1, 1))
    held_out = held_out_for_validation(len(images))
    expected, left_out = mean_image(images[~held_out]), images[held_out]
    tracemalloc.start()
    mean = mean_image(images, without=left_out)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_array_equal(mean, expected)  # to the last bit
    assert peak < images.nbytes / 10


def test_the_mean_image_is_measured_like_an_output(digits: Any) -> None:
    clean, mean = flat(digits.test), mean_image(digits.train)
    measured = means(baseline_errors(clean, mean))
    output = np.broadcast_to(mean, clean.shape)
    psnr = tf.image.psnr(*(tf.reshape(each, (-1, 28, 28, 1)) for each in (clean, output)), max_val=1.0)
    assert measured["baseline_psnr_db"] == pytest.approx(float(np.mean(psnr)), rel=1e-5)
    assert measured["baseline_mse"] == pytest.approx(((clean - output) ** 2).mean(), rel=1e-4)
    perfect = clean.astype(np.float64).clip(1e-300, 1)
    inverse = (1 - clean.astype(np.float64)).clip(1e-300, 1)
    lowest = -(clean * np.log(perfect) + (1 - clean) * np.log(inverse)).mean()
    assert measured["lowest_bce"] == pytest.approx(lowest, rel=1e-5)
    assert baseline_errors(clean, None) == {}


def test_a_pixel_that_no_training_image_lit_has_a_finite_cross_entropy() -> None:
    dark, lit = np.zeros((99, 28, 28), np.uint8), np.full((1, 28, 28), 255, np.uint8)
    measured = means(baseline_errors(flat(lit), mean_image(dark)))
    assert measured["baseline_bce"] == pytest.approx(-np.log(0.5 / 100), rel=1e-4)


def test_a_network_with_a_dead_code_is_no_better(digits: Any, tmp_path: Path) -> None:
    """Its biases are those of the mean image, give or take what chance gave."""
    mean, clean = mean_image(digits.train), flat(digits.test)
    network = build_autoencoder(0)
    kernel, bias, other, _ = network.get_weights()
    network.set_weights([kernel * 0, bias - 1, other, np.log(mean / (1 - mean))])
    for change in (0.99, 1.0, 1.01):
        network.layers[-1].bias.assign(np.log(mean / (1 - mean)) * change)
        numbers = means(network_errors(network, clean, clean) | baseline_errors(clean, mean))
        warnings = warnings_for(tmp_path, **numbers)
        assert len(warnings) == 1
        assert "better than an output that is always the mean training image" in warnings[0]
        assert f"{numbers['bce']:.4f} nats per pixel" in warnings[0]


def test_a_network_is_judged_by_what_could_be_gained(tmp_path: Path) -> None:
    """Pale images have nearly the same cross-entropy whatever the output: a small gain may be all there is."""
    assert warnings_for(tmp_path, bce=0.6890, baseline_bce=0.6931, lowest_bce=0.6889) == []
    assert warnings_for(tmp_path, bce=0.69305, baseline_bce=0.6931, lowest_bce=0.6889) != []
    assert warnings_for(tmp_path, bce=0.1, baseline_bce=0.26, lowest_bce=0.07) == []
    assert "no better" in warnings_for(tmp_path, bce=41.0, baseline_bce=0.26, lowest_bce=0.07)[0]
    assert warnings_for(tmp_path, bce=0.0, baseline_bce=0.0, lowest_bce=0.0) != []
    assert warnings_for(tmp_path, bce=41.0) == []


def test_a_training_that_led_nowhere_says_so_and_so_do_the_jobs_that_use_it(tmp_path: Path) -> None:
    context = context_for(
        tmp_path / "a", AUTOENCODER, "train", data="digits", epochs=10, learning_rate=1, batch_size=64
    )
    folder = do(context)
    assert folder.metrics["validation_bce"] > 0.98 * folder.metrics["baseline_validation_bce"]
    no_better, diverged = context.warnings
    assert no_better.endswith(f"training image {folder.metrics['baseline_validation_bce']:.4f}.")
    lowest = min(row["loss"] for row in folder.history)
    assert diverged.startswith(f"Training diverged: the training loss was {lowest:.4f} after epoch ")
    # The numbers are those of the network that is saved, which is the last one and not the best.
    assert lowest < folder.metrics["training_bce"] == folder.history[-1]["loss"]
    assert folder.metrics["validation_bce"] == folder.history[-1]["validation_loss"]
    for action, images in (("evaluate", "test images"), ("generate", "given images")):
        later = context_for(tmp_path / action, AUTOENCODER, action, {"from": folder})
        metrics = do(later).metrics
        assert metrics["bce"] > 0.98 * metrics["baseline_bce"]
        assert f"cross-entropy on the {images} is {metrics['bce']:.4f} " in later.warnings[0]


@pytest.mark.parametrize(
    ("epochs", "advice"),
    [
        (1, "One epoch may be too few: train for more epochs."),
        (2, "The training loss was still falling in the last epoch: train for more epochs."),
    ],
)
def test_a_training_that_was_too_short_is_told_so(tmp_path: Path, epochs: int, advice: str) -> None:
    context = context_for(
        tmp_path, AUTOENCODER, "train", data="digits", epochs=epochs, learning_rate=1e-4, batch_size=64
    )
    do(context)
    [warning] = context.warnings
    assert "no better than" in warning
    assert warning.endswith(advice)


@both_models
def test_a_model_from_before_the_comparison_is_measured_all_the_same(
    model: str, trained: dict[str, JobFolder], digits: Any, tmp_path: Path
) -> None:
    new_files = shutil.ignore_patterns(FILE, "training_examples.npz", "model_summary.json")
    old = shutil.copytree(trained[model].path, tmp_path / "old", ignore=new_files)
    np.savez(tmp_path / "few.npz", x_train=digits.test[:20], x_test=digits.test[:20])
    for action in ("evaluate", "generate"):
        context = context_for(
            tmp_path / action, model, action, {"from": JobFolder(old)}, data=str(tmp_path / "few.npz")
        )
        folder = do(context)
        assert not any(name.startswith(("baseline", "lowest")) for name in folder.metrics)
        assert context.warnings == []


def test_a_damaged_mean_image_is_refused(tmp_path: Path) -> None:
    write_mean(tmp_path, np.full(784, 0.25, np.float32))
    assert read_mean(JobFolder(tmp_path)) is not None
    for wrong in (np.zeros(784, np.float32), np.full(784, np.nan, np.float32), np.full(10, 0.5, np.float32)):
        write_mean(tmp_path, wrong)
        with pytest.raises(DamagedFolder):
            read_mean(JobFolder(tmp_path))


def rising(context: JobContext, *losses: float) -> list[str]:
    history = [{"epoch": place + 1.0, "loss": loss} for place, loss in enumerate(losses)]
    warn_if_diverged(context, history, 0.26)
    return context.warnings


def test_a_loss_that_rises_far_above_its_lowest_is_called_diverged(tmp_path: Path) -> None:
    context = context_for(tmp_path, AUTOENCODER, "train")
    assert rising(context, 0.2, 0.12, 0.121) == []
    assert rising(context, 0.2) == []
    assert rising(context, 0.2, 0.12, 0.15) == [
        "Training diverged: the training loss was 0.1200 after epoch 2 and 0.1500 after the last one; try a "
        "smaller --learning-rate."
    ]
