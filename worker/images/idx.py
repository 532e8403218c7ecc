"""IDX files, packed by gzip or not, that anyone may have sent: one array of numbers each.

Ours, because NumPy does not read the format, and because a file of a megabyte may unpack to a gigabyte, or
claim to. https://yann.lecun.com/exdb/mnist (at the end), https://www.rfc-editor.org/rfc/rfc1952
"""

import math
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.regular_files import open_regular
from worker.datasets.file_formats import LONGEST_BEGINNING, format_of

MAX_BYTES = 4 * 2**30
"""The most that an array may take in memory."""

MAX_FILE_BYTES = 16 * 2**30
"""The most that a file may take on disk."""

MOST_DIMENSIONS = 4

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
_BLOCK = 1 << 20
_LARGEST_RATIO = 1_100
"""Bytes that a byte of gzip unpacks to: at most 1,032."""

Header = tuple[tuple[int, ...], np.dtype[Any]]
"""Shape and type of an array."""


def read_header(path: Path) -> Header:
    """Shape and type of a file's array.

    Raises:
        InvalidData: as `read_array` does, of a file whose header is wrong.
    """
    with _open(path) as (shape, dtype, _):
        return shape, dtype


def read_array(path: Path, most_bytes: int | None = None) -> NDArray[Any]:
    """Read the array of an IDX file.

    Args:
        path: of the file; packed or not, by its content.
        most_bytes: to unpack, at least the first row of the array; None for all, and the file must end there.

    Returns:
        The array in this machine's order of bytes; its first rows, if it has more than `most_bytes`.

    Raises:
        InvalidData: it cannot be read as an IDX file, or needs more than `MAX_BYTES`.
    """
    with _open(path) as (shape, dtype, blocks):
        row = math.prod(shape[1:]) * dtype.itemsize
        rows = shape[0]
        if most_bytes is not None and row:
            rows = min(rows, max(1, most_bytes // row))
        numbers = np.empty(rows * row, np.uint8)
        begin = 0
        for block in blocks:
            end = begin + len(block)
            if end > len(numbers) and rows == shape[0]:
                raise ValueError("it is longer than its header says")
            numbers[begin:end] = np.frombuffer(block, np.uint8)[: len(numbers) - begin]
            begin = min(end, len(numbers))
            if begin == len(numbers) and rows < shape[0]:
                break
        if begin < len(numbers):
            raise ValueError("it is shorter than its header says")
        array: NDArray[Any] = numbers.view(dtype).reshape(rows, *shape[1:])
        return array.astype(dtype.newbyteorder("="), copy=False)


@contextmanager
def _open(path: Path) -> Iterator[tuple[tuple[int, ...], np.dtype[Any], Iterator[bytes]]]:
    """Shape, type and the blocks of the numbers; turns whatever goes wrong inside into one sentence."""
    start = b""
    try:
        with open_regular(path, MAX_FILE_BYTES, follow=True) as file:
            start = file.peek(LONGEST_BEGINNING)[:LONGEST_BEGINNING]
            packed = start.startswith(_GZIP)
            blocks = _unpacked(file) if packed else iter(lambda: file.read(_BLOCK), b"")
            shape, dtype, rest = _header(blocks)
            size = math.prod(shape) * dtype.itemsize
            if size > MAX_BYTES:
                raise InvalidData(
                    shown_path(path),
                    expected=f"an array of at most {MAX_BYTES / 2**30:g} GiB",
                    given=f"{size / 2**30:,.1f} GiB",
                )
            if size > os.fstat(file.fileno()).st_size * (_LARGEST_RATIO if packed else 1):
                raise ValueError("it is shorter than its header says")
            yield shape, dtype, _with(rest, blocks)
    except InvalidData:
        raise
    except MemoryError:
        raise InvalidData(
            shown_path(path), expected="an array that fits into memory", given="a larger one"
        ) from None
    except OSError as error:
        problem = f"one that cannot be opened ({(error.strerror or 'no reason given').lower()})"
        raise _refused(path, problem) from None
    except _NoIdx:
        name = format_of(start)
        if name == "a gzip file":
            name = "a gzip file of something else"
        raise _refused(path, (name or "a file of another format") if start else "an empty file") from None
    except (ValueError, struct.error, zlib.error, EOFError):
        raise _refused(path, "one that is damaged or was cut off") from None


class _NoIdx(Exception):
    """The file does not begin as an IDX file does."""


def _refused(path: Path, given: str) -> InvalidData:
    return InvalidData(
        shown_path(path), expected="an IDX file as MNIST and Fashion-MNIST are published", given=given
    )


def _header(blocks: Iterator[bytes]) -> tuple[tuple[int, ...], np.dtype[Any], bytes]:
    """Shape and type of the array, and what follows the header in the blocks that were read."""
    start = b""
    longest = 4 + 4 * MOST_DIMENSIONS
    while len(start) < longest and (block := next(blocks, b"")):
        start += block
    if (
        len(start) < 4
        or start[:2] != b"\0\0"
        or start[2] not in _TYPES
        or not 1 <= start[3] <= MOST_DIMENSIONS
    ):
        raise _NoIdx
    dimensions = start[3]
    shape = struct.unpack_from(f">{dimensions}I", start, 4)
    return shape, np.dtype(_TYPES[start[2]]), start[4 + 4 * dimensions :]


def _with(first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from blocks


def _unpacked(file: BufferedReader) -> Iterator[bytes]:
    """What a gzip file of one member unpacks to, in blocks; its checksum is compared at the end."""
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail or file.read(_BLOCK)
        if not packed:
            raise EOFError
        if block := unpacker.decompress(packed, _BLOCK):
            yield block
    if unpacker.unused_data or file.read(1):
        raise ValueError("something follows the packed data")
