"""No kind of PNG file loses its picture: to black ink on a black ground, or to numbers that stay far from white."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.settings import Settings
from tests.images.png_writer import write_png
from worker.images.appearance import nearly_empty
from worker.images.inference_inputs import load_inputs

INK = np.zeros((28, 28), np.uint8)
INK[6:22, 12:16] = INK[18:22, 6:22] = 1
"""1 where a shape is."""
OPAQUE = INK * 255


def rgba(colour: int | tuple[int, int, int], opacity: Any = OPAQUE) -> Any:
    return np.dstack([np.broadcast_to(np.uint8(colour), (28, 28, 3)), opacity])


def read(path: Path, here: Settings) -> tuple[Any, list[str]]:
    inputs = load_inputs(str(path), here, None)
    return inputs.images[0], list(inputs.notes)


WHITE_GROUND = ["Transparent parts became white, so that what is visible stands out."]
BLACK_GROUND = ["Transparent parts became black, so that what is visible stands out."]


@pytest.mark.parametrize(
    ("bits", "ink", "interlaced"),
    [(8, 0, False), (8, 60, True), (8, 190, False), (8, 255, True), (16, 0, True), (16, 255, False)],
)
def test_ink_on_a_transparent_ground_stands_out_of_it(
    tmp_path: Path, here: Settings, ink: int, bits: int, interlaced: bool
) -> None:
    scale = 257 if bits == 16 else 1
    for name, numbers in (
        ("colour", rgba(ink).astype(int) * scale),
        ("grey", np.dstack([np.full((28, 28), ink), OPAQUE.astype(int)]) * scale),
    ):
        path = write_png(tmp_path / f"{name}.png", numbers, bits, interlaced=interlaced)
        image, notes = read(path, here)
        ground = 255 if ink < 128 else 0
        np.testing.assert_array_equal(image, np.where(INK, ink, ground))
        assert notes == (WHITE_GROUND if ground else BLACK_GROUND)


def test_a_picture_with_a_ground_of_its_own_gets_more_of_it(tmp_path: Path, here: Settings) -> None:
    """Paper with ink, and a transparent margin."""
    opacity = np.zeros((28, 28), np.uint8)
    opacity[3:25, 3:25] = 255
    for ground, ink in ((255, 0), (0, 255)):
        colours = np.where(INK[..., np.newaxis], ink, ground).repeat(3, 2)
        image, _ = read(write_png(tmp_path / "a.png", np.dstack([colours, opacity])), here)
        np.testing.assert_array_equal(image, np.where(INK, ink, ground))


def test_faint_ink_and_nothing_at_all_are_told_from_each_other(tmp_path: Path, here: Settings) -> None:
    faint, notes = read(write_png(tmp_path / "a.png", rgba(0, INK * 100)), here)
    assert (faint[INK == 1] == 155).all()
    assert notes == WHITE_GROUND
    nothing, notes = read(write_png(tmp_path / "a.png", rgba(0, INK * 0)), here)
    assert (nothing == 0).all()
    assert notes == [
        *BLACK_GROUND,
        "The image is empty or nearly so: fewer than 8 of 784 pixels stand out from the background.",
    ]


def palette(*colours: int) -> Any:
    return [[colour] * 3 for colour in colours]


TRANSPARENT: dict[str, Callable[[Path], Path]] = {
    "key of 1 bit": lambda path: write_png(path, 1 - INK, 1, transparency=b"\0\1"),
    "key of 2 bits": lambda path: write_png(path, np.where(INK, 0, 2), 2, transparency=b"\0\2"),
    "key of 4 bits": lambda path: write_png(path, np.where(INK, 0, 3), 4, transparency=b"\0\3"),
    "key of 8 bits": lambda path: write_png(path, np.where(INK, 0, 77), 8, transparency=b"\0\x4d"),
    "key of 16 bits": lambda path: write_png(
        path, np.where(INK, 256, 257 * 99), 16, transparency=(257 * 99).to_bytes(2, "big")
    ),
    "key of a colour": lambda path: write_png(
        path, np.where(INK[..., None], [0, 0, 1], [0, 9, 200]), transparency=bytes([0, 0, 0, 9, 0, 200])
    ),
    "key of a deep colour": lambda path: write_png(
        path, np.where(INK[..., None], [0, 0, 256], [0, 0, 50_000]), 16, transparency=bytes([0, 0, 0, 0, 195, 80])
    ),
    "palette of 2 bits": lambda path: write_png(path, INK, 2, palette=palette(9, 0), transparency=b"\0\xff"),
    "palette of 8 bits": lambda path: write_png(path, INK * 2, 8, palette=palette(0, 5, 0), transparency=b"\0"),
}  # fmt: skip


@pytest.mark.parametrize("kind", TRANSPARENT)
def test_whatever_says_what_is_transparent_black_ink_stays_visible(
    tmp_path: Path, here: Settings, kind: str
) -> None:
    image, notes = read(TRANSPARENT[kind](tmp_path / "a.png"), here)
    np.testing.assert_array_equal(image > 128, INK == 0)
    assert notes[-1:] == WHITE_GROUND


def shades(largest: int) -> Any:
    """A shape whose numbers range up to some largest one."""
    columns = np.interp(np.arange(28), (6, 15), (largest // 2, largest))
    return INK * columns.round().astype(int)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("largest", "white", "interlaced"),
    [
        (1, 1, False),
        (15, 16, True),
        (200, 255, False),
        (200, 255, True),
        (1_000, 1_023, True),
        (4_095, 4_095, False),
    ],
)
def test_a_file_of_16_bits_that_uses_few_of_them_is_not_black(
    tmp_path: Path, here: Settings, largest: int, white: int, interlaced: bool, channels: int
) -> None:
    numbers = shades(largest)
    opaque = np.full((28, 28), white)
    layers = {1: [], 2: [opaque], 3: [numbers, numbers], 4: [numbers, numbers, opaque]}[channels]
    whole = np.dstack([numbers, *layers]) if layers else numbers
    image, notes = read(write_png(tmp_path / "a.png", whole, 16, interlaced=interlaced), here)
    np.testing.assert_allclose(image, numbers * (255 / white), atol=1)
    assert notes == [
        f"The image file of 16 bits has no number above {largest:,}: 0 was read as black and {white:,} as white."
    ]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_file_that_uses_all_16_bits_keeps_the_upper_8(
    tmp_path: Path, here: Settings, channels: int
) -> None:
    numbers = shades(65_535)
    opaque = np.full((28, 28), 65_535)
    layers = {1: [], 2: [opaque], 3: [numbers, numbers], 4: [numbers, numbers, opaque]}[channels]
    whole = np.dstack([numbers, *layers]) if layers else numbers
    image, notes = read(write_png(tmp_path / "a.png", whole, 16), here)
    np.testing.assert_allclose(image, numbers >> 8, atol=1)
    assert notes == []


def test_a_mask_of_zeros_and_ones_is_black_and_white(tmp_path: Path, here: Settings) -> None:
    for name, numbers in (("grey", INK), ("colour", np.dstack([INK] * 3))):
        image, notes = read(write_png(tmp_path / f"{name}.png", numbers), here)
        np.testing.assert_array_equal(image, OPAQUE)
        assert notes == [
            "The image file of 8 bits has no number above 1: 0 was read as black and 1 as white."
        ]


def test_files_of_a_folder_are_read_by_one_range(tmp_path: Path, here: Settings) -> None:
    """A dim image beside bright ones stays dim."""
    for number, largest in enumerate((255, 90, 12)):
        write_png(tmp_path / f"d/{number}.png", shades(largest), 16)
    write_png(tmp_path / "d/3.png", shades(200), 8)
    inputs = load_inputs(str(tmp_path / "d"), here, None)
    assert inputs.images.max(axis=(1, 2)).tolist() == [255, 90, 12, 200]
    assert inputs.notes == (
        "3 image files of 16 bits have no number above 255: 0 was read as black and 255 as white.",
        "1 of 4 images is empty or nearly so: fewer than 8 of 784 pixels stand out from the background (2.png).",
    )


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("interlaced", [False, True])
def test_few_bits_are_spread_over_all_grey_levels(
    tmp_path: Path, here: Settings, bits: int, interlaced: bool
) -> None:
    numbers = np.arange(28 * 28).reshape(28, 28) % 2**bits
    image, notes = read(write_png(tmp_path / "a.png", numbers, bits, interlaced=interlaced), here)
    np.testing.assert_array_equal(image, numbers * (255 // (2**bits - 1)))
    assert notes == []


def test_what_is_put_around_a_picture_is_of_the_tone_of_its_ground(tmp_path: Path, here: Settings) -> None:
    for name, ground in (("dark", 0), ("light", 255)):
        wide = np.where(INK.repeat(2, axis=1), 255 - ground, ground)
        write_png(tmp_path / f"d/{name}.png", wide)
    write_png(tmp_path / "d/transparent.png", rgba(0).repeat(2, axis=1))
    inputs = load_inputs(str(tmp_path / "d"), here, None)
    assert inputs.images[:, 0].max(axis=1).tolist() == [0, 255, 255]
    assert inputs.images[:, 0].min(axis=1).tolist() == [0, 255, 255]
    assert inputs.notes[0] == (
        "Images were resized from 56 × 28 to 28 × 28, keeping their proportions, with black around dark ones and "
        "white around light ones."
    )
    assert not nearly_empty(inputs.images).any()
