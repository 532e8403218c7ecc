"""A person's own images: arrays of an .npz file, a .png, a folder of PNG."""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.files import sha256_of
from worker.data.npz import array_names, read_arrays
from worker.data.pixels import Labels, Pixels, as_images, as_labels, stack
from worker.data.png import list_folder, read_files

_LABELS_OF = {
    "x_train": ("y_train",),
    "x_test": ("y_test",),
    "x": ("y", "labels"),
    "images": ("labels", "y"),
}
"""Names that images may have in an .npz file, and those of the labels that belong to them."""


class LabelledImages(NamedTuple):
    """uint8 (n, 28, 28), 0 to 255, and int64 (n,), digits 0 to 9, or None where there are none."""

    images: Pixels
    labels: Labels | None


class OwnImages(NamedTuple):
    """Images from a file or folder.

    Attributes:
        labelled: the images, with their labels if there are any.
        names: one for each image, to be shown: `x[3]`, `3/seven.png`.
        found: how many there are, of which these are the first.
        sha256: of the file; for a folder, of what `sha256sum` prints for the files that were read.
        notes: what was done to them, sentences for the report.
    """

    labelled: LabelledImages
    names: tuple[str, ...]
    found: int
    sha256: str
    notes: list[str]


def is_folder(path: Path) -> bool:
    """Say whether a path leads to a folder; else it leads to a file.

    Raises:
        InvalidData: it leads to neither, or is not there.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        raise InvalidData(
            f"{shown_path(path)} is not there, or not to be read, on the machine of this worker; "
            "allowed: a path that every worker can read"
        ) from None
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise InvalidData(f"{shown_path(path)} is neither a file nor a folder; allowed: one of them")
    return stat.S_ISDIR(mode)


def read_png(path: Path) -> OwnImages:
    """Read a single .png file.

    Raises:
        InvalidData: it is no PNG, is damaged or absurdly large.
    """
    images, _, notes = read_files(path.parent, [Path(path.name)])
    return OwnImages(LabelledImages(images, None), (shown_path(path.name),), 1, sha256_of(path), notes)


def read_folder(path: Path, count: int | None = None) -> OwnImages:
    """Read the first `count` .png files of a folder, or all of them, sorted by name.

    Raises:
        InvalidData: there are none, or one of those is no PNG, is damaged or absurdly large.
    """
    folder = list_folder(path)
    files = folder.files[:count]
    images, sha256, notes = read_files(path, files)
    labels = None if folder.labels is None else folder.labels[:count]
    names = tuple(shown_path(name.as_posix()) for name in files)
    return OwnImages(
        LabelledImages(images, labels), names, len(folder.files), sha256, [*folder.notes, *notes]
    )


def read_npz(path: Path, preferred: Sequence[str], count: int | None = None) -> OwnImages:
    """Read the first `count` images, or all, of the first array among `preferred` that a file has.

    Raises:
        InvalidData: the file cannot be read, has none of them, or the array cannot be used.
    """
    names = array_names(path)
    chosen = next((name for name in preferred if name in names), None)
    if chosen is None:
        found = ", ".join(shown_path(name) for name in names[:5]) or "nothing"
        raise InvalidData(
            f"{shown_path(path)} has no array of images (found: {found}); allowed: x_train with y_train, "
            "x_test and y_test if there are any, or x or images"
        )
    labelled_by = [name for name in _LABELS_OF[chosen] if name in names][:1]
    arrays = read_arrays(path, [chosen, *labelled_by])
    where = f"{shown_path(path)}: {chosen}"
    stacked = stack(where, arrays[chosen])
    images, notes = as_images(where, stacked[:count])
    labels = None
    for name in labelled_by:
        labels, label_notes = as_labels(f"{shown_path(path)}: {name}", arrays[name], len(stacked))
        labels = None if labels is None else labels[:count]
        notes += label_notes
    return OwnImages(
        LabelledImages(images, labels),
        tuple(f"{chosen}[{index}]" for index in range(len(images))),
        len(stacked),
        sha256_of(path),
        notes,
    )
