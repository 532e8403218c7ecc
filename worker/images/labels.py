"""Labels of a person's own images, which no image model needs: what cannot serve is left out, and said."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import counted
from worker.images.class_names import MOST_CLASSES
from worker.images.npz import read_arrays, read_headers
from worker.images.pixels import Labels

MOST_COLUMNS = 1_000
"""Of one-hot labels that are read."""


def read_labels(path: Path, name: str, count: int) -> tuple[Labels | None, list[str]]:
    """Read one label for each image: a number from 0 to 99, as an integer or one-hot.

    Args:
        path: of an .npz file.
        name: of an array in it.
        count: how many images there are.

    Returns:
        int64 (count,), or None where they cannot serve as labels, and sentences about why not.
    """
    place = f"{shown_path(path)}, {name}"
    try:
        shape, dtype = read_headers(path, [name])[name]
        note = _shape_note(place, shape, dtype, count)
        return (None, [note]) if note else labels_of(place, read_arrays(path, [name])[name], count)
    except InvalidData as error:
        return None, [f"The labels in {place} were ignored: expected {error.expected}, got {error.given}."]


def labels_of(place: str, array: NDArray[Any], count: int) -> tuple[Labels | None, list[str]]:
    """Take an array for the labels of images, as `read_labels` does.

    Args:
        place: where it comes from, for messages.
        array: of any shape and type.
        count: how many images there are.
    """
    note = _shape_note(place, array.shape, array.dtype, count)
    if note:
        return None, [note]
    one_hot = _is_one_hot(array.shape, count)
    labels = _from_one_hot(array) if one_hot else _whole_numbers(array.reshape(count))
    if labels is None:
        kind = "one-hot, a single 1 in each row" if one_hot else "whole numbers"
        return None, [f"The labels in {place} were ignored, since they are not {kind}."]
    if labels.min() < 0 or labels.max() >= MOST_CLASSES:
        return None, [
            f"The labels in {place} range from {labels.min()} to {labels.max()}; they were ignored, since "
            f"only numbers from 0 to {MOST_CLASSES - 1} serve as labels."
        ]
    return labels, [f"The labels in {place} are one-hot; the place of the 1 is the label."] if one_hot else []


def _shape_note(place: str, shape: tuple[int, ...], dtype: np.dtype[Any], count: int) -> str:
    """A sentence about an array that has not one label for each image; empty for one that may have."""
    if dtype.kind in "iufb" and (shape in ((count,), (count, 1)) or _is_one_hot(shape, count)):
        return ""
    return (
        f"The labels in {place} were ignored: they have shape ({', '.join(map(str, shape))}) and "
        f"type {dtype.name}, and not one label for each of {counted(count, 'image')}."
    )


def _is_one_hot(shape: tuple[int, ...], count: int) -> bool:
    return len(shape) == 2 and shape[0] == count and 1 < shape[1] <= MOST_COLUMNS


def _from_one_hot(array: NDArray[Any]) -> Labels | None:
    ones = array == 1
    if not ((ones | (array == 0)).all() and (ones.sum(axis=1) == 1).all()):
        return None
    digits: Labels = ones.argmax(axis=1).astype(np.int64)
    return digits


def _whole_numbers(array: NDArray[Any]) -> Labels | None:
    if array.dtype.kind == "f" and not (np.abs(array) < 2**31).all():  # NaN as well
        return None
    labels = array.astype(np.int64)
    return labels if array.dtype.kind != "f" or (labels == array).all() else None
