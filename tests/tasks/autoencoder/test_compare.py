"""What the page of a comparison shows of autoencoders: the same digits in rows."""

import io
from pathlib import Path

import numpy as np

from tests.tasks.comparing import compared
from worker.report.blocks import Figure
from worker.report.theme import themed
from worker.tasks.autoencoder.compare import compare


def images(seed: int, originals: int = 0) -> bytes:
    rng, other = np.random.default_rng(originals), np.random.default_rng(seed)
    file = io.BytesIO()
    np.savez_compressed(
        file,
        original=rng.integers(0, 255, (12, 28, 28), np.uint8),
        output=other.integers(0, 255, (12, 28, 28), np.uint8),
    )
    return file.getvalue()


def test_the_same_images_by_all_models_are_in_rows(tmp_path: Path) -> None:
    runs = [compared(tmp_path, f"run {n}", train={"images.npz": images(n)}) for n in range(3)]
    runs.append(compared(tmp_path, "others", train={"images.npz": images(9, originals=1)}))
    runs.append(compared(tmp_path, "old", train={}))
    with themed():
        (figure,) = compare(runs)
    assert isinstance(figure, Figure)
    assert "10 validation images in 4 rows: original, run 0, run 1, run 2." in figure.alt
    assert "1 run of other images left out." in figure.caption
    assert "run 0: units 5" in figure.caption


def test_test_images_come_before_validation_images(tmp_path: Path) -> None:
    files = {"images.npz": images(1)}
    with themed():
        (figure,) = compare([compared(tmp_path, f"run {n}", train=files, evaluate=files) for n in range(2)])
    assert isinstance(figure, Figure)
    assert "10 test images" in figure.alt


def test_nothing_is_shown_of_one_run(tmp_path: Path) -> None:
    assert list(compare([compared(tmp_path, "run", train={"images.npz": images(1)})])) == []
