"""A person's own images: arrays of an .npz file, IDX files, an image file, a folder of image files."""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.atomic_files import sha256_of
from worker.images.idx_folder import IdxPart, find_parts, part_of_file, read_set
from worker.images.image_sets import LabelledImages
from worker.images.labels import read_labels
from worker.images.npz import array_names, read_arrays
from worker.images.parameters import IDX, PICTURES
from worker.images.picture_files import read_files
from worker.images.picture_folder import list_folder
from worker.images.pixels import as_images, stack
from worker.images.value_ranges import range_of

LABELS_OF = {
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
        classes: names of the classes, by label; empty where labels are digits, or there are none.
    """

    labelled: LabelledImages
    names: tuple[str, ...]
    total: int
    sha256: str
    notes: list[str]
    classes: tuple[str, ...] = ()


class Parts(NamedTuple):
    """The parts of some images: at least one of them.

    Attributes:
        train: to train on; of images that are not split, all.
        test: to test on.
    """

    train: UserImages | None
    test: UserImages | None

    @property
    def to_send(self) -> UserImages:
        """Those to send through a network: the test part, else all."""
        found = self.test or self.train
        assert found is not None
        return found


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


def is_idx(path: Path) -> bool:
    """Whether a file is an IDX file, by its name."""
    return path.name.lower().endswith(IDX.suffixes)


def is_picture(path: Path) -> bool:
    """Whether a file is an image file, by its name."""
    return path.name.lower().endswith(PICTURES)


def files_of(folder: Path) -> list[Path]:
    """The files of a folder that are read, relative to it.

    Raises:
        InvalidData: there are none, there are too many, or the folder cannot be read.
    """
    if parts := find_parts(folder):
        return [Path(name) for part in parts for name in part.files]
    return list(list_folder(folder).files)


def read_picture(path: Path) -> UserImages:
    """Read a single image file.

    Returns:
        One image without a label.

    Raises:
        InvalidData: it is not an image file, is damaged or too large.
    """
    read = read_files(path.parent, [Path(path.name)])
    labelled = LabelledImages(read.images, None)
    return UserImages(labelled, (shown_path(path.name),), 1, sha256_of(path), read.notes)


def read_idx(path: Path, count: int | None = None) -> Parts:
    """Read the first `count` images, or all, of a single IDX file; by its name it may be a test part."""
    read = _read_idx(path.parent, [part_of_file(path)], count)
    sha256 = sha256_of(path)
    return Parts(*(part and part._replace(sha256=sha256) for part in read))


def read_folder(
    path: Path,
    count: int | None = None,
    *,
    to_send: bool = False,
    skip: bool = False,
    classes: tuple[str, ...] = (),
) -> Parts:
    """Read the images of a folder: those of IDX files if it has any, else image files sorted by name.

    Args:
        path: of the folder.
        count: at least 1, the first images of each part; None for all.
        to_send: whether only the images to send through a network are read: the test part, if there is one.
        skip: whether image files that cannot be read are left out.
        classes: what the labels of a dataset's IDX files stand for, if that is known.

    Raises:
        InvalidData: there are none, or one of those is not an image file, is damaged or too large.
    """
    if parts := find_parts(path):
        return _read_idx(path, parts[-1:] if to_send else parts, count, classes)
    folder = list_folder(path)
    split = folder.training < len(folder.files)
    places = [range(folder.training), range(folder.training, len(folder.files))]
    places = [each[:count] for each in (places if split else places[:1])]
    if split and to_send:
        places[0] = range(0)
    chosen = [place for each in places for place in each]
    read = read_files(path, [folder.files[place] for place in chosen], skip=skip)
    found = []
    for each, total in zip(places, (folder.training, len(folder.files) - folder.training), strict=False):
        mine = [index for index, place in enumerate(read.read) if chosen[place] in each]
        kept = [chosen[read.read[index]] for index in mine]
        labels = None if folder.labels is None else folder.labels[kept]
        names = tuple(shown_path(folder.files[place].as_posix()) for place in kept)
        labelled = LabelledImages(read.images[mine], labels)
        notes = [*folder.notes, *read.notes]
        found.append(UserImages(labelled, names, total, read.sha256, notes, folder.classes))
    train, test = found[0], found[1] if split else None
    return Parts(train if train.names else None, test if test and test.names else None)


def _read_idx(
    folder: Path, parts: Sequence[IdxPart], count: int | None, classes: tuple[str, ...] = ()
) -> Parts:
    read = read_set(folder, parts, count)
    found = {
        part.name: UserImages(*each, read.sha256, read.notes, classes or read.classes)
        for part, each in zip(parts, read.parts, strict=True)
    }
    return Parts(found.get("train"), found.get("test"))


def choose_array(path: Path, preferred: Sequence[str]) -> tuple[str, list[str]]:
    """Choose the array of an .npz file that holds the images.

    Args:
        path: of an .npz file.
        preferred: names of arrays, the preferred first.

    Returns:
        The first of `preferred` that the file has, and the names of all its arrays.

    Raises:
        InvalidData: the file cannot be read, or has none of them.
    """
    names = array_names(path)
    chosen = next((name for name in preferred if name in names), None)
    if chosen is None:
        raise InvalidData(
            shown_path(path),
            expected="an array x_train (with y_train, x_test and y_test if there are any), x or images",
            given=", ".join(shown_path(name) for name in names[:5]) or "no array",
        )
    return chosen, names


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
    chosen, _ = choose_array(path, preferred)
    return read_parts(path, [chosen], count)[0]


def read_parts(path: Path, chosen: Sequence[str], count: int | None = None) -> list[UserImages]:
    """Read arrays of images, whose numbers mean the same grey levels in all of them.

    Args:
        path: of an .npz file.
        chosen: names of arrays that it has; no other but their labels is looked at.
        count: at least 1, the first images of each; None for all.

    Returns:
        The images of each array, with the labels that belong to them if there are any.

    Raises:
        InvalidData: the file cannot be read, or an array cannot be used.
    """
    names, sha256 = array_names(path), sha256_of(path)
    arrays = read_arrays(path, chosen)
    stacks = {name: stack(place_of(path, name), array) for name, array in arrays.items()}
    levels = range_of({place_of(path, name): array for name, array in stacks.items()})
    parts = []
    for name, array in stacks.items():
        images, notes = as_images(levels.levels(array[:count]))
        labels = None
        for label in [label for label in LABELS_OF[name] if label in names][:1]:
            labels, label_notes = read_labels(path, label, len(array))
            labels = None if labels is None else labels[:count]
            notes += label_notes
        numbered = tuple(f"{name}[{index}]" for index in range(len(images)))
        labelled = LabelledImages(images, labels)
        parts.append(UserImages(labelled, numbered, len(array), sha256, [*levels.notes, *notes]))
    return parts


def place_of(path: Path, name: str) -> str:
    """File and array, for messages."""
    return f"{shown_path(path)}, {name}"
