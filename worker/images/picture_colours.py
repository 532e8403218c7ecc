"""What a decoder makes of a picture's file: its colours as bytes, and which numbers the file has."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from worker.images.pixels import MAX_PIXELS, MAX_SIDE, too_many_pixels

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

FORMAT_WHITES = {8: 255, 16: 65_535}
"""Bits of a number in a file -> the number that the format means by white. Fewer bits are read as 8."""


class Colours(NamedTuple):
    """A picture's colours.

    Attributes:
        image: of Pillow's mode L, RGB or RGBA.
        bits: of a number in the file, 8 or 16.
        largest: number in the file, that of an opaque pixel not among them.
        orientation: which way is up, 1 to 8, as EXIF numbers it; 1 is upright.
        more: whether the file has more than this picture, the first.
    """

    image: "Image"
    bits: int
    largest: int
    orientation: int = 1
    more: bool = False


def check_size(path: "Path", width: int, height: int) -> None:
    """Refuse a picture that is too large, before a pixel of it is decoded.

    Raises:
        InvalidData: it has more than `MAX_PIXELS`, or more than `MAX_SIDE` in a row or a column.
    """
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise too_many_pixels(shown_path(path), width, height)


def colours_of_bytes(image: "Image", white: int) -> tuple["Image", int]:
    """A decoded picture of up to 8 bits a number in mode L, RGB or RGBA, and its largest number.

    Args:
        image: of any mode of Pillow's that has no more bits.
        white: the number that becomes 255, as does each above it.
    """
    if image.has_transparency_data:
        colours = image.convert("RGBA")
    else:
        colours = image.convert("L" if image.mode in ("1", "L") else "RGB")
    visible = colours.split()[:3]
    largest = max(int(np.asarray(band).max()) for band in visible)
    if white < FORMAT_WHITES[8]:
        scaled = [min(255, round(255 * level / white)) for level in range(256)]
        bands = len(colours.getbands())
        colours = colours.point([*scaled * min(bands, 3), *(range(256) if bands == 4 else ())])
    return colours, largest


def upper_byte(numbers: NDArray[np.uint16], white: int) -> NDArray[np.uint8]:
    """Numbers of 16 bits as grey levels: the upper 8 bits, or the share of a number to be read as white."""
    if white == FORMAT_WHITES[16]:
        return (numbers >> 8).astype(np.uint8)
    levels = np.full(2**16, 255, np.uint8)
    levels[: white + 1] = np.rint(np.arange(white + 1) * (255 / white))
    shares: NDArray[np.uint8] = levels[numbers]
    return shares
