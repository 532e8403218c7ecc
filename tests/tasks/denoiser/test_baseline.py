"""A basic autoencoder that was trained otherwise than the denoiser is compared all the same, with a note."""

from pathlib import Path
from typing import Any

from jobs.store.job_folder import JobFolder
from tests.images.files import png
from tests.images.jobs import EPOCHS, context_for, do
from worker.tasks.denoiser.baseline import basic_autoencoder


def test_a_difference_in_epochs_is_noted(trained: JobFolder, tmp_path: Path) -> None:
    shorter = do(context_for(tmp_path / "train", "autoencoder", "train", data="digits", epochs=1))
    context = context_for(
        tmp_path / "evaluate", "denoiser", "evaluate", {"from": trained, "baseline": shorter}
    )
    basic_autoencoder(context)
    assert context.notes == [f"The basic autoencoder's epochs: 1; the denoiser's: {EPOCHS}."]


def test_a_baseline_without_differences_gets_no_note(
    trained: JobFolder, baseline: JobFolder, tmp_path: Path
) -> None:
    context = context_for(tmp_path, "denoiser", "evaluate", {"from": trained, "baseline": baseline})
    basic_autoencoder(context)
    assert context.notes == []


def test_a_baseline_leaves_out_the_files_that_the_denoiser_left_out(digits: Any, tmp_path: Path) -> None:
    images = tmp_path / "images"
    for number in range(30):
        png(images / f"{number:02d}.png", digits.train[number])
    (images / "13.png").write_bytes(b"")
    denoiser = do(
        context_for(tmp_path / "train", "denoiser", "train", data=str(images), epochs=1, on_bad_row="skip")
    )
    context = context_for(tmp_path / "evaluate", "denoiser", "evaluate", {"from": denoiser})
    basic_autoencoder(context)
    assert context.data["images"]["examples"] == {"train": 26, "test": 3}
