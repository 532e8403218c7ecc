"""The chunks of a PNG file that hold its picture, so that a decoder sees nothing else.

Ours, because Pillow parses every chunk: it decompresses texts and colour profiles, follows animations and
takes a moment for each of millions of empty chunks. https://www.w3.org/TR/png-3/#5Chunk-layout
"""

import struct

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MOST_CHUNKS = 1_000_000
"""A picture of 50 million pixels in pieces of 8 kB has 50,000."""

_PICTURE = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_BESIDE = struct.calcsize(">I4s") + struct.calcsize(">I")
"""Bytes of a chunk beside its data: length and type before, and a checksum after."""


def picture_alone(content: bytes) -> bytes:
    """Leave out every chunk but those that the pixels are made of.

    Args:
        content: of a PNG file.

    Returns:
        The same picture; what is damaged in a chunk is as damaged as before.

    Raises:
        ValueError: there are more than `MOST_CHUNKS`, or the last one, IEND, is missing or not whole: the
            file was cut off.
    """
    parts = [SIGNATURE]
    place = len(SIGNATURE)
    for _ in range(MOST_CHUNKS):
        if place + _BESIDE > len(content):
            break
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + length + _BESIDE
        if end > len(content):
            break
        if kind in _PICTURE:
            parts.append(content[place:end])
        if kind == b"IEND":
            return b"".join(parts)
        place = end
    raise ValueError("too many chunks, or no end")
