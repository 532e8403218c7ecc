"""One image file as a grey picture: of any depth, palette or transparency, and never black on black."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from worker.images import jpeg_segments, png_chunks, tiff_directory
from worker.images.other_pictures import jpeg_colours, tiff_colours, webp_colours
from worker.images.picture_colours import FORMAT_WHITES, Colours
from worker.images.png_picture import png_colours
from worker.images.tiff_directory import Unsupported
from worker.images.webp_chunks import is_webp

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

__all__ = ["FORMAT_WHITES", "LONGEST_SIGNATURE", "Picture", "decode", "picture_format"]

LONGEST_SIGNATURE = 12
"""Bytes of a file that say whether it is an image file that is read."""

_OPAQUE = 128
_OWN_CONTRAST = 128
"""Grey levels between the darkest and the brightest twentieth of what is visible in a picture that has a
ground of its own."""

_READERS = {"PNG": png_colours, "JPEG": jpeg_colours, "TIFF": tiff_colours, "WebP": webp_colours}


class Picture(NamedTuple):
    """A picture in grey.

    Attributes:
        grey: of Pillow's mode L, upright.
        ground: the grey level, 0 or 255, that transparent parts became; None where there are none.
        bits: of a number in the file, 8 or 16.
        largest: number in the file, that of an opaque pixel not among them.
        turned: whether it was turned or mirrored, as its camera said.
        more: whether the file has more than this picture, the first.
    """

    grey: "Image"
    ground: int | None
    bits: int
    largest: int
    turned: bool
    more: bool


def picture_format(beginning: bytes) -> str | None:
    """The format of an image file that is read: PNG, JPEG, TIFF or WebP; None for any other file.

    Args:
        beginning: its first `LONGEST_SIGNATURE` bytes, or all.
    """
    if beginning.startswith(png_chunks.SIGNATURE):
        return "PNG"
    if beginning.startswith(jpeg_segments.SIGNATURE):
        return "JPEG"
    if beginning.startswith(tiff_directory.SIGNATURES):
        return "TIFF"
    return "WebP" if is_webp(beginning) else None


def decode(path: "Path", content: bytes, whites: dict[int, int]) -> Picture:
    """Decode a PNG, JPEG, TIFF or WebP file; no pixel of a bomb is decoded.

    Args:
        path: of the file, for messages.
        content: its bytes, of which `picture_format` knows the format.
        whites: as FORMAT_WHITES, or smaller numbers to be read as white.

    Raises:
        InvalidData: it is damaged, of a kind that is not read, or has too many pixels.
    """
    name = picture_format(content)
    assert name is not None
    try:
        colours = _READERS[name](path, content, whites)
        grey, ground = _on_ground(colours.image)
        return _upright(grey, ground, colours)
    except InvalidData:
        raise
    except Unsupported as error:
        expected, given = error.args
        raise InvalidData(
            shown_path(path), expected=expected, given=given, hint="save it as a PNG file"
        ) from None
    # A damaged or hostile file makes Pillow raise nearly anything: OSError, SyntaxError, ValueError, …
    except Exception:
        raise InvalidData(
            shown_path(path), expected=f"an intact {name} file", given="one that is damaged or was cut off"
        ) from None


def _upright(grey: "Image", ground: int | None, colours: Colours) -> Picture:
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(colours.orientation)
    upright = grey if turn is None else grey.transpose(turn)
    return Picture(upright, ground, colours.bits, colours.largest, turn is not None, colours.more)


def _on_ground(colours: "Image") -> tuple["Image", int | None]:
    """The picture in grey, and the grey level that what is transparent became, if anything is."""
    from PIL import Image

    if colours.mode != "RGBA":
        return colours.convert("L"), None
    opacity = colours.getchannel("A")
    if opacity.getextrema() == (255, 255):
        return colours.convert("L"), None
    ground = _ground_for(colours.convert("RGB").convert("L"), opacity)
    below = Image.new("RGBA", colours.size, (ground, ground, ground, 255))
    return Image.alpha_composite(below, colours).convert("L"), ground


def _ground_for(grey: "Image", opacity: "Image") -> int:
    """The grey level for transparent parts: 0 below bright ink, 255 below dark ink.

    A picture with a ground of its own, of which a margin is transparent, gets more of that ground.
    """
    least = min(_OPAQUE, max(1, int(np.asarray(opacity).max())))
    mask = opacity.point([255 if level >= least else 0 for level in range(256)])
    counts = np.cumsum(grey.histogram(mask))
    if not counts[-1]:
        return 0
    dark, middle, bright = (int(np.searchsorted(counts, share * counts[-1])) for share in (0.05, 0.5, 0.95))
    is_bright = middle >= 128
    if bright - dark > _OWN_CONTRAST:
        return 255 if is_bright else 0
    return 0 if is_bright else 255
