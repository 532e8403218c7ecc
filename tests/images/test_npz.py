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
        "Images were resized from 56 × 14 to 28 × 28, keeping their proportions, with white around them."
    )
    rows = wide.train[0].max(axis=1)
    assert rows.tolist() == [255] * 10 + [200] * 7 + [255] * 11


def test_labels_that_are_no_small_numbers_are_ignored_with_a_note(tmp_path: Path, here: Settings) -> None:
    path = npz(tmp_path / "letters.npz", x_train=PIXELS, y_train=LABELS + 91, x_test=PIXELS)
    images = load_images(str(path), here)
    assert images.train_labels is None
    assert images.notes == (
        f"The labels in {path}, y_train range from 91 to 100; they were ignored, since only numbers from 0 to 99 serve as "
        "labels.",
    )


def test_little_contrast_is_noted_and_nothing_is_changed(tmp_path: Path, here: Settings) -> None:
    dim = npz(tmp_path / "dim.npz", x_train=100 + PIXELS // 3, x_test=PIXELS)
    images = load_images(str(dim), here)
    assert images.notes == (
        "The training images have little contrast: their grey levels range from 100 to 142 of 255. It was not "
        "changed.",
    )
    np.testing.assert_array_equal(images.train, 100 + PIXELS // 3)


@pytest.mark.parametrize(
    ("labels", "expected", "note"),
    [
        (np.eye(10)[LABELS], LABELS, "The labels in {} are one-hot; the place of the 1 is the label."),
        (np.eye(10, dtype=bool)[LABELS], LABELS, "The labels in {} are one-hot; the place of the 1 is the label."),
        (LABELS.astype(float), LABELS, None),
        (LABELS[:, None], LABELS, None),
        (np.eye(10)[LABELS] / 2, None, "The labels in {} were ignored, since they are not one-hot, a single 1 in each row."),
        (np.eye(47)[LABELS + 30], LABELS + 30, "The labels in {} are one-hot; the place of the 1 is the label."),
        (np.eye(147)[LABELS + 130], None, "The labels in {} range from 130 to 139; they were ignored, since only numbers from 0 to 99 serve as labels."),
        (LABELS + 0.5, None, "The labels in {} were ignored, since they are not whole numbers."),
        (np.where(LABELS, LABELS, np.nan), None, "The labels in {} were ignored, since they are not whole numbers."),
        (LABELS[:39], None, "The labels in {} were ignored: they have shape (39) and type int64, and not one label for each of 40 images."),
        (LABELS.astype(str), None, "The labels in {} were ignored: they have shape (40) and type str672, and not one label for each of 40 images."),
        (np.array([None] * 40), None, "The labels in {} were ignored: expected an array of numbers, got Python objects (a pickle), which are never loaded."),
    ],
    ids=["one-hot", "boolean one-hot", "real", "column", "shares", "letters", "many classes", "halves", "NaN", "short", "texts", "pickle"],
)  # fmt: skip
def test_labels_in_whatever_form_do_not_keep_an_image_from_being_read(
    tmp_path: Path, here: Settings, labels: Any, expected: Any, note: str | None
) -> None:
    path = npz(tmp_path / "a.npz", x=PIXELS, labels=labels, other=np.array([object()]))
    inputs = load_inputs(str(path), here, None)
    np.testing.assert_array_equal(inputs.images, PIXELS)
    assert inputs.notes == (() if note is None else (note.replace("{}", f"{path}, labels"),))
    if expected is None:
        assert inputs.labels is None
    else:
        np.testing.assert_array_equal(inputs.labels, expected)


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
