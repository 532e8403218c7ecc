"""Reads reviews from folders: pos/ and neg/ with a text file for each review, perhaps in train/ and test/.

Ours, because Keras' `text_dataset_from_directory` follows links to files, reads files of any size and
needs TensorFlow. Only regular files directly in these folders are read; links are not followed, so nothing
outside is read. A file is UTF-8, or else Windows-1252, in which some of the raw IMDB reviews are written.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.regular_files import NotRegular, read_regular
from jobs.wording import counted
from worker.tasks.sentiment.file_options import FileOptions
from worker.tasks.sentiment.reviews import LONGEST_REVIEW, Note, Review, unreadable

CLASSES = (("neg", 0), ("pos", 1))

MOST_ENTRIES = 2_000_000
"""Of one folder, whose names are sorted in memory."""


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


def read_folder(
    root: Path, note: Note, group_of: Callable[[str, int], int | None] = lambda *_: None
) -> Iterator[Review]:
    """Yield every review in the order of parts, classes and file names.

    Args:
        root: holds pos/ and neg/, or train/ and perhaps test/ that do.
        note: gets a sentence on files that were skipped or are not UTF-8.
        group_of: a training review's group, of its file's name and its label.

    Raises:
        InvalidData: a folder is missing, or a file is too large or cannot be read.
    """
    others = empty = 0
    for path, label, test in _files(root):
        text, is_utf_8 = decoded(_content(path))
        others += not is_utf_8
        if text.strip():
            yield Review(text, label, test, None if test else group_of(path.name, label))
        else:
            empty += 1
    if others:
        files = counted(others, "file is", "files are")
        note(f"{shown_path(root.name)}: {files} not UTF-8; read as Windows-1252.")
    if empty:
        note(f"{shown_path(root.name)}: skipped {counted(empty, 'review')} without text.")


def read_beginning(root: Path, most: int) -> Iterator[Review]:
    """Yield some reviews of each folder, those without text as well, to check it in little time.

    Args:
        root: as for `read_folder`.
        most: files of each folder that are looked at.

    Raises:
        InvalidData: as `read_folder` does.
    """
    for path, label, test in _files(root, most):
        text, _ = decoded(_content(path))
        yield Review(text, label, test)


def refuse_columns(root: Path, options: FileOptions) -> None:
    """Refuse options that say which columns and labels a file has.

    Raises:
        InvalidData: there is one.
    """
    for name in ("text_column", "label_column", "positive", "negative"):
        if getattr(options, name):
            raise InvalidData(
                name, expected="a file with columns", given=f"{shown_path(root)}, a folder with pos/ and neg/"
            )


def decoded(content: bytes) -> tuple[str, bool]:
    """The text of one review's file, and whether it is UTF-8; anything else is read as Windows-1252."""
    try:
        return content.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace"), False


def _files(root: Path, most: int | None = None) -> Iterator[tuple[Path, int, bool]]:
    """Path and label of every review's file, and whether it is for testing; of each folder `most` at most."""
    parts = [(root / "train", False)] if _is_folder(root / "train") else [(root, False)]
    if _is_folder(root / "train") and _is_folder(root / "test"):
        parts.append((root / "test", True))
    for folder, test in parts:
        for name, label in CLASSES:
            for path in _text_files(folder / name, most):
                yield path, label, test


def _text_files(folder: Path, most: int | None) -> list[Path]:
    if not _is_folder(folder):
        raise InvalidData(
            shown_path(folder.parent), expected="folders pos/ and neg/", given=f"no folder {folder.name}/"
        )
    try:
        with os.scandir(folder) as entries:
            files = (
                entry.name
                for entry in islice(entries, MOST_ENTRIES)
                if entry.name.lower().endswith(".txt") and entry.is_file(follow_symlinks=False)
            )
            names = list(islice(files, most))
            if most is None and next(entries, None) is not None:
                raise InvalidData(
                    shown_path(folder), expected=f"at most {MOST_ENTRIES:,} files", given="more"
                )
    except OSError as error:
        raise unreadable(folder, error, "a readable folder") from None
    if not names:
        raise InvalidData(shown_path(folder), expected="a .txt file for each review", given="none")
    return [folder / name for name in sorted(names)]


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _content(path: Path) -> bytes:
    try:
        return read_regular(path, LONGEST_REVIEW)
    except NotRegular as error:
        if error.errno != errno.EFBIG:
            raise unreadable(path, error) from None
    except OSError as error:
        raise unreadable(path, error) from None
    raise InvalidData(
        shown_path(path), expected=f"a review of at most {LONGEST_REVIEW:,} bytes", given="a larger file"
    )
