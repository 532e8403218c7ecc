"""The denoiser's evaluation compares it with a basic autoencoder on the same noisy images."""

import csv
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import Cancelled
from jobs.store.job_folder import JobFolder
from tests.images.jobs import EPOCHS, context_for, do, figures_of
from worker.images.arrays import flat, with_noise
from worker.images.network import load_network
from worker.images.quality import quality


def test_a_denoiser_is_compared_on_the_same_noisy_images(
    trained: JobFolder, baseline: JobFolder, digits: Any, tmp_path: Path
) -> None:
    sources = {"from": trained, "baseline": baseline}
    folder = do(context_for(tmp_path, "denoiser", "evaluate", sources, noise=0.35))
    clean = flat(digits.test)
    noisy = with_noise(clean, 0.35, [0, 40, 0])
    for prefix, images in {
        "noisy_": noisy,
        "basic_": load_network(baseline)(noisy).numpy(),
        "": load_network(trained)(noisy).numpy(),
    }.items():
        for name, value in quality(clean, images).items():
            assert folder.metrics[prefix + name] == pytest.approx(value, rel=1e-5)
    with (folder.path / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["noise", "method", "bce", "mse", "psnr_db", "ssim"]
    assert {row["method"] for row in rows} == {"noisy", "basic", "denoised"}
    levels = sorted({float(row["noise"]) for row in rows})
    assert levels == sorted([*(tenth / 10 for tenth in range(11)), 0.35])
    assert list(figures_of(folder)) == ["comparison", "sweep"]
    assert folder.metrics["psnr_db"] > folder.metrics["noisy_psnr_db"]


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
