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

MAX_BYTES = 4 * 2**30
"""The most that the arrays of one file may take in memory."""

_SUFFIX = ".npy"


def array_names(path: Path) -> list[str]:
    """Names of the arrays in a file.

    Raises:
        InvalidData: it cannot be read as .npz.
    """
    with _open(path) as archive:
        return [name.removesuffix(_SUFFIX) for name in archive.namelist() if name.endswith(_SUFFIX)]


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
        total = 0
        for name in names:
            total += _checked_size(archive, name, f"{shown_path(path)}, {name}")
            if total > MAX_BYTES:
                raise InvalidData(
                    shown_path(path),
                    expected=f"arrays of at most {MAX_BYTES / 2**30:g} GiB in all",
                    given=f"{total / 2**30:,.1f} GiB up to {name}",
                )
        return {name: _read(archive, name) for name in names}


@contextmanager
def _open(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open the file, and turn whatever goes wrong inside the block into one sentence."""
    start = b""
    try:
        with path.open("rb") as file:
            start = file.read(4)
            with zipfile.ZipFile(file) as archive:
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
            problem = "a file of another format" if start else "an empty file"
        raise InvalidData(
            shown_path(path), expected="an .npz file as numpy.savez writes it", given=problem
        ) from None


def _checked_size(archive: zipfile.ZipFile, name: str, place: str) -> int:
    """The bytes an array will take, by its header, which must agree with the archive's directory."""
    member = archive.getinfo(name + _SUFFIX)
    with archive.open(member) as stream:
        # numpy writes later versions only for headers beyond 64 KiB, which no plain array has, and
        # would read one of any length before it looks at its size.
        if np.lib.format.read_magic(stream) != (1, 0):
            raise InvalidData(place, expected="an array of numbers", given="one that is not a plain array")
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        header = stream.tell()
    if dtype.hasobject:
        raise InvalidData(
            place, expected="an array of numbers", given="Python objects (a pickle), which are never loaded"
        )
    size = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or (size <= MAX_BYTES and member.file_size != header + size):
        raise ValueError("the header does not agree with the length of the data")
    return size


def _read(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name + _SUFFIX) as stream:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        stream.read(1)  # the checksum is compared when the end is reached
    return array
