"""The colours of JPEG, TIFF and WebP files, which Pillow decodes once they are known to be bounded."""

from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from worker.images.jpeg_segments import picture_alone
from worker.images.picture_colours import FORMAT_WHITES, Colours, check_size, colours_of_bytes, upper_byte
from worker.images.tiff_directory import first_picture, orientation_of
from worker.images.webp_chunks import header_of

if TYPE_CHECKING:
    from pathlib import Path


def jpeg_colours(path: "Path", content: bytes, whites: dict[int, int]) -> Colours:
    """Decode a JPEG file.

    Args:
        path: of the file, for messages.
        content: its bytes, which begin as those of a JPEG file do.
        whites: as FORMAT_WHITES, or smaller numbers to be read as white.

    Raises:
        InvalidData: it has too many pixels.
        Exception: nearly any; it is damaged.
    """
    from PIL.JpegImagePlugin import JpegImageFile

    alone, exif = picture_alone(content)
    with JpegImageFile(BytesIO(alone)) as image:
        check_size(path, *image.size)
        image.load()
        colours, largest = colours_of_bytes(image, whites[8])
    return Colours(colours, 8, largest, orientation_of(exif))


def webp_colours(path: "Path", content: bytes, whites: dict[int, int]) -> Colours:
    """Decode a WebP file, of an animation the first picture; as `jpeg_colours`."""
    from PIL.WebPImagePlugin import WebPImageFile

    header = header_of(content)
    check_size(path, header.width, header.height)
    with WebPImageFile(BytesIO(content)) as image:
        check_size(path, *image.size)
        image.load()
        colours, largest = colours_of_bytes(image, whites[8])
    return Colours(colours, 8, largest, orientation_of(header.exif), header.animated)


def tiff_colours(path: "Path", content: bytes, whites: dict[int, int]) -> Colours:
    """Decode the first picture of a TIFF file; as `jpeg_colours`.

    Raises:
        InvalidData: it has too many pixels.
        Unsupported: it has a compression or numbers that are not read.
        Exception: nearly any; it is damaged.
    """
    from PIL import Image
    from PIL.TiffImagePlugin import TiffImageFile

    picture = first_picture(content)
    check_size(path, picture.width, picture.height)
    with TiffImageFile(BytesIO(picture.content)) as image:
        image.load()
        if not image.mode.startswith("I"):
            colours, largest = colours_of_bytes(image, whites[8])
            return Colours(colours, 8, largest, picture.orientation, picture.more)
        numbers = np.asarray(image).astype(np.uint16)
    if picture.white_is_zero:
        numbers = np.uint16(FORMAT_WHITES[16]) - numbers  # what Pillow does for 8 bits alone
    grey = Image.fromarray(upper_byte(numbers, whites[16]))
    return Colours(grey, 16, int(numbers.max()), picture.orientation, picture.more)
