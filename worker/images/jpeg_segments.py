"""The segments of a JPEG file that hold its picture, so that a decoder sees nothing else.

Ours, because Pillow reads what cameras and editors put beside it, and because a file of a few kilobytes may
have the whole picture refined thousands of times. https://www.w3.org/Graphics/JPEG/itu-t81.pdf, Annex B
"""

import re
import struct

SIGNATURE = b"\xff\xd8\xff"

MOST_SCANS = 100
"""Passes over the picture: a progressive file has about ten."""

MOST_SEGMENTS = 10_000

_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
"""The beginning of a segment; within a scan, 0xFF is followed by 0 or by the number of a restart."""

_START, _END, _SCAN, _COMMENT, _EXIF = 0xD8, 0xD9, 0xDA, 0xFE, 0xE1
_BESIDE = {*range(0xE0, 0xF0), _COMMENT} - {0xE0, 0xEE}
"""What a picture needs no more than a comment: 0xE0 and 0xEE say which colours the numbers stand for."""

_EXIF_HEADER = b"Exif\0\0"


def picture_alone(content: bytes) -> tuple[bytes, bytes]:
    """Leave out every segment but those that the pixels are made of, and whatever follows the picture.

    Args:
        content: of a JPEG file.

    Returns:
        The same picture, as damaged as before; and what its camera wrote about it, a TIFF directory, or
        nothing.

    Raises:
        ValueError: it has more than `MOST_SEGMENTS` or `MOST_SCANS`.
        struct.error: the file was cut off within a segment.
    """
    parts, exif, scans = [content[:2]], b"", 0
    place = 2
    for _ in range(MOST_SEGMENTS):
        found = _MARKER.search(content, place)
        if found is None:
            parts.append(content[place:])
            return b"".join(parts), exif
        kind = found[1][0]
        parts.append(content[place : found.start()])  # the pixels of the scan before
        if kind == _END:
            return b"".join([*parts, b"\xff\xd9"]), exif
        (length,) = struct.unpack_from(">H", content, found.end())
        body = content[found.end() : found.end() + length]
        place = found.end() + length
        if kind == _EXIF and body[2:8] == _EXIF_HEADER:
            exif = exif or body[8:]
        if kind in _BESIDE:
            continue
        scans += kind == _SCAN
        if scans > MOST_SCANS or kind == _START:
            raise ValueError("too many scans")
        parts += [b"\xff", found[1], body]
    raise ValueError("too many segments")
