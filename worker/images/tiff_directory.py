"""The directory of a TIFF file: what its first picture is made of, so that a decoder sees nothing else.

Ours, because a directory may claim tiles of gigabytes, name the same bytes a thousand times over, or lead to
further directories; and because the one of a photograph's camera says which way is up.
https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf, pages 13 to 41
"""

import struct
from typing import NamedTuple

from worker.images.pixels import MAX_PIXELS

SIGNATURES = (b"II*\0", b"MM\0*")

MOST_ENTRIES = 1_000
"""Of a directory; cameras and microscopes write some dozens."""

MOST_VALUES = 1_000_000
"""Of one entry: a picture in strips of one row has at most 100,000."""

COMPRESSIONS = {
    1: "none",
    2: "fax",
    3: "fax",
    4: "fax",
    5: "LZW",
    8: "deflate",
    32_773: "PackBits",
    32_946: "deflate",
}
"""Those that are read, by number. JPEG and what is newer stays out: each would need bounds of its own."""

_UPRIGHT = 1
_ORIENTATION = 274
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER = 256, 257, 258, 259, 262, 266
_STRIP_OFFSETS, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES, _PLANES, _PREDICTOR = 273, 277, 278, 279, 284, 317
_COLOUR_MAP, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 320, 322, 323, 324, 325
_EXTRA_SAMPLES, _SAMPLE_FORMAT = 338, 339
_T4_OPTIONS, _T6_OPTIONS = 292, 293

_PICTURE = frozenset(
    {
        *(_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _FILL_ORDER, _STRIP_OFFSETS, _SAMPLES),
        *(_ROWS_PER_STRIP, _STRIP_BYTES, _PLANES, _PREDICTOR, _COLOUR_MAP, _TILE_WIDTH, _TILE_HEIGHT),
        *(_TILE_OFFSETS, _TILE_BYTES, _EXTRA_SAMPLES, _SAMPLE_FORMAT, _T4_OPTIONS, _T6_OPTIONS),
    }
)
_FORMS = {1: "B", 3: "H", 4: "I"}
"""Types of the entries that are read: bytes and integers of 16 and 32 bits."""


class Unsupported(ValueError):
    """A file is whole and of a kind that is not read; `args` has what was expected, and what is given."""


class TiffPicture(NamedTuple):
    """The first picture of a file.

    Attributes:
        content: of a TIFF file with this picture alone.
        width: in pixels.
        height: in pixels.
        bits: of a number in it, 1 to 16.
        white_is_zero: whether 0 is white.
        orientation: as in `orientation_of`.
        more: whether the file has more than this picture.
    """

    content: bytes
    width: int
    height: int
    bits: int
    white_is_zero: bool
    orientation: int
    more: bool


def first_picture(content: bytes) -> TiffPicture:
    """Leave out every entry of a file's first directory but those that the pixels are made of.

    Args:
        content: of a TIFF file.

    Raises:
        Unsupported: it has a compression or numbers that are not read.
        ValueError: the directory is damaged, or describes more than its picture.
        struct.error: the file was cut off.
    """
    directory = _Directory(content)
    width, height = directory.number(_WIDTH), directory.number(_HEIGHT)
    bits = max(directory.numbers(_BITS, (1,)))
    compression = directory.number(_COMPRESSION, 1)
    if compression not in COMPRESSIONS:
        known = ", ".join(dict.fromkeys(name for name in COMPRESSIONS.values() if name != "none"))
        raise Unsupported(
            f"a TIFF file without compression, or with one of {known}", f"compression {compression}"
        )
    if bits > 16 or set(directory.numbers(_SAMPLE_FORMAT, (1,))) != {1}:
        raise Unsupported(
            "a TIFF file of integers of 1 to 16 bits, without a sign", f"other numbers, of {bits} bits"
        )
    _check_pieces(directory, width, height, len(content))
    entries = [directory.raw[tag] for tag in sorted(directory.raw.keys() & _PICTURE)]
    order, place = directory.order, len(content) + len(content) % 2
    alone = b"".join(
        (
            content[:4],
            struct.pack(f"{order}I", place),
            content[8:],
            bytes(place - len(content)),
            struct.pack(f"{order}H", len(entries)),
            *entries,
            bytes(4),
        )
    )
    white_is_zero = directory.number(_PHOTOMETRIC, 1) == 0
    orientation = directory.number(_ORIENTATION, _UPRIGHT)
    return TiffPicture(alone, width, height, bits, white_is_zero, orientation, directory.next != 0)


def orientation_of(exif: bytes) -> int:
    """Which way is up in a photograph, by the directory that its camera wrote.

    Args:
        exif: a TIFF file without a picture, or anything.

    Returns:
        1 to 8, as EXIF numbers them; 1, upright, where the directory does not say or cannot be read.
    """
    try:
        return _Directory(exif).number(_ORIENTATION, _UPRIGHT)
    except (struct.error, ValueError):
        return _UPRIGHT


class _Directory:
    """The first directory of a file; where a tag occurs twice, the first entry counts, as for Pillow."""

    def __init__(self, content: bytes) -> None:
        if content[:4] not in SIGNATURES:
            raise ValueError("no TIFF file")
        self.content, self.order = content, "<" if content[:2] == b"II" else ">"
        (place,) = struct.unpack_from(f"{self.order}I", content, 4)
        (count,) = struct.unpack_from(f"{self.order}H", content, place)
        if place < 8 or count > MOST_ENTRIES:
            raise ValueError("no directory, or too long a one")
        self.raw: dict[int, bytes] = {}
        for start in range(place + 2, place + 2 + 12 * count, 12):
            (tag,) = struct.unpack_from(f"{self.order}H", content, start)
            self.raw.setdefault(tag, content[start : start + 12])
        (self.next,) = struct.unpack_from(f"{self.order}I", content, place + 2 + 12 * count)

    def numbers(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """The values of an entry.

        Raises:
            ValueError: there is no such entry, or it has other values or too many.
            struct.error: the file was cut off.
        """
        if tag not in self.raw:
            if not default:
                raise ValueError(f"no entry {tag}")
            return default
        entry = self.raw[tag]
        kind, count = struct.unpack_from(f"{self.order}HI", entry, 2)
        if kind not in _FORMS or not 0 < count <= MOST_VALUES:
            raise ValueError(f"entry {tag} has other values, or too many")
        values = f"{self.order}{count}{_FORMS[kind]}"
        if struct.calcsize(values) <= 4:
            return struct.unpack_from(values, entry, 8)
        (place,) = struct.unpack_from(f"{self.order}I", entry, 8)
        return struct.unpack_from(values, self.content, place)

    def number(self, tag: int, default: int | None = None) -> int:
        """The first value of an entry, as `numbers` reads them."""
        return self.numbers(tag, () if default is None else (default,))[0]


def _check_pieces(directory: _Directory, width: int, height: int, length: int) -> None:
    """Refuse strips or tiles that are more than the picture needs, or that share their bytes.

    Raises:
        ValueError: they are.
    """
    tiled = _TILE_OFFSETS in directory.raw
    if tiled:
        across, down = directory.number(_TILE_WIDTH), directory.number(_TILE_HEIGHT)
    else:
        across, down = width, min(height, directory.number(_ROWS_PER_STRIP, height))
    if not (width and height and across and down):
        raise ValueError("no pixels")
    columns, rows = -(-width // across), -(-height // down)
    planes = directory.number(_SAMPLES, 1) if directory.number(_PLANES, 1) == 2 else 1
    if planes > 8 or (tiled and columns * across * rows * down > 2 * MAX_PIXELS):
        raise ValueError("tiles that are much larger than the picture")
    offsets = directory.numbers(_TILE_OFFSETS if tiled else _STRIP_OFFSETS)
    counts = directory.numbers(_TILE_BYTES if tiled else _STRIP_BYTES)
    if len(offsets) != columns * rows * planes or len(counts) != len(offsets) or sum(counts) > length:
        raise ValueError("more or fewer bytes than the picture needs")
