"""Image files that anyone may have sent, as 28 × 28 grey images."""

import errno
import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.store.regular_files import NotRegular, open_regular
from jobs.wording import counted
from worker.datasets.file_formats import LONGEST_BEGINNING, format_of
from worker.images.picture import FORMAT_WHITES, LONGEST_SIGNATURE, decode, picture_format
from worker.images.picture_folder import unreadable
from worker.images.pixels import SIDE, Pixels, Scaled, scaled_to_fit
from worker.images.value_ranges import deep_note, integer_range

MAX_BYTES = 512 * 2**20
"""The most that one file may take on disk: `MAX_PIXELS` of 64 bits that would not compress."""

NAMED_OTHERS = 2
CHECKED_FOR_OTHERS = 100
"""Files after the first one that cannot be read: in a fraction of a second."""

NAMED_SKIPPED = 5
"""Files that were skipped, in a note."""

SKIP_HINT = "--on-bad-row skip leaves out what cannot be read"


class ReadFiles(NamedTuple):
    """What was read of some files.

    Attributes:
        images: uint8 (n, 28, 28) in the order of the files.
        read: int64 (n,), the places of the files that they were read from among those given.
        sha256: of what `sha256sum` would print for these files.
        notes: sentences about what was done.
    """

    images: Pixels
    read: NDArray[np.int64]
    sha256: str
    notes: list[str]


def read_files(folder: Path, names: Sequence[Path], *, skip: bool = False) -> ReadFiles:
    """Read image files of any size and depth, grey, colour, palette or with transparency.

    Transparent parts become black or white, whichever what is visible stands out of. Where all files of 8 or
    of 16 bits hold smaller numbers than these have room for, the range that they use is read as black to
    white.

    Args:
        folder: where they are.
        names: n paths relative to it.
        skip: whether files that cannot be read are left out.

    Raises:
        InvalidData: a file, or each of them where they are left out, is not an image file, is damaged or too
            large; the first few such files are named.
    """
    found = _read(folder, names, FORMAT_WHITES, skip)
    whites = {
        bits: integer_range(found.largest[bits], most=white) if found.files[bits] else white
        for bits, white in FORMAT_WHITES.items()
    }
    bad, read = found.bad, found.read
    if whites != FORMAT_WHITES:
        found = _read(folder, [names[place] for place in read], whites, skip=False)
    notes = [
        deep_note(found.files[bits], len(read), bits, found.largest[bits], white)
        for bits, white in whites.items()
        if white < FORMAT_WHITES[bits]
    ]
    return ReadFiles(
        found.images,
        np.array(read, np.int64),
        found.listing.hexdigest(),
        [*skip_notes(bad, len(names)), *found.scaled.notes(), *notes, *found.notes()],
    )


def skip_notes(bad: Sequence[tuple[Path, str]], total: int) -> list[str]:
    """A sentence about files that were left out, if there are any.

    Args:
        bad: each of them, with what is wrong with it.
        total: files, with them.
    """
    if not bad:
        return []
    shown = [f"{shown_path(name)}, {given}" for name, given in bad[:NAMED_SKIPPED]]
    return [
        f"Skipped {len(bad):,} of {counted(total, 'image file')}, which cannot be read: {'; '.join(shown)}"
        f"{'; …' if len(bad) > NAMED_SKIPPED else ''}."
    ]


def with_others(first: InvalidData, following: Iterable[Path]) -> InvalidData:
    """The error of a file of a folder, with the names of others that cannot be read either, and the way out.

    Args:
        first: the error of the first such file.
        following: the files after it; the next `CHECKED_FOR_OTHERS` are checked.
    """
    others: list[str] = []
    for path in islice(following, CHECKED_FOR_OTHERS):
        try:
            check_file(path)
        except InvalidData:
            others.append(shown_path(path.name))
        if len(others) > NAMED_OTHERS:
            others[NAMED_OTHERS:] = ["…"]
            break
    hints = [*([f"not usable either: {', '.join(others)}"] if others else []), first.hint or "", SKIP_HINT]
    return InvalidData(
        first.field, expected=first.expected, given=first.given, hint="; ".join(filter(None, hints))
    )


def check_file(path: Path) -> int:
    """Check that a file is an intact image file, by decoding it.

    Returns:
        How many pixels it has.

    Raises:
        InvalidData: as `read_files` does.
    """
    width, height = decode(path, content_of(path), FORMAT_WHITES).grey.size
    return width * height


@dataclass
class _Read:
    """What was read of some files so far."""

    images: Pixels
    read: list[int] = field(default_factory=list)
    bad: list[tuple[Path, str]] = field(default_factory=list)
    scaled: Scaled = field(default_factory=Scaled)
    listing: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    files: dict[int, int] = field(default_factory=lambda: dict.fromkeys(FORMAT_WHITES, 0))
    largest: dict[int, int] = field(default_factory=lambda: dict.fromkeys(FORMAT_WHITES, 0))
    grounds: dict[int, int] = field(default_factory=lambda: {0: 0, 255: 0})
    turned: int = 0
    more: int = 0

    def notes(self) -> list[str]:
        """Sentences about transparent parts, pictures that lay on a side, and files of several pictures."""
        return [
            *(
                f"Transparent parts became {name}{self._in(count)}, so that what is visible stands out."
                for name, count in (("white", self.grounds[255]), ("black", self.grounds[0]))
                if count
            ),
            *(
                [f"Images were turned upright, as their cameras say{self._in(self.turned)}."]
                if self.turned
                else []
            ),
            *(
                [f"Of files with several pictures, the first was used{self._in(self.more)}."]
                if self.more
                else []
            ),
        ]

    def _in(self, count: int) -> str:
        total = len(self.images)
        return f" in {count:,} of {total:,} images" if count < total else ""


def _read(folder: Path, names: Sequence[Path], whites: dict[int, int], skip: bool) -> _Read:
    read = _Read(np.empty((len(names), SIDE, SIDE), np.uint8))
    first: InvalidData | None = None
    for index, name in enumerate(names):
        try:
            content = content_of(folder / name)
            picture = decode(folder / name, content, whites)
        except InvalidData as error:
            first = first or error
            if not skip:
                following = (folder / other for other in names[index + 1 :])
                raise (with_others(error, following) if len(names) > 1 else error) from None
            read.bad.append((name, error.given))
            continue
        read.listing.update(
            f"{hashlib.sha256(content).hexdigest()}  {name.as_posix()}\n".encode(errors="replace")
        )
        read.images[len(read.read)] = scaled_to_fit(picture.grey, read.scaled, picture.ground)
        read.read.append(index)
        read.files[picture.bits] += 1
        read.largest[picture.bits] = max(read.largest[picture.bits], picture.largest)
        read.turned += picture.turned
        read.more += picture.more
        if picture.ground is not None:
            read.grounds[picture.ground] += 1
    if first is not None and not read.read:
        raise first
    read.images = read.images[: len(read.read)]
    return read


def content_of(path: Path) -> bytes:
    """The bytes of a file that begins like an image file, `MAX_BYTES` at most."""
    try:
        # A link may lead to another file of the folder.
        with open_regular(path, MAX_BYTES, follow=True) as file:
            content = file.read(LONGEST_SIGNATURE)
            if picture_format(content) is None:
                raise InvalidData(
                    shown_path(path),
                    expected="a PNG, JPEG, TIFF or WebP file",
                    given=format_of(content + file.read(LONGEST_BEGINNING))
                    or ("a file of another format with that suffix" if content else "an empty file"),
                )
            content += file.read(os.fstat(file.fileno()).st_size)  # no more: `read` takes its memory at first
    except NotRegular as error:
        if error.errno != errno.EFBIG:
            raise unreadable(path, "a file that this worker can read", error) from None
        raise InvalidData(
            shown_path(path), expected=f"at most {MAX_BYTES // 2**20:,} MiB in an image file", given="more"
        ) from None
    except OSError as error:
        raise unreadable(path, "a file that this worker can read", error) from None
    return content
