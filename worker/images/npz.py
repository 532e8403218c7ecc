"""Arrays out of an .npz file that anyone may have sent: damaged, hostile or merely wrong.

Ours, because `numpy.load` allocates what a header claims, however large, and raises nearly any error for a
damaged file. Here nothing is read before the headers have said how much it is, and pickles are never loaded.
"""

import math
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.regular_files import open_regular
from jobs.wording import shown
from worker.datasets.file_formats import LONGEST_BEGINNING, format_of
from worker.training.zip_files import LARGEST_READ, open_zip

Header = tuple[tuple[int, ...], np.dtype[Any]]
"""Shape and type of an array."""

MAX_BYTES = 4 * 2**30
"""The most that the arrays of one file may take in memory."""

MAX_FILE_BYTES = 16 * 2**30
"""The most that a file may take on disk, whatever else is in it."""

_SUFFIX = ".npy"
_MOST_DIMENSIONS = 32


def array_names(path: Path) -> list[str]:
    """Names of the arrays in a file.

    Raises:
        InvalidData: it cannot be read as .npz.
    """
    with _open(path) as archive:
        return [name.removesuffix(_SUFFIX) for name in archive.namelist() if name.endswith(_SUFFIX)]


def read_headers(path: Path, names: Sequence[str]) -> dict[str, Header]:
    """Shape and type of some arrays, of which no number is read.

    Args:
        path: of an .npz file.
        names: of arrays that it has.

    Raises:
        InvalidData: as `read_arrays` does, of a file whose headers are wrong.
    """
    with _open(path) as archive:
        return _headers(archive, path, names)


def read_through(path: Path, name: str, most_bytes: int) -> None:
    """Decompress the beginning of an array, and keep nothing of it, to see whether it is damaged.

    Args:
        path: of an .npz file.
        name: of an array that it has.
        most_bytes: to decompress; the checksum is compared where the array has no more.

    Raises:
        InvalidData: it is damaged.
    """
    with _open(path) as archive, archive.open(name + _SUFFIX) as stream:
        while most_bytes > 0 and (block := stream.read(min(most_bytes, LARGEST_READ))):
            most_bytes -= len(block)


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read some arrays, each of any shape and any type but Python objects.

    Args:
        path: of an .npz file.
        names: of arrays that it has.

    Returns:
        The arrays by name.

    Raises:
        InvalidData: the file cannot be read as .npz, holds pickles, or needs more than `MAX_BYTES`.
    """
    with _open(path) as archive:
        _headers(archive, path, names)
        return {name: _read(archive, name) for name in names}


@contextmanager
def _open(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open the file, and turn whatever goes wrong inside the block into one sentence."""
    start = b""
    try:
        with open_regular(path, MAX_FILE_BYTES, follow=True) as file:
            start = file.read(LONGEST_BEGINNING)
            with open_zip(file) as archive:
                yield archive
    except InvalidData:
        raise
    except MemoryError:
        raise InvalidData(
            shown_path(path), expected="arrays that fit into memory", given="larger ones"
        ) from None
    # A hostile file makes zipfile, zlib and numpy's header parser raise nearly anything.
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:
            problem = f"one that cannot be opened ({(error.strerror or 'no reason given').lower()})"
        elif start[:2] == b"PK":
            problem = "one that is damaged or was cut off"
        else:
            problem = (format_of(start) or "a file of another format") if start else "an empty file"
        raise InvalidData(
            shown_path(path), expected="an .npz file as numpy.savez writes it", given=problem
        ) from None


def _headers(archive: zipfile.ZipFile, path: Path, names: Sequence[str]) -> dict[str, Header]:
    """Shape and type of arrays that are not too large, all together."""
    headers: dict[str, Header] = {}
    for name in names:
        headers[name] = _header(archive, name, f"{shown_path(path)}, {name}")
        total = sum(map(nbytes, headers.values()))
        if total > MAX_BYTES:
            raise InvalidData(
                shown_path(path),
                expected=f"arrays of at most {MAX_BYTES / 2**30:g} GiB in all",
                given=f"{total / 2**30:,.1f} GiB up to {name}",
            )
    return headers


def nbytes(header: Header) -> int:
    """The bytes that an array takes in memory."""
    shape, dtype = header
    return math.prod(shape) * dtype.itemsize


def _header(archive: zipfile.ZipFile, name: str, place: str) -> Header:
    """Shape and type of an array, by its header, which must agree with the archive's directory."""
    member = archive.getinfo(name + _SUFFIX)
    with archive.open(member) as stream:
        # numpy writes later versions only for headers beyond 64 KiB, which no plain array has, and
        # would read one of any length before it looks at its size.
        if np.lib.format.read_magic(stream) != (1, 0):
            raise InvalidData(place, expected="an array of numbers", given="one that is not a plain array")
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        begin = stream.tell()
    if dtype.hasobject:
        raise InvalidData(
            place, expected="an array of numbers", given="Python objects (a pickle), which are never loaded"
        )
    if dtype.names is not None or dtype.subdtype is not None or not dtype.itemsize:
        raise InvalidData(place, expected="an array of numbers", given=f"one of {shown(str(dtype))}")
    size = nbytes((shape, dtype))
    if (
        len(shape) > _MOST_DIMENSIONS
        or min(shape, default=0) < 0
        or (size <= MAX_BYTES and member.file_size != begin + size)
    ):
        raise ValueError("the header does not agree with the length of the data")
    return shape, dtype


def _read(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name + _SUFFIX) as stream:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        stream.read(1)  # the checksum is compared when the end is reached
    return array
