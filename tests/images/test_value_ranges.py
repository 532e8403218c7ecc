"""Numbers in an array mean the grey levels that anybody would take them for, and a note says which."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.errors import InvalidData
from jobs.settings import Settings
from tests.images.files import npz
from worker.images.datasets import load_images
from worker.images.inference_inputs import load_inputs
from worker.images.value_ranges import range_of

RAMP = np.linspace(0, 1, 40 * 28 * 28).reshape(40, 28, 28)
"""From black to white."""


def read(path: Path, here: Settings, array: Any) -> tuple[Any, tuple[str, ...]]:
    inputs = load_inputs(str(npz(path / "a.npz", x=array)), here, None)
    return inputs.images, inputs.notes


@pytest.mark.parametrize(
    ("array", "note"),
    [
        (RAMP, None),
        (np.rint(RAMP * 255).astype(np.int64), None),
        (np.rint(RAMP * 255).astype(np.uint16), None),
        (RAMP * 255, "The images are real numbers from 0 to 255, which were read as 0 (black) to 255 (white)."),
        (RAMP.astype(np.float32) * 16, "The images are real numbers from 0 to 16, which were read as 0 (black) to 16 (white)."),
        (np.rint(RAMP * 16).astype(int), "The images are integers from 0 to 16, which were read as 0 (black) to 16 (white)."),
        (np.rint(RAMP * 3).astype(np.uint8), "The images are integers from 0 to 3, which were read as 0 (black) to 3 (white)."),
        ((RAMP > 0.5).astype(int), "The images are integers from 0 to 1, which were read as 0 (black) to 1 (white)."),
        (np.rint(RAMP * 4095).astype(np.uint16), "The images are integers from 0 to 4095, which were read as 0 (black) to 4,095 (white)."),
        (np.rint(RAMP * 65_535).astype(np.uint16), "The images are integers from 0 to 65535, which were read as 0 (black) to 65,535 (white)."),
        (RAMP * 65_535, "The images are real numbers from 0 to 65535, which were read as 0 (black) to 65,535 (white)."),
        (RAMP * 2 - 1, "The images are real numbers from -1 to 1, which were read as -1 (black) to 1 (white)."),
        (RAMP * 1.1 - 0.05, "The images have values from -0.05 to 1.05; those outside of 0 to 1 were clipped."),
    ],
)  # fmt: skip
def test_each_usual_range_becomes_black_to_white(
    tmp_path: Path, here: Settings, array: Any, note: str | None
) -> None:
    images, notes = read(tmp_path, here, array)
    assert (int(images.min()), int(images.max())) == (0, 255)
    assert (np.diff(images.ravel().astype(int)) >= 0).all()
    if array.dtype != bool and len(np.unique(array)) > 200:
        expected = np.clip(array, 0, 1) if "clipped" in str(note) else RAMP
        np.testing.assert_allclose(images / 255, expected, atol=0.5 / 255 + 0.5 / 255)
    assert [text for text in notes if "empty" not in text] == ([note] if note else [])


@pytest.mark.parametrize(
    ("array", "given"),
    [
        (RAMP * 3.2 - 0.4, "real numbers from -0.4 to 2.8"),
        (RAMP * 2, "real numbers from 0 to 2"),
        (RAMP * 256 - 128, "real numbers from -128 to 128"),
        (np.rint(RAMP * 255).astype(int) - 128, "integers from -128 to 127"),
        (RAMP * 1e6, "real numbers from 0 to 1e+06"),
        (np.where(RAMP < 0.5, RAMP, np.nan), "values that are not finite (NaN or infinity)"),
    ],
)
def test_numbers_that_may_mean_anything_are_refused(
    tmp_path: Path, here: Settings, array: Any, given: str
) -> None:
    with pytest.raises(InvalidData) as raised:
        read(tmp_path, here, array)
    assert raised.value.given == given


def test_all_arrays_of_a_file_have_one_range(tmp_path: Path, here: Settings) -> None:
    """The test images alone would be taken for numbers from 0 to 1."""
    path = npz(
        tmp_path / "a.npz", x_train=np.rint(RAMP * 255).astype(int), x_test=(RAMP[:3] > 0.01).astype(int)
    )
    images = load_images(str(path), here)
    assert (images.train.max(), images.test.max()) == (255, 1)


def test_nothing_but_black_stays_black() -> None:
    for kind in (int, float, bool):
        assert range_of({"x": np.zeros((1, 2, 2), kind)}).levels(np.zeros((1, 2, 2), kind)).max() == 0
