"""The IDX files of a folder, as MNIST, Fashion-MNIST, KMNIST and EMNIST are published: four to a set."""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.atomic_files import sha256_of
from worker.images.class_names import EMNIST_CLASSES
from worker.images.idx import read_array
from worker.images.image_sets import LabelledImages
from worker.images.labels import labels_of
from worker.images.parameters import IDX_FILE, MOST_LOOKED_AT
from worker.images.picture_folder import is_file_in, unreadable
from worker.images.pixels import Labels, as_images, stack
from worker.images.value_ranges import range_of

MOST_NAMED = 5
"""Sets of images in a message."""

EMNIST = "emnist"
"""In the name of a file whose images are stored column by column, so that they lie on their side."""


@dataclass(frozen=True)
class IdxPart:
    """The training part or the test part of a set.

    Attributes:
        name: `train` or `test`.
        images: the file's name.
        labels: the file's name; None where there is none.
    """

    name: str
    images: str
    labels: str | None

    @property
    def files(self) -> list[str]:
        """The names of its files."""
        return [self.images, *([self.labels] if self.labels else [])]


class ReadPart(NamedTuple):
    """What was read of one part: images, their names for the report, and how many the file has."""

    labelled: LabelledImages
    names: tuple[str, ...]
    total: int


class ReadSet(NamedTuple):
    """What was read of a set.

    Attributes:
        parts: in the order in which they were asked for.
        classes: the classes' names, by label; empty where labels are digits.
        sha256: of what `sha256sum` would print for its files.
        notes: sentences about what was done.
    """

    parts: list[ReadPart]
    classes: tuple[str, ...]
    sha256: str
    notes: list[str]


def find_parts(folder: Path) -> list[IdxPart]:
    """The parts of the one set of IDX files in a folder, the training part first; none where there is no set.

    Raises:
        InvalidData: there are several sets, or the folder cannot be read.
    """
    found: dict[str, dict[tuple[str, str], str]] = {}
    root = folder.resolve()
    try:
        with os.scandir(folder) as entries:
            for entry in islice(entries, MOST_LOOKED_AT):
                match = IDX_FILE.fullmatch(entry.name)
                linked = match is not None and entry.is_symlink()
                if match and entry.is_file() and (not linked or is_file_in(Path(entry.path), root)):
                    files = found.setdefault(_set_name(match), {})
                    key = _part_name(match), match["what"].lower()
                    # Where a file lies both packed and unpacked, it is the packed one, as it was published.
                    files[key] = max(
                        files.get(key, entry.name), entry.name, key=lambda name: (name.endswith(".gz"), name)
                    )
    except OSError as error:
        raise unreadable(folder, "a folder that this worker can read", error) from None
    sets = {name: files for name, files in found.items() if any(what == "images" for _, what in files)}
    if len(sets) > 1:
        named = sorted(sets)
        raise InvalidData(
            shown_path(folder),
            expected="the IDX files of one set of images",
            given=f"{len(sets)} sets: {', '.join(map(shown_path, named[:MOST_NAMED]))}"
            f"{', …' if len(named) > MOST_NAMED else ''}",
            hint="put the files of one set into a folder of their own, or name one of the files of images",
        )
    return [
        IdxPart(part, files[part, "images"], files.get((part, "labels")))
        for files in sets.values()
        for part in ("train", "test")
        if (part, "images") in files
    ]


def read_set(folder: Path, parts: Sequence[IdxPart], count: int | None = None) -> ReadSet:
    """Read parts of a set, whose numbers mean the same grey levels in all of them.

    Args:
        folder: where the files are.
        parts: of them, at least one.
        count: at least 1, the first images of each; None for all.

    Raises:
        InvalidData: a file of images cannot be read or used; one of labels that cannot is left out.
    """
    stacks: dict[str, NDArray[Any]] = {}
    for part in parts:
        array = read_array(folder / part.images)
        stacks[part.images] = stack(shown_path(folder / part.images), array)
    levels = range_of({shown_path(folder / name): array for name, array in stacks.items()})
    read, notes, listing = [], list(levels.notes), hashlib.sha256()
    for part in parts:
        array = stacks[part.images]
        grey = levels.levels(array[:count])
        if is_transposed(part.images):
            grey = grey.transpose(0, 2, 1).copy()
        images, scale_notes = as_images(grey)
        labels, label_notes = _labels(folder, part, len(array))
        notes += [*scale_notes, *label_notes]
        names = tuple(f"{part.name}[{index}]" for index in range(len(images)))
        read.append(
            ReadPart(LabelledImages(images, None if labels is None else labels[:count]), names, len(array))
        )
    for name in sorted(name for part in parts for name in part.files):
        listing.update(f"{sha256_of(folder / name)}  {name}\n".encode(errors="replace"))
    if any(is_transposed(part.images) for part in parts):
        notes.append("EMNIST's images are stored on their side; rows and columns were exchanged.")
    return ReadSet(read, _classes(parts), listing.hexdigest(), list(dict.fromkeys(notes)))


def is_transposed(name: str) -> bool:
    """Whether a file of this name has images that are stored column by column."""
    return name.lower().startswith(EMNIST)


def part_of_file(path: Path) -> IdxPart:
    """The part that a single file of images is, without labels.

    Raises:
        InvalidData: by its name, it holds labels.
    """
    match = IDX_FILE.fullmatch(path.name)
    if match and match["what"].lower() == "labels":
        raise InvalidData(
            shown_path(path),
            expected="a file of images",
            given="one of labels",
            hint="name the file of images, or the folder that has both",
        )
    return IdxPart(_part_name(match) if match else "train", path.name, None)


def _part_name(match: re.Match[str]) -> str:
    """The part that a file's name tells: `train` or `test`."""
    return "train" if match["part"].lower() == "train" else "test"


def _set_name(match: re.Match[str]) -> str:
    """The set that a file's name begins with, empty for MNIST's."""
    return match["set"].lower().strip("-_.")


def _labels(folder: Path, part: IdxPart, count: int) -> tuple[Labels | None, list[str]]:
    if part.labels is None:
        return None, []
    place = shown_path(folder / part.labels)
    try:
        array = read_array(folder / part.labels)
    except InvalidData as error:
        return None, [f"The labels in {place} were ignored: expected {error.expected}, got {error.given}."]
    return labels_of(place, array, count)


def _classes(parts: Sequence[IdxPart]) -> tuple[str, ...]:
    match = IDX_FILE.fullmatch(parts[0].images)
    if not any(part.labels for part in parts):
        return ()
    return EMNIST_CLASSES.get(_set_name(match) if match else "", ())
