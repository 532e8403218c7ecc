"""What the first chunks of a WebP file say: how large the picture is, before memory is taken for it.

Ours, because Pillow takes the memory for a picture's frame when it opens the file.
https://developers.google.com/speed/webp/docs/riff_container
"""

import struct
from typing import NamedTuple

MOST_CHUNKS = 10_000

_HAS_EXIF, _IS_ANIMATED = 0x08, 0x02
_FIRST = 12
"""Where the first chunk begins."""


class WebpHeader(NamedTuple):
    """What the chunks say.

    Attributes:
        width: in pixels.
        height: in pixels.
        animated: whether it may have several pictures.
        exif: what a camera wrote about it, a TIFF directory; empty for nothing.
    """

    width: int
    height: int
    animated: bool
    exif: bytes


def is_webp(content: bytes) -> bool:
    """Whether a file begins as a WebP file does."""
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def header_of(content: bytes) -> WebpHeader:
    """Read the header.

    Args:
        content: of a WebP file.

    Raises:
        ValueError: its first chunk is of no known kind.
        struct.error: it was cut off.
    """
    kind, _ = struct.unpack_from("<4sI", content, _FIRST)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, _FIRST + 14)
        return WebpHeader(width & 0x3FFF, height & 0x3FFF, False, b"")
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, _FIRST + 9)
        return WebpHeader((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, False, b"")
    if kind != b"VP8X":
        raise ValueError("no picture")
    flags, *sizes = struct.unpack_from("<B3x3s3s", content, _FIRST + 8)
    width, height = (1 + int.from_bytes(size, "little") for size in sizes)
    exif = _chunk(content, b"EXIF") if flags & _HAS_EXIF else b""
    return WebpHeader(width, height, bool(flags & _IS_ANIMATED), exif.removeprefix(b"Exif\0\0"))


def _chunk(content: bytes, wanted: bytes) -> bytes:
    """The data of the first chunk of a kind, of the first `MOST_CHUNKS`; nothing where there is none."""
    place = _FIRST
    for _ in range(MOST_CHUNKS):
        if place + 8 > len(content):
            break
        kind, length = struct.unpack_from("<4sI", content, place)
        if kind == wanted:
            return content[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
    return b""
