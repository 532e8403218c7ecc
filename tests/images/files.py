"""Image files made by hand: good, damaged and hostile ones."""

import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

PIXELS = np.random.RandomState(7).randint(0, 256, (40, 28, 28)).astype(np.uint8) // 2
LABELS = np.arange(40) % 10


def npz(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def png(path: Path, pixels: Any = PIXELS[0], mode: str | None = None, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path, "PNG", **options)
    return path


def npz_with_header(path: Path, header: bytes, data: bytes = b"", version: bytes = b"\x01\x00") -> Path:
    """An .npz whose one array, x, has a header of our own."""
    length = struct.pack("<H" if version == b"\x01\x00" else "<I", len(header))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", b"\x93NUMPY" + version + length + header + data)
    return path


def png_of_size(path: Path, width: int, height: int) -> Path:
    """A PNG that is whole but for its pixels: what a decompression bomb begins with."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def cut_off(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def with_wrong_byte(path: Path) -> Path:
    """Pixels that no longer match the archive's checksum."""
    np.savez(path, x=PIXELS)
    content = bytearray(path.read_bytes())
    content[5_000] ^= 0xFF
    path.write_bytes(content)
    return path


def with_content(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def with_bad_png(folder: Path, spoil: Callable[[Path], object]) -> Path:
    """A folder of good PNG files, but for one."""
    for index in range(25):
        png(folder / f"{index:02d}.png")
    spoil(folder / "13.png")
    return folder


def linked_outside(folder: Path) -> Path:
    png(folder.parent / "outside.png")
    folder.mkdir()
    (folder / "link.png").symlink_to("../outside.png")
    return folder


def with_method(path: Path, method: int) -> Path:
    """An .npz that claims an unknown compression method."""
    content = npz(path, x=PIXELS).read_bytes()
    local, central = content.index(b"PK\x03\x04"), content.index(b"PK\x01\x02")
    changed = bytearray(content)
    changed[local + 8 : local + 10] = changed[central + 10 : central + 12] = struct.pack("<H", method)
    path.write_bytes(changed)
    return path


def encrypted(path: Path) -> Path:
    content = bytearray(npz(path, x=PIXELS).read_bytes())
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    return path
