"""A basic autoencoder that was trained otherwise than the denoiser is compared all the same, with a note."""

from pathlib import Path

from jobs.store.job_folder import JobFolder
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
