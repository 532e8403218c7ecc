"""A person's own image files: what is read and which notes the report gets."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.settings import Settings
from jobs.store.atomic_files import sha256_of
from tests.images.files import PIXELS, png
from worker.images.datasets import load_images
from worker.images.inference_inputs import load_inputs


def test_a_folder_of_png_is_read_in_the_order_of_names_with_labels(tmp_path: Path, here: Settings) -> None:
    for index in reversed(range(30)):
        png(tmp_path / f"d/{index % 3}/{index:02d}.{'PNG' if index % 2 else 'png'}", PIXELS[index])
    images = load_images(str(tmp_path / "d"), here)
    order = [*range(0, 30, 3), *range(1, 30, 3), *range(2, 30, 3)]
    both = np.concatenate([images.train, images.test])
    labels = np.concatenate([images.train_labels, images.test_labels])
    assert len(both) == 30
    for index, image in zip(order, PIXELS[order], strict=True):
        (row,) = np.flatnonzero((both == image).all((1, 2)))
        assert labels[row] == index % 3
    inputs = load_inputs(str(tmp_path / "d"), here, 12)
    assert inputs.names[:2] == ("0/00.png", "0/03.PNG")
    np.testing.assert_array_equal(inputs.images, PIXELS[order[:12]])
    np.testing.assert_array_equal(inputs.labels, [0] * 10 + [1] * 2)


def test_what_is_not_a_png_of_the_folder_is_skipped_with_a_note(tmp_path: Path, here: Settings) -> None:
    folder = tmp_path / "d"
    for index in range(20):
        png(folder / f"{index}.png")
    png(folder / "3/labelled.png")
    png(folder / "backup/old.png")
    png(tmp_path / "outside/3.png")
    (folder / ".DS_Store").touch()
    (folder / "._0.png").write_bytes(b"not a picture")
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        (folder / name).touch()
    os.mkfifo(folder / "pipe.png")
    (folder / "inside.png").symlink_to("0.png")
    (folder / "out.png").symlink_to(tmp_path / "outside/3.png")
    (folder / "7").symlink_to(tmp_path / "outside")
    (folder / "5").symlink_to(".")
    (folder / "gone.png").symlink_to("nothing.png")
    images = load_images(str(folder), here)
    assert set(images.notes) >= {
        "Skipped files that are not PNG, JPEG, TIFF or WebP: 5 (a.txt, b.txt, c.txt, …).",
        "Skipped links out of the folder or to folders: 4 (5, 7, gone.png, …).",
        "Labels were ignored, since some images lie outside the sub-folders 0 to 9.",
    }
    assert images.train_labels is None


@pytest.mark.parametrize(
    ("make", "expected", "notes"),
    [
        (partial(png, pixels=PIXELS[0]), PIXELS[0], ()),
        (partial(png, pixels=np.stack([PIXELS[0]] * 3, 2)), PIXELS[0], ()),
        (partial(png, pixels=(PIXELS[0] > 90).astype(np.uint8) * 255, mode="1"), (PIXELS[0] > 90) * 255, ()),
        (partial(png, pixels=PIXELS[0], mode="P"), PIXELS[0], ()),
        (partial(png, pixels=PIXELS[0].astype(np.uint16) << 8), PIXELS[0], ()),
        (
            partial(png, pixels=np.stack([PIXELS[0], np.full((28, 28), 255, np.uint8)], 2)),
            PIXELS[0],
            (),
        ),
        (
            partial(png, pixels=np.stack([np.full((28, 28), 255, np.uint8)] * 3 + [PIXELS[0]], 2)),
            PIXELS[0],
            ("Transparent parts became black, so that what is visible stands out.",),
        ),
        (
            partial(png, pixels=(PIXELS[0] // 64 * 100), transparency=100),
            np.where(PIXELS[0] // 64 == 1, 255, 0),
            ("Transparent parts became white, so that what is visible stands out.",),
        ),
        (
            partial(png, pixels=np.full((10, 300), 250, np.uint8)),
            None,
            (
                "Images were resized from 300 × 10 to 28 × 28, keeping their proportions, "
                "with white around them.",
                "The image is empty or nearly so: fewer than 8 of 784 pixels stand out from the background.",
            ),
        ),
        (partial(png, pixels=np.full((1, 1), 99, np.uint8)), np.full((28, 28), 99), ("Images were resized from 1 × 1 to 28 × 28.", "The image is empty or nearly so: fewer than 8 of 784 pixels stand out from the background.")),
    ],
    ids=["grey", "colour", "one bit", "palette", "16 bits", "opaque", "alpha", "key", "wide", "dot"],
)  # fmt: skip
def test_a_png_of_any_kind_becomes_grey(
    tmp_path: Path, here: Settings, make: Callable[[Path], Path], expected: Any, notes: tuple[str, ...]
) -> None:
    path = make(tmp_path / "seven.png")
    inputs = load_inputs(str(path), here, 10)
    assert inputs.names == ("seven.png",)
    assert inputs.notes == notes
    assert inputs.record == {
        "name": "seven.png",
        "path": str(path),
        "sha256": sha256_of(path),
        "examples": 1,
    }
    assert inputs.images.shape == (1, 28, 28)
    if expected is not None:
        np.testing.assert_array_equal(inputs.images[0], expected)


def test_a_file_with_an_odd_name_has_a_name_that_can_be_shown(tmp_path: Path, here: Settings) -> None:
    png(tmp_path / "d" / os.fsdecode(b"<b>\xff\n.png"))
    (name,) = load_inputs(str(tmp_path / "d"), here, 1).names
    assert name.isprintable()
    name.encode()
