"""What describes a dataset, and the forms in which a person may give their own data.

Names and types only, so that `quartet submit` can refuse a wrong `--data` before anything is queued. Each
wing's `spec.py` declares the datasets that its model reads; the wing's readers open the files.
"""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Original:
    """A file as its publisher offers it.

    Attributes:
        file: its path in the data folder.
        url: where it is downloaded from.
        size: in bytes.
        sha256: in hexadecimal digits.
    """

    file: str
    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """One dataset that `--data` may name.

    Attributes:
        name: how `--data` names it.
        kind: what it holds, in a word, as in `Parameters.data_kind`.
        title: what it is, for `quartet data` and the report.
        origin: where it comes from.
        licence: its licence, or what its makers ask for.
        layouts: the files it may consist of in the data folder, the preferred layout first. All names of a
            layout must exist, and the first is the one to open; a folder's name ends in `/`.
        originals: files with a known checksum; the first is downloaded, with the others of its layout.
        classes: what its labels stand for, by label; empty where they speak for themselves.
    """

    name: str
    kind: str
    title: str
    origin: str
    licence: str
    layouts: tuple[tuple[str, ...], ...] = ()
    originals: tuple[Original, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def offline(self) -> bool:
        """Whether it is generated and needs neither a file nor a network."""
        return not self.layouts

    @property
    def downloads(self) -> tuple[Original, ...]:
        """The files that are downloaded."""
        if not self.originals:
            return ()
        first = self.originals[0]
        layout = next((layout for layout in self.layouts if first.file in layout), (first.file,))
        return tuple(original for original in self.originals if original.file in layout)

    def pinned(self, file: str) -> str | None:
        """The SHA-256 of the publisher's file of this name; None where it is not known."""
        return next((original.sha256 for original in self.originals if original.file == file), None)

    def find(self, data_dir: Path) -> Path | None:
        """Its file or folder in the data folder; None if it is not there, or if the dataset is generated.

        Only names and types are checked.
        """
        for layout in self.layouts:
            if all(is_there(data_dir / part, folder=part.endswith("/")) for part in layout):
                return data_dir / layout[0]
        return None


@dataclass(frozen=True)
class Form:
    """One form in which data may be given by path: a file with one of some suffixes, or a folder.

    Attributes:
        words: what it is, with its article: `an .npz file`, `a folder of image files`.
        suffixes: of a file, in lower case; empty for a folder.
        holds: whether a folder has this form; it checks names alone. Without it, any folder does.
        content: what such a folder holds, for messages: `pos/ and neg/`.
    """

    words: str
    suffixes: tuple[str, ...] = ()
    holds: Callable[[Path], bool] | None = None
    content: str = ""

    @property
    def folder(self) -> bool:
        """Whether it is a folder."""
        return not self.suffixes


def is_there(path: Path, *, folder: bool) -> bool:
    """Whether a path leads to a folder, or else to a regular file."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)


def shown_path(path: str | Path) -> str:
    """A path for a message: escaped if it is not printable, clipped to 300 characters."""
    text = str(path)
    if not text.isprintable():
        text = ascii(text)
    return text if len(text) <= 300 else f"{text[:200]}…{text[-99:]}"
