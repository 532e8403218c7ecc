"""The image files of a folder: which are read, in which order, what classes they show, what was skipped."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import counted
from worker.images.class_names import MOST_CLASSES, numbered
from worker.images.parameters import PICTURES
from worker.images.pixels import Labels

MAX_FILES = 1_000_000

PARTS = {"train": 0, "training": 0, "test": 1, "testing": 1}
"""Names of the sub-folders that a dataset's training part and its test part may lie in, in lower case."""

_DIGITS = frozenset("0123456789")


@dataclass(frozen=True)
class PictureFolder:
    """What a folder of image files holds.

    Attributes:
        files: n paths relative to the folder, sorted by name: the training part, then the test part.
        training: how many of them are the training part; n where the folder is not split.
        labels: int64 (n,), if all of them lie in sub-folders named by class; else None.
        classes: the classes' names, by label; empty where sub-folders are named by the labels themselves.
        notes: sentences about what was skipped.
    """

    files: tuple[Path, ...]
    training: int
    labels: Labels | None
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def list_folder(folder: Path) -> PictureFolder:
    """List the image files of a folder.

    They lie in the folder itself, and may then lie in its sub-folders 0 to 9 as well; or in sub-folders, each
    named by the class of its images; or in either way in the sub-folders `training` and `testing`, or `train`
    and `test`. Hidden files, other files, other sub-folders, links to folders and links out of the folder are
    skipped.

    Raises:
        InvalidData: there is no image file, there are too many, or the folder cannot be read.
    """
    lister = _Lister(folder)
    try:
        parts = lister.list_parts()
    except OSError as error:
        raise unreadable(folder, "a folder that this worker can read", error) from None
    found = [sorted(part, key=Path.as_posix) for part in parts]
    files = [name for part in found for name in part]
    if not files:
        raise InvalidData(
            shown_path(folder),
            expected="PNG, JPEG, TIFF or WebP files in it or in its sub-folders",
            given="none",
        )
    notes = [_skip_note(reason, names) for reason, names in sorted(lister.skipped.items())]
    labels, classes, label_notes = _labels(files, 1 if len(found) == 1 else 2)
    return PictureFolder(tuple(files), len(found[0]), labels, classes, (*notes, *label_notes))


def _labels(files: Sequence[Path], level: int) -> tuple[Labels | None, tuple[str, ...], list[str]]:
    """The label of each file, the names of the classes, and sentences about labels that were ignored.

    Args:
        files: relative to the folder.
        level: the number of names in the path of a labelled file, but its own.
    """
    named = [name.parts[level - 1] for name in files if len(name.parts) > level]
    if not named or (len(named) == len(files) and len(set(named)) == 1 and not _DIGITS & set(named)):
        return None, (), []
    if len(named) < len(files):
        return None, (), ["Labels were ignored, since some images lie outside the sub-folders 0 to 9."]
    classes = sorted(set(named))
    if all(numbered(name) for name in classes):
        return np.array([int(name) for name in named]), (), []
    if len(classes) > MOST_CLASSES:
        return (
            None,
            (),
            [
                f"The images lie in {len(classes):,} sub-folders; their names were ignored, since at most "
                f"{MOST_CLASSES} classes serve as labels."
            ],
        )
    number_of = {name: number for number, name in enumerate(classes)}
    return np.array([number_of[name] for name in named]), tuple(map(shown_path, classes)), []


class _Lister:
    """Lists one folder, and notes what it skips."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder.resolve()
        self.skipped: dict[str, list[Path]] = {}
        self.seen = 0

    def list_parts(self) -> list[list[Path]]:
        """The names of the image files in each part of the folder; of one that is not split, of all.

        Raises:
            OSError: the folder cannot be read.
            InvalidData: there is too much in it.
        """
        images, folders = self._entries(self.folder)
        parts: dict[int, list[Path]] = {}
        for path in folders:
            if path.name.lower() in PARTS:
                parts.setdefault(PARTS[path.name.lower()], []).append(path)
        # Whoever has a class named `test` has no class named `train`.
        if images or set(parts) != {0, 1} or any(len(paths) > 1 for paths in parts.values()):
            return [self._of_classes(images, folders)]
        chosen = [parts[0][0], parts[1][0]]
        self._skip_folders(path for path in folders if path not in chosen)
        listed = [self._of_classes(*self._entries(path)) for path in chosen]
        return listed if all(listed) else [[*listed[0], *listed[1]]]

    def _of_classes(self, images: list[Path], folders: list[Path]) -> list[Path]:
        """Image files of a folder, and of those of its sub-folders that are named by a class."""
        found = list(images)
        for path in folders:
            if images and path.name not in _DIGITS:
                self._skip_folders([path])
                continue
            of_class, below = self._entries(path)
            found += of_class
            self._skip_folders(below)
        return found

    def _entries(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """The image files and the sub-folders of a folder; what is neither is skipped."""
        images: list[Path] = []
        folders: list[Path] = []
        for path in _scan(self.folder / folder):
            if path.name.startswith("."):
                continue
            name = path.relative_to(self.folder)
            self._count()
            if path.is_symlink() and not is_file_in(path, self.root):
                self._skip("links out of the folder or to folders", name)
            elif path.is_dir():
                folders.append(name)
            elif path.suffix.lower() in PICTURES and path.is_file():
                images.append(name)
            else:
                self._skip("files that are not PNG, JPEG, TIFF or WebP", name)
        return images, sorted(folders)

    def _count(self) -> None:
        self.seen += 1
        if self.seen > MAX_FILES:
            raise InvalidData(
                shown_path(self.folder), expected=f"at most {counted(MAX_FILES, 'image file')}", given="more"
            )

    def _skip(self, reason: str, name: Path) -> None:
        self.skipped.setdefault(reason, []).append(name)

    def _skip_folders(self, folders: Iterator[Path] | Sequence[Path]) -> None:
        for name in folders:
            self._skip("other sub-folders", name)


def _scan(folder: Path) -> Iterator[Path]:
    """What is in a folder, without reading all names at first."""
    with os.scandir(folder) as entries:
        for entry in entries:
            yield folder / entry.name


def is_file_in(link: Path, root: Path) -> bool:
    """Whether a link leads to something else than a folder, within `root`, whose path has no links."""
    try:
        target = link.resolve(strict=True)
        return target.is_relative_to(root) and not target.is_dir()
    except (OSError, RuntimeError):
        return False


def _skip_note(reason: str, names: Sequence[Path]) -> str:
    shown = [shown_path(name) for name in sorted(names)[:3]] + ["…"] * (len(names) > 3)
    return f"Skipped {reason}: {len(names):,} ({', '.join(shown)})."


def unreadable(path: Path, expected: str, error: OSError) -> InvalidData:
    """Return the error for a file or folder that the system does not let us read."""
    reason = (error.strerror or "no reason given").lower()
    return InvalidData(shown_path(path), expected=expected, given=f"one that cannot be read ({reason})")
