"""A person's own images: arrays of an .npz file, a .png file, a folder of PNG files."""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.atomic_files import sha256_of
from worker.images.image_sets import LabelledImages
from worker.images.npz import array_names, read_arrays
from worker.images.pixels import as_images, as_labels, stack
from worker.images.png import list_folder, read_files

_LABELS_OF = {
    "x_train": ("y_train",),
    "x_test": ("y_test",),
    "x": ("y", "labels"),
    "images": ("labels", "y"),
}
"""Names that images may have in an .npz file, and those of the labels that belong to them."""


class UserImages(NamedTuple):
    """Images from a file or folder.

    Attributes:
        labelled: n images, with their labels if there are any.
        names: n names for the report: `x[3]`, `3/seven.png`.
        total: how many images there are, of which these are the first.
        sha256: of the file; for a folder, of what `sha256sum` prints for the files that were read.
        notes: sentences for the report about what was done to them.
    """

    labelled: LabelledImages
    names: tuple[str, ...]
    total: int
    sha256: str
    notes: list[str]


def is_folder(path: Path) -> bool:
    """Whether a path leads to a folder; if not, it leads to a file.

    Raises:
        InvalidData: it leads to neither, does not exist or cannot be read.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        raise InvalidData(
            shown_path(path),
            expected="a path that every worker can read",
            given="one that does not exist or cannot be read on this worker's machine",
        ) from None
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise InvalidData(shown_path(path), expected="a file or a folder", given="neither")
    return stat.S_ISDIR(mode)


def read_png(path: Path) -> UserImages:
    """Read a single .png file.

    Returns:
        One image without a label.

    Raises:
        InvalidData: it is not a PNG file, is damaged or too large.
    """
    images, _, notes = read_files(path.parent, [Path(path.name)])
    return UserImages(LabelledImages(images, None), (shown_path(path.name),), 1, sha256_of(path), notes)


def read_folder(path: Path, count: int | None = None) -> UserImages:
    """Read the first `count` .png files of a folder, or all of them, sorted by name.

    Args:
        path: of the folder.
        count: at least 1; None for all.

    Returns:
        n ≤ `count` images; their sub-folders, if all have one, are the labels.

    Raises:
        InvalidData: there are none, or one of those is not a PNG file, is damaged or too large.
    """
    folder = list_folder(path)
    files = folder.files[:count]
    images, sha256, notes = read_files(path, files)
    labels = None if folder.labels is None else folder.labels[:count]
    names = tuple(shown_path(name.as_posix()) for name in files)
    return UserImages(
        LabelledImages(images, labels), names, len(folder.files), sha256, [*folder.notes, *notes]
    )


def read_npz(path: Path, preferred: Sequence[str], count: int | None = None) -> UserImages:
    """Read the first `count` images, or all, of the first array among `preferred` that a file has.

    Args:
        path: of an .npz file.
        preferred: names of arrays, the preferred first.
        count: at least 1; None for all.

    Returns:
        n ≤ `count` images, with the labels that belong to them if there are any.

    Raises:
        InvalidData: the file cannot be read, has none of them, or the array cannot be used.
    """
    names = array_names(path)
    chosen = next((name for name in preferred if name in names), None)
    if chosen is None:
        raise InvalidData(
            shown_path(path),
            expected="an array x_train (with y_train, x_test and y_test if there are any), x or images",
            given=", ".join(shown_path(name) for name in names[:5]) or "no array",
        )
    labelled_by = [name for name in _LABELS_OF[chosen] if name in names][:1]
    arrays = read_arrays(path, [chosen, *labelled_by])
    place = f"{shown_path(path)}, {chosen}"
    stacked = stack(place, arrays[chosen])
    images, notes = as_images(place, stacked[:count])
    labels = None
    for name in labelled_by:
        labels, label_notes = as_labels(f"{shown_path(path)}, {name}", arrays[name], len(stacked))
        labels = None if labels is None else labels[:count]
        notes += label_notes
    return UserImages(
        LabelledImages(images, labels),
        tuple(f"{chosen}[{index}]" for index in range(len(images))),
        len(stacked),
        sha256_of(path),
        notes,
    )
