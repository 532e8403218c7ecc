"""Arrays out of an .npz file in a job's folder: numbers and texts, of the size that the file has.

Ours, because `numpy.load` allocates what a header claims, however large, waits for the writer of a named
pipe, and raises nearly any error for a damaged file.
"""

import errno
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.errors import DamagedFolder
from jobs.store.regular_files import NotRegular, open_regular
from worker.training.zip_files import open_zip

_SUFFIX = ".npy"
_KINDS = "biufU"
_MOST_DIMENSIONS = 32
_OVERHEAD = 1 << 22
"""Bytes of a file beside its arrays, at most: headers, names and the directory."""


class PlainArrays:
    """The arrays of one open file; its methods raise nearly anything for a damaged one."""

    def __init__(self, archive: zipfile.ZipFile, most_bytes: int) -> None:
        """Use `open_arrays`."""
        self._archive = archive
        self._left = most_bytes

    @property
    def names(self) -> set[str]:
        """The names of all arrays."""
        return {name.removesuffix(_SUFFIX) for name in self._archive.namelist()}

    def header(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and type of an array, which agree with its length in the file.

        Raises:
            ValueError: it is not a plain array.
        """
        member = self._archive.getinfo(name + _SUFFIX)
        with self._archive.open(member) as stream:
            # numpy writes later versions only for headers beyond 64 KiB, which no plain array has.
            if np.lib.format.read_magic(stream) != (1, 0):
                raise ValueError(f"{name} is not a plain array")
            try:
                shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
            except MemoryError:  # so Python's parser says that brackets are nested too deeply
                raise ValueError(f"{name} is not a plain array") from None
            begin = stream.tell()
        plain = dtype.kind in _KINDS and dtype.names is None and dtype.subdtype is None and dtype.itemsize
        whole = len(shape) <= _MOST_DIMENSIONS and all(type(size) is int and size >= 0 for size in shape)
        if not plain or not whole or member.file_size != begin + math.prod(shape) * dtype.itemsize:
            raise ValueError(f"{name} is not a plain array")
        return shape, dtype

    def read(self, name: str) -> NDArray[Any]:
        """Read an array.

        Raises:
            ValueError: it is not a plain array, or all that were read are larger than they may be.
        """
        shape, dtype = self.header(name)
        self._left -= math.prod(shape) * dtype.itemsize
        if self._left < 0:
            raise ValueError(f"{name} is too large")
        with self._archive.open(name + _SUFFIX) as stream:
            array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
            stream.read(1)  # the checksum is compared when the end is reached
        return array

    def read_finite(self, name: str) -> NDArray[Any]:
        """Read an array of numbers none of which is NaN or an infinity.

        Raises:
            ValueError: it is not such an array.
        """
        array = self.read(name)
        if not is_finite(array):
            raise NotFinite(name)
        return array


class NotFinite(ValueError):
    """An array, given by name, has NaN or infinities."""


@contextmanager
def open_arrays(path: Path, most_bytes: int, what: str) -> Iterator[PlainArrays]:
    """Open an .npz file; whatever is wrong with it, within the block too, becomes one error.

    Args:
        path: of the file.
        most_bytes: that all arrays may have which are read.
        what: it should be, for the message: `a checkpoint of Quartet`.

    Raises:
        DamagedFolder: it is not; the message names the file and, for numbers that are not finite, the array.
        OSError: there is no such file, or its volume cannot be read.
        MemoryError: the arrays do not fit into memory.
    """
    try:
        with open_regular(path, most_bytes + _OVERHEAD) as file, open_zip(file) as archive:
            yield PlainArrays(archive, most_bytes)
    except (DamagedFolder, MemoryError):
        raise
    except NotFinite as error:
        raise DamagedFolder(f"{path}: {error} has values that are not finite numbers") from None
    # A hostile file makes zipfile, zlib, json and numpy's header parser raise nearly anything.
    except Exception as error:
        if is_of_volume(error):
            raise
        raise DamagedFolder(f"{path}: this is not {what} ({reason_of(error)})") from None


def is_of_volume(error: Exception) -> bool:
    """Whether an error says that a file cannot be read, rather than what is wrong with its content."""
    content = isinstance(error, NotRegular) or getattr(error, "errno", None) in (None, errno.EINVAL)
    return isinstance(error, OSError) and not content


def reason_of(error: Exception) -> str:
    """What is wrong with a file's content, in a word or two."""
    return str(error.strerror) if isinstance(error, NotRegular) else type(error).__name__


def is_finite(array: NDArray[Any]) -> bool:
    """Whether no number of an array is NaN or an infinity; needs no memory of the array's size."""
    if array.dtype.kind != "f" or not array.size:
        return True
    return bool(np.isfinite(array.min()) and np.isfinite(array.max()))
