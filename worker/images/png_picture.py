"""The colours of a PNG file of any depth, palette or transparency."""

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from worker.images.picture_colours import FORMAT_WHITES, Colours, check_size, colours_of_bytes, upper_byte
from worker.images.png_chunks import SIGNATURE, picture_alone
from worker.images.value_ranges import INTEGER_RANGES

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image
    from PIL.PngImagePlugin import PngImageFile

_DEPTH_AT = len(SIGNATURE) + 16
"""Where the header has the bits of a number."""


def png_colours(path: "Path", content: bytes, whites: dict[int, int]) -> Colours:
    """Decode a PNG file.

    Args:
        path: of the file, for messages.
        content: its bytes, which begin as those of a PNG file do.
        whites: as FORMAT_WHITES, or smaller numbers to be read as white.

    Raises:
        InvalidData: it has too many pixels.
        Exception: nearly any; it is damaged.
    """
    from PIL.PngImagePlugin import PngImageFile

    # Image.open would do the same behind a pixel limit that is above ours, and at first only warns.
    with PngImageFile(BytesIO(picture_alone(content))) as image:
        check_size(path, *image.size)  # of the header: pixels are decoded by load()
        if content[_DEPTH_AT] == 16:
            colours, largest = _deep(image, content, whites[16])
            return Colours(colours, 16, largest)
        return Colours(*_shallow(image, content[_DEPTH_AT], whites[8]))


def _shallow(image: "PngImageFile", bits: int, white: int) -> tuple["Image", int, int]:
    """The picture in mode L, RGB or RGBA, 8, and its largest number; of a file with 1 to 8 bits a number."""
    image.load()
    key = image.info.get("transparency")
    if image.mode == "L" and bits < 8 and isinstance(key, int):
        image.info["transparency"] = key * (255 // (2**bits - 1))  # as the pixels are when they are read
    colours, largest = colours_of_bytes(image, white)
    return colours, 8, largest


def _deep(image: "PngImageFile", content: bytes, white: int) -> tuple["Image", int]:
    """The picture in mode L, RGB or RGBA, and its largest number; of a file with 16 bits a number."""
    from PIL import Image

    key = image.info.get("transparency")
    channels = _deep_channels(image, content)
    opacity = channels.pop() if len(channels) in (2, 4) else None
    largest = max(int(channel.max()) for channel in channels)
    bands = [upper_byte(channel, white) for channel in channels]
    if opacity is not None:
        # Where colours use a part of the 16 bits, what is opaque may use that part too.
        bands.append(upper_byte(opacity, white if opacity.max() <= white else FORMAT_WHITES[16]))
    elif key is not None:
        keys = key if isinstance(key, tuple) else (key,)
        shown = np.any([channel != level for channel, level in zip(channels, keys, strict=True)], axis=0)
        bands.append(shown.astype(np.uint8) * np.uint8(255))
    if len(bands) == 2:
        bands = [bands[0], bands[0], bands[0], bands[1]]
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[len(bands)]
    return Image.merge(mode, [Image.fromarray(band) for band in bands]), largest


def _deep_channels(image: "PngImageFile", content: bytes) -> list[NDArray[np.uint16]]:
    """Each channel of a file with 16 bits a number. Pillow itself keeps the upper 8 of colours alone."""
    from PIL.PngImagePlugin import PngImageFile

    tile = image.tile[0]
    if image.mode.startswith("I"):
        return [np.asarray(image).astype(np.uint16)]
    if tile.args == "LA;16B":  # of the size of four channels of 8 bits: upper and lower byte of two numbers
        image.tile = [tile._replace(args="RGBA")]
        pairs = np.asarray(image)
        return [_joined(pairs[..., 0], pairs[..., 1]), _joined(pairs[..., 2], pairs[..., 3])]
    upper = np.asarray(image)
    if "transparency" not in image.info and upper[..., :3].max() >= (INTEGER_RANGES[-2] + 1) >> 8:
        return [
            _joined(upper[..., band], np.uint8(0)) for band in range(upper.shape[2])
        ]  # all 16 bits are used
    with PngImageFile(BytesIO(picture_alone(content))) as again:
        again.tile = [tile._replace(args=str(tile.args).replace("16B", "16L"))]  # takes the second byte
        lower = np.asarray(again)
    return [_joined(upper[..., band], lower[..., band]) for band in range(upper.shape[2])]


def _joined(upper: NDArray[np.uint8], lower: NDArray[np.uint8] | np.uint8) -> NDArray[np.uint16]:
    numbers = upper.astype(np.uint16)
    numbers <<= np.uint16(8)
    numbers |= lower
    return numbers
