"""Arrays out of an .npz file that anyone may have sent: damaged, hostile or merely wrong.

Pickles are never loaded, and nothing is read before the headers have said how much it will be.
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

_ENDING = ".npy"


def array_names(path: Path) -> list[str]:
    """Names of the arrays in a file.

    Raises:
        InvalidData: it cannot be read as .npz.
    """
    with _open(path) as archive:
        return [name.removesuffix(_ENDING) for name in archive.namelist() if name.endswith(_ENDING)]


def read_arrays(path: Path, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Read some arrays, each of any shape and any type but Python objects.

    Raises:
        InvalidData: the file cannot be read as .npz, holds pickles, or needs more than `MAX_BYTES`.
    """
    with _open(path) as archive:
        total = 0
        for name in names:
            total += _checked_size(archive, name, shown_path(path))
            if total > MAX_BYTES:
                raise InvalidData(
                    f"{shown_path(path)}: up to {name} its arrays take {total / 2**30:,.1f} GiB of memory, "
                    f"which is absurdly large; allowed: {MAX_BYTES / 2**30:g} GiB in all"
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
            f"{shown_path(path)}: there is not enough memory to read it; allowed: what fits into memory"
        ) from None
    # A hostile file makes zipfile, zlib and numpy's header parser raise nearly anything.
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:
            problem = f"cannot be opened ({(error.strerror or 'no reason given').lower()})"
        elif start[:2] == b"PK":
            problem = "is damaged or was cut off"
        else:
            problem = "is not an .npz file" if start else "is empty"
        raise InvalidData(
            f"{shown_path(path)}: {problem}; allowed: an .npz file as numpy.savez writes it"
        ) from None


def _checked_size(archive: zipfile.ZipFile, name: str, where: str) -> int:
    """The bytes an array will take, by its header, which must agree with the archive's directory."""
    member = archive.getinfo(name + _ENDING)
    with archive.open(member) as stream:
        # numpy writes later versions only for headers beyond 64 KiB, which no plain array has, and
        # would read one of any length before it looks at its size.
        if np.lib.format.read_magic(stream) != (1, 0):
            raise InvalidData(f"{where}: {name} is not a plain array; allowed: arrays of numbers")
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        header = stream.tell()
    if dtype.hasobject:
        raise InvalidData(
            f"{where}: {name} holds Python objects (a pickle), which are never loaded; "
            f"allowed: arrays of numbers"
        )
    size = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or (size <= MAX_BYTES and member.file_size != header + size):
        raise ValueError("the header does not agree with the length of the data")
    return size


def _read(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name + _ENDING) as stream:
        array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
        stream.read(1)  # the checksum is compared when the end is reached
    return array
