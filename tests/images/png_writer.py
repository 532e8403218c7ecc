"""Writes PNG files of any kind, which Pillow does not: each depth, colour type, transparency, interlaced."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Channels -> the number of the format."""

PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of Adam7: first column and row, and the steps to the next ones."""


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def write_png(
    path: Path,
    numbers: Any,
    bits: int = 8,
    *,
    palette: Any = None,
    transparency: bytes = b"",
    interlaced: bool = False,
) -> Path:
    """Write numbers (height, width) or (height, width, channels) of some bits each."""
    numbers = np.asarray(numbers)
    height, width = numbers.shape[:2]
    colour_type = 3 if palette is not None else COLOUR_TYPES[1 if numbers.ndim == 2 else numbers.shape[2]]
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, interlaced)
    parts = [numbers[y::dy, x::dx] for x, y, dx, dy in PASSES] if interlaced else [numbers]
    rows = [row for part in parts if part.shape[1] for row in part]
    chunks = [chunk(b"IHDR", header)]
    if palette is not None:
        chunks.append(chunk(b"PLTE", np.asarray(palette, np.uint8).tobytes()))
    if transparency:
        chunks.append(chunk(b"tRNS", transparency))
    chunks += [chunk(b"IDAT", zlib.compress(b"".join(b"\0" + _packed(row, bits) for row in rows)))]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + chunk(b"IEND"))
    return path


def _packed(row: Any, bits: int) -> bytes:
    if bits == 16:
        return bytes(row.astype(">u2").tobytes())
    if bits == 8:
        return bytes(row.astype(np.uint8).tobytes())
    in_bits = np.unpackbits(row.astype(np.uint8)[:, np.newaxis], axis=1)[:, -bits:]
    return np.packbits(in_bits).tobytes()
