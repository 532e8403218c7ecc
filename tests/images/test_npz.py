"""A person's own .npz files: what is read and which notes the report gets."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.settings import Settings
from jobs.store.atomic_files import sha256_of
from tests.images.files import LABELS, PIXELS, npz
from worker.images.datasets import load_images
from worker.images.inference_inputs import load_inputs


def test_kerass_layout_is_read_as_it_is(tmp_path: Path, here: Settings) -> None:
    path = npz(tmp_path / "k.npz", x_train=PIXELS, y_train=LABELS, x_test=PIXELS[:5], y_test=LABELS[:5])
    images = load_images(str(path), here)
    assert images.train_labels is not None
    assert images.test_labels is not None
    np.testing.assert_array_equal(images.train, PIXELS)
    np.testing.assert_array_equal(images.train_labels, LABELS)
    np.testing.assert_array_equal(images.test, PIXELS[:5])
    np.testing.assert_array_equal(images.test_labels, LABELS[:5])
    assert (images.train.dtype.name, images.train_labels.dtype.name) == ("uint8", "int64")
    assert images.name == "k.npz"
    assert images.notes == ()
    assert images.record == {
        "name": "k.npz",
        "path": str(path),
        "sha256": sha256_of(path),
        "examples": {"train": 40, "test": 5},
    }


@pytest.mark.parametrize(
    "array",
    [
        PIXELS.astype(">i8"),
        PIXELS.astype(np.float32) / 255,
        (PIXELS / 255)[..., None],
        np.asfortranarray(PIXELS),
    ],
    ids=["big-endian", "float32", "one channel", "fortran"],
)
def test_other_number_types_and_orders_give_the_same_images(
    tmp_path: Path, here: Settings, array: np.ndarray[Any, Any]
) -> None:
    images = load_images(str(npz(tmp_path / "a.npz", x_train=array, x_test=array)), here)
    np.testing.assert_array_equal(images.train, PIXELS)


def test_half_precision_and_booleans_are_scaled(tmp_path: Path, here: Settings) -> None:
    half = npz(
        tmp_path / "half.npz", images=np.linspace(0, 1, 20 * 784, dtype=np.float16).reshape(20, 28, 28)
    )
    assert {0, 128, 255} <= set(load_images(str(half), here).train.flat)
    boolean = npz(tmp_path / "boolean.npz", images=PIXELS > 100)
    assert set(load_images(str(boolean), here).train.flat) == {0, 255}


def test_a_tenth_is_set_aside_where_there_is_no_test_part(tmp_path: Path, here: Settings) -> None:
    first = load_images(str(npz(tmp_path / "a.npz", x=PIXELS, y=LABELS)), here)
    again = load_images(str(npz(tmp_path / "b.npz", images=PIXELS, labels=LABELS)), here)
    assert first.notes == (
        "The data has no test part; 4 of 40 images were set aside as one, always the same ones.",
    )
    assert len(first.train) == 36
    np.testing.assert_array_equal(first.test, again.test)
    np.testing.assert_array_equal(first.test_labels, again.test_labels)
    # Pinned: a model evaluated later must be tested on the images that it was not trained on.
    assert [int(np.flatnonzero((image == PIXELS).all((1, 2)))[0]) for image in first.test] == [4, 20, 22, 25]


def test_images_of_another_size_are_resized_with_a_note(tmp_path: Path, here: Settings) -> None:
    square = load_images(str(npz(tmp_path / "a.npz", x=np.full((20, 8, 8), 200, np.uint8))), here)
    assert square.notes[0] == "Images were resized from 8 × 8 to 28 × 28."
    assert set(square.train.flat) == {200}
    wide = load_images(str(npz(tmp_path / "b.npz", x=np.full((20, 14, 56), 200, np.uint8))), here)
    assert wide.notes[0] == (
        "Images were resized from 56 × 14 to 28 × 28, keeping their proportions, with black around them."
    )
    rows = wide.train[0].max(axis=1)
    assert rows.tolist() == [0] * 10 + [200] * 7 + [0] * 11


def test_labels_that_are_no_digits_are_ignored_with_a_note(tmp_path: Path, here: Settings) -> None:
    path = npz(tmp_path / "letters.npz", x_train=PIXELS, y_train=LABELS + 1, x_test=PIXELS)
    images = load_images(str(path), here)
    assert images.train_labels is None
    assert images.notes == (
        f"Labels in {path}, y_train range from 1 to 10; they were ignored, since only digits 0 to 9 serve as "
        "labels.",
    )


def test_odd_brightness_is_noted_and_nothing_is_changed(tmp_path: Path, here: Settings) -> None:
    dark = npz(tmp_path / "dark.npz", x_train=PIXELS // 8, x_test=PIXELS)
    images = load_images(str(dark), here)
    assert images.notes == (
        f"The brightest pixel in {dark}, x_train has grey level 15 of 255; contrast was not changed.",
    )
    light = load_images(str(npz(tmp_path / "light.npz", x_train=255 - PIXELS, x_test=PIXELS)), here)
    assert light.notes == (
        "The images look dark on light (mean grey level 192 of 255), where light on dark is usual; "
        "they were not inverted.",
    )
    np.testing.assert_array_equal(light.train, 255 - PIXELS)


def test_inputs_are_the_first_of_an_npz(tmp_path: Path, here: Settings) -> None:
    path = npz(tmp_path / "a.npz", x_train=PIXELS, x_test=PIXELS[20:], y_test=LABELS[20:])
    inputs = load_inputs(str(path), here, 3)
    np.testing.assert_array_equal(inputs.images, PIXELS[20:23])
    np.testing.assert_array_equal(inputs.labels, LABELS[20:23])
    assert inputs.names == ("x_test[0]", "x_test[1]", "x_test[2]")
    assert inputs.notes == ("Only the first 3 of 20 images were used.",)
    single = load_inputs(str(npz(tmp_path / "b.npz", images=PIXELS[0])), here, 10)
    np.testing.assert_array_equal(single.images, PIXELS[:1])
    assert single.labels is None
