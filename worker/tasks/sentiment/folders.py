"""Reads reviews from folders: pos/ and neg/ with a text file for each review, perhaps in train/ and test/.

Ours, because Keras' `text_dataset_from_directory` follows links to files, reads files of any size and
needs TensorFlow. Only regular files directly in these folders are read; links are not followed, so nothing
outside is read. A file is UTF-8, or else Windows-1252, in which some of the raw IMDB reviews are written.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import counted
from worker.tasks.sentiment.reviews import LONGEST_REVIEW, Note, Review, unreadable

CLASSES = (("neg", 0), ("pos", 1))


def fingerprint(root: Path) -> str:
    """A SHA-256 that changes with the name or the content of any file that `read_folder` would read.

    Raises:
        InvalidData: a folder is missing, or a file is too large or cannot be read.
    """
    digest = hashlib.sha256()
    for path, _, _ in _files(root):
        content = hashlib.sha256(_content(path)).hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def read_folder(root: Path, note: Note) -> Iterator[Review]:
    """Yield every review in the order of parts, classes and file names.

    Args:
        root: holds pos/ and neg/, or train/ and perhaps test/ that do.
        note: gets a sentence on files that were skipped or are not UTF-8.

    Raises:
        InvalidData: a folder is missing, or a file is too large or cannot be read.
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
        files = counted(others, "file is", "files are")
        note(f"{shown_path(root.name)}: {files} not UTF-8; read as Windows-1252.")
    if empty:
        note(f"{shown_path(root.name)}: skipped {counted(empty, 'review')} without text.")


def decoded(content: bytes) -> tuple[str, bool]:
    """The text of one review's file, and whether it is UTF-8; anything else is read as Windows-1252."""
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
        raise InvalidData(
            shown_path(folder.parent), expected="folders pos/ and neg/", given=f"no folder {folder.name}/"
        )
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name
                for entry in entries
                if entry.name.lower().endswith(".txt") and entry.is_file(follow_symlinks=False)
            ]
    except OSError as error:
        raise unreadable(folder, error, "a readable folder") from None
    if not names:
        raise InvalidData(shown_path(folder), expected="a .txt file for each review", given="none")
    return [folder / name for name in sorted(names)]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LONGEST_REVIEW + 1)
    except OSError as error:
        raise unreadable(path, error) from None
    if len(content) > LONGEST_REVIEW:
        raise InvalidData(
            shown_path(path), expected=f"a review of at most {LONGEST_REVIEW:,} bytes", given="a larger file"
        )
    return content
