"""Reads the weights of a saved network, `model.keras`, into one that was built by code.

Ours, because Keras' own readers run code that a file brings along (CVE-2025-1550, CVE-2025-9906), follow
HDF5's links into other files, allocate whatever shape a file claims, and take NaN for a weight. Here only the
weights are read, and each is checked before Keras assigns it.
"""

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np

from jobs.errors import DamagedFolder
from jobs.store.regular_files import open_regular
from worker.training.plain_arrays import is_finite, is_of_volume, reason_of
from worker.training.zip_files import open_zip

_WEIGHTS = "model.weights.h5"
_OVERHEAD = 1 << 24
_WITH_OPTIMIZER = 4
"""A network that Keras itself trained is saved with its optimizer's variables: up to three for a weight."""

_MOST_OBJECTS = 10_000


def load_weights(model: keras.Model, path: Path) -> None:
    """Assign the weights that a training job saved.

    Args:
        model: as built by code; after an error, some of its weights may have been assigned.
        path: of a file that Keras' `save` wrote.

    Raises:
        DamagedFolder: it is something else, belongs to another network, or has weights that are not finite
            numbers; the message names the file, and the array where it is one.
        OSError: its volume cannot be read.
        MemoryError: the weights do not fit into memory.
    """
    needed = sum(int(np.prod(weight.shape)) * 8 for weight in model.weights)
    most = _WITH_OPTIMIZER * needed + _OVERHEAD
    try:
        with open_regular(path, 2 * most) as file, open_zip(file) as archive:
            if archive.getinfo(_WEIGHTS).file_size > most:
                raise ValueError("larger than the network")
            content = archive.read(_WEIGHTS)
        with h5py.File(io.BytesIO(content), "r") as stored:
            found: Counter[tuple[int, ...]] = Counter()
            for name, array in _arrays(stored, len(content)):
                if not is_finite(array):
                    raise DamagedFolder(f"{path}: {name} has values that are not finite numbers")
                found[array.shape] += 1
        # Keras leaves a layer as it is if the file lacks the group that it belongs to.
        if not Counter(tuple(weight.shape) for weight in model.weights) <= found:
            raise ValueError("it lacks weights")
        model.load_weights(_InMemory(content))
    except (DamagedFolder, MemoryError):
        raise
    # A damaged or hostile file makes zipfile, HDF5 and Keras raise nearly anything.
    except Exception as error:
        if is_of_volume(error) and not isinstance(error, FileNotFoundError):
            raise
        raise DamagedFolder(f"{path}: these are not weights of this network ({reason_of(error)})") from None


class _InMemory(io.BytesIO):
    """The content of a file that Keras takes for one by its name; what was checked is what is read."""

    def __str__(self) -> str:
        return _WEIGHTS


def _arrays(group: h5py.Group, most_bytes: int) -> Iterator[tuple[str, Any]]:
    """All arrays with their names; only such as lie in the file itself, and are no larger than it.

    Raises:
        ValueError: there is something else in the file.
    """
    groups, seen, left = [group], 0, most_bytes
    while groups:
        group = groups.pop()
        for name in group:
            seen += 1
            # A link within the file may lead to a group above it; others lead out of it.
            if seen > _MOST_OBJECTS or not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError("a link, or too many objects")
            found = group[name]
            if isinstance(found, h5py.Group):
                groups.append(found)
                continue
            left -= _size(found)
            if left < 0:
                raise ValueError("larger than the file")
            yield found.name, found[()]


def _size(found: Any) -> int:
    """The bytes of an array that is stored as it is.

    Raises:
        ValueError: it is not.
    """
    plain = isinstance(found, h5py.Dataset) and found.dtype.kind in "biuf" and found.chunks is None
    if not plain or found.is_virtual or found.external:
        raise ValueError("not a plain array")
    return int(found.nbytes)
