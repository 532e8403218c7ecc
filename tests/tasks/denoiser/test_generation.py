"""The denoiser takes a person's own images as they are, and adds noise on request."""

from pathlib import Path
from typing import Any

from PIL import Image

from jobs.store.job_folder import JobFolder
from tests.images.jobs import arrays_of, context_for, do, figures_of


def test_own_images_are_denoised_as_they_are(trained: JobFolder, digits: Any, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name, image in zip(("$x^{$ <b>.png", "éü.png", "-rf .png"), digits.test, strict=False):
        Image.fromarray(image).resize((56, 40)).save(own / name)
    context = context_for(tmp_path / "job", "denoiser", "generate", {"from": trained}, data=str(own))
    folder = do(context)
    assert folder.metrics == {"images": 3.0, "interpolations": 9.0, "samples": 20.0, "training_noise": 0.5}
    assert any("No noise was added" in note for note in context.notes)
    assert any("resized" in note for note in context.notes)
    names = [path.name for path in (context.folder / "denoised").iterdir()]
    assert sorted(names) == ["0000-x-b.png", "0001-rf.png", "0002-image.png"]
    saved = arrays_of(folder)
    assert (saved["input"] == saved["original"]).all()
    assert (saved["interpolation_inputs"] == saved["interpolation_ends"]).all()
    figures = figures_of(folder)
    assert "the same with noise" not in figures["interpolation"].caption
    for figure in figures.values():
        figure.drawing.savefig(tmp_path / "drawn.png")


def test_noise_is_added_to_own_images_on_request(trained: JobFolder, digits: Any, tmp_path: Path) -> None:
    Image.fromarray(digits.test[0]).save(tmp_path / "one.png")
    context = context_for(
        tmp_path / "job",
        "denoiser",
        "generate",
        {"from": trained},
        data=str(tmp_path / "one.png"),
        noise=0.2,
        samples=0,
    )
    folder = do(context)
    assert folder.metrics["noisy_mse"] > 0
    assert "Nothing was interpolated, since there is only one image." in context.notes
    assert list(figures_of(folder)) == ["images"]
