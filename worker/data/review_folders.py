"""Reads reviews from folders: pos/ and neg/ with a text file a review, in train/ and test/ or not.

Only regular files directly in these folders are read; links are not followed, so nothing outside
is. A file is UTF-8, or else Windows-1252, which has been the way of the raw IMDB reviews as well.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from worker.data.reviews import LONGEST_REVIEW, Note, Review, counted

CLASSES = (("neg", 0), ("pos", 1))


def fingerprint(root: Path) -> str:
    """A SHA-256 that changes with the name or the content of any file that `read_folder` would read.

    Raises:
        InvalidData: a folder that is needed is missing, or something cannot be read.
    """
    digest = hashlib.sha256()
    for path, _, _ in _files(root):
        content = hashlib.sha256(_content(path)).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def read_folder(root: Path, note: Note) -> Iterator[Review]:
    """Yield every review in the order of parts, classes and file names.

    Raises:
        InvalidData: a folder that is needed is missing, or a file is too large or cannot be read.
    """
    others = empty = 0
    for path, label, test in _files(root):
        text, is_utf_8 = decoded(_content(path))
        others += not is_utf_8
        if text.strip():
            yield Review(text, label, test)
        else:
            empty += 1
    if others:
        files = counted(others, "file", "files")
        note(f"{files} in {shown_path(root.name)} not being UTF-8, Windows-1252 was assumed")
    if empty:
        note(f"{shown_path(root.name)}: {counted(empty, 'review', 'reviews')} without text left out")


def decoded(content: bytes) -> tuple[str, bool]:
    """The text of one review's file, and whether it was UTF-8; without one, Windows-1252 is assumed."""
    try:
        return content.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), False


def _files(root: Path) -> Iterator[tuple[Path, int, bool]]:
    """Path and label of every review's file, and whether it is for testing."""
    parts = [(root / "train", False)] if _is_folder(root / "train") else [(root, False)]
    if _is_folder(root / "train") and _is_folder(root / "test"):
        parts.append((root / "test", True))
    for folder, test in parts:
        for name, label in CLASSES:
            for path in _text_files(folder / name):
                yield path, label, test


def _text_files(folder: Path) -> list[Path]:
    if not _is_folder(folder):
        raise InvalidData(f"{shown_path(folder.parent)} has no folder {folder.name}/; it needs pos/ and neg/")
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name
                for entry in entries
                if entry.name.lower().endswith(".txt") and entry.is_file(follow_symlinks=False)
            ]
    except OSError as error:
        raise InvalidData(f"{shown_path(folder)} cannot be read ({error.strerror})") from None
    if not names:
        raise InvalidData(f"{shown_path(folder)} holds no .txt file; each review is one")
    return [folder / name for name in sorted(names)]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_REVIEW + 1)
    except OSError as error:
        raise InvalidData(f"{shown_path(path)} cannot be read ({error.strerror})") from None
    if len(content) > LONGEST_REVIEW:
        raise InvalidData(f"{shown_path(path)} is larger than {LONGEST_REVIEW:,} bytes; it is no review")
    return content
