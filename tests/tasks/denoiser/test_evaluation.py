"""The denoiser's evaluation compares it with a basic autoencoder on the same noisy images."""

import csv
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from jobs.errors import Cancelled
from jobs.store.job_folder import JobFolder
from tests.images.jobs import EPOCHS, context_for, do, figures_of
from worker.images.arrays import flat, with_noise
from worker.images.network import load_network
from worker.images.quality import quality
from worker.tasks.denoiser.evaluation import warn_of_harm


@pytest.mark.parametrize(
    ("mse", "said"), [(0.2, "makes of them: PSNR"), (0.1, "by PSNR, though not by mean squared error: PSNR")]
)
def test_noisy_images_are_called_closer_by_the_measures_that_say_so(
    tmp_path: Path, mse: float, said: str
) -> None:
    context = context_for(tmp_path, "denoiser", "train")
    metrics = {"psnr_db": 8.0, "noisy_psnr_db": 9.0, "mse": mse, "noisy_mse": 0.15}
    warn_of_harm(context, metrics, 0.5, "test images")
    (warning,) = context.warnings
    assert said in warning


def rows_of(folder: JobFolder) -> list[dict[str, str]]:
    with (folder.path / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_denoiser_is_compared_on_the_same_noisy_images(
    trained: JobFolder, baseline: JobFolder, digits: Any, tmp_path: Path
) -> None:
    sources = {"from": trained, "baseline": baseline}
    folder = do(context_for(tmp_path, "denoiser", "evaluate", sources, noise=0.35))
    clean = flat(digits.test)
    noisy = with_noise(clean, 0.35, [0, 40, 0])
    networks = {"basic_": load_network(baseline), "": load_network(trained)}
    for prefix, images in {
        "noisy_": noisy,
        **{prefix: network(noisy).numpy() for prefix, network in networks.items()},
    }.items():
        for name, value in quality(clean, images).items():
            assert folder.metrics[prefix + name] == pytest.approx(value, rel=1e-5)
        psnr = tf.image.psnr(clean.reshape(-1, 28, 28, 1), images.reshape(-1, 28, 28, 1), max_val=1.0)
        assert folder.metrics[f"{prefix}psnr_db"] == pytest.approx(float(np.mean(psnr)), rel=1e-5)
    for prefix, network in networks.items():
        loss = keras.losses.BinaryCrossentropy()(clean, network(noisy))
        assert folder.metrics[f"{prefix}bce"] == pytest.approx(float(loss), rel=1e-4)
    assert "noisy_bce" not in folder.metrics
    unclipped = clean + np.float32(0.35) * np.random.default_rng([0, 40, 0]).standard_normal(
        clean.shape, np.float32
    )
    assert folder.metrics["clipped_share"] == pytest.approx(
        ((unclipped < 0) | (unclipped > 1)).mean(), abs=1e-4
    )
    assert folder.metrics["training_noise"] == 0.5

    rows = rows_of(folder)
    assert list(rows[0]) == ["noise", "method", "mse", "psnr_db", "ssim"]
    assert {row["method"] for row in rows} == {"noisy", "basic", "denoised"}
    levels = sorted({float(row["noise"]) for row in rows})
    assert levels == sorted([*(tenth / 10 for tenth in range(11)), 0.35])
    for row in rows:
        if row["noise"] == "0.35":
            prefix = f"{row['method']}_".replace("denoised_", "")
            assert float(row["mse"]) == pytest.approx(folder.metrics[f"{prefix}mse"], rel=1e-5)
    assert list(figures_of(folder)) == ["comparison", "sweep"]
    assert folder.metrics["psnr_db"] > folder.metrics["noisy_psnr_db"]


def test_images_without_noise_have_no_finite_psnr(
    trained: JobFolder, baseline: JobFolder, tmp_path: Path
) -> None:
    sources = {"from": trained, "baseline": baseline}
    folder = do(context_for(tmp_path, "denoiser", "evaluate", sources, noise=0.0))
    [untouched] = [row for row in rows_of(folder) if row["noise"] == "0.0" and row["method"] == "noisy"]
    assert (float(untouched["mse"]), untouched["psnr_db"]) == (0, "")
    assert all(row["psnr_db"] for row in rows_of(folder) if row is not untouched and row["noise"] != "0.0")
    assert "noisy_psnr_db" not in folder.metrics
    assert folder.metrics["clipped_share"] == folder.metrics["noisy_mse"] == 0
    sweep = figures_of(folder)["sweep"]
    assert "their PSNR is infinite, empty in sweep.csv" in sweep.caption


def test_a_denoiser_that_makes_images_worse_says_so(
    trained: JobFolder, baseline: JobFolder, tmp_path: Path
) -> None:
    context = context_for(
        tmp_path, "denoiser", "evaluate", {"from": trained, "baseline": baseline}, noise=0.02
    )
    metrics = do(context).metrics
    assert metrics["psnr_db"] < metrics["noisy_psnr_db"]
    assert context.warnings[-1] == (
        "At noise 0.02 the noisy images are closer to the clean ones than what the network makes of them: PSNR "
        f"{metrics['noisy_psnr_db']:.2f} against {metrics['psnr_db']:.2f} dB, mean squared error "
        f"{metrics['noisy_mse']:.4f} against {metrics['mse']:.4f}."
    )


def test_a_baseline_trained_in_the_job_is_the_one_trained_apart(
    trained: JobFolder, baseline: JobFolder, tmp_path: Path
) -> None:
    """Same images, epochs, batches and seed; and it may be stopped on the way and resumed."""
    sources = {"from": trained}
    apart = context_for(tmp_path / "apart", "denoiser", "evaluate", sources | {"baseline": baseline})
    within = context_for(tmp_path / "within", "denoiser", "evaluate", sources)
    reported: list[dict[str, Any]] = []

    def stop_in_the_middle(values: dict[str, Any]) -> None:
        reported.append(values)
        if values.get("step") or values.get("epoch"):
            within.stop.set()

    within.report_progress = stop_in_the_middle
    with pytest.raises(Cancelled):
        do(within)
    assert within.checkpoint.exists()
    assert reported[-1]["stage"] == "training a basic autoencoder"
    assert reported[-1]["epochs"] == EPOCHS

    again = context_for(tmp_path / "within", "denoiser", "evaluate", sources)
    assert do(again).metrics == do(apart).metrics
    assert not again.checkpoint.exists()
    assert not (again.folder / "history.csv").exists()
    assert (again.folder / "baseline_history.csv").read_text().count("\n") == 1 + EPOCHS
    assert any("trained in this job" in note for note in again.notes)
