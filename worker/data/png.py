"""PNG files that anyone may have sent, as 28 × 28 grey images.

Transparent parts become black, MNIST's background; of 16 bits the upper 8 are kept.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from worker.data.pixels import MAX_PIXELS, SIDE, Labels, Pixels, fit, resize_notes

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 512 * 2**20
"""The most that one file may take on disk: `MAX_PIXELS` of 64 bits that would not compress."""

MAX_FILES = 1_000_000

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DIGITS = frozenset("0123456789")


@dataclass(frozen=True)
class PngFolder:
    """What a folder of PNG holds.

    Attributes:
        files: relative to the folder, sorted by name.
        labels: int64, one for each file, if all of them lie in sub-folders named 0 to 9.
        notes: sentences on what was skipped.
    """

    files: tuple[Path, ...]
    labels: Labels | None
    notes: tuple[str, ...]


def list_folder(folder: Path) -> PngFolder:
    """List the .png files of a folder and of its sub-folders 0 to 9.

    Hidden files, other files, other sub-folders, links to folders and links out of the folder are skipped.

    Raises:
        InvalidData: there is no .png file, there are too many, or the folder cannot be read.
    """
    found: list[Path] = []
    skipped: dict[str, list[Path]] = {}
    try:
        for path, reason in _walk(folder, folder.resolve()):
            name = path.relative_to(folder)
            if reason is None:
                found.append(name)
            else:
                skipped.setdefault(reason, []).append(name)
            if len(found) > MAX_FILES:
                raise InvalidData(f"{shown_path(folder)} holds too many images; allowed: {MAX_FILES:,}")
    except OSError as error:
        raise InvalidData(
            f"{shown_path(folder)} cannot be read ({(error.strerror or 'no reason given').lower()}); "
            "allowed: a folder that this worker may read"
        ) from None
    if not found:
        raise InvalidData(
            f"{shown_path(folder)} holds no .png file; allowed: .png files in it or in its sub-folders 0 to 9"
        )
    found.sort(key=Path.as_posix)
    notes = [_skip_note(reason, names) for reason, names in sorted(skipped.items())]
    labelled = [name for name in found if len(name.parts) == 2]
    if 0 < len(labelled) < len(found):
        notes.append("Some images lie outside the sub-folders 0 to 9, so no labels were used.")
    labels = np.array([int(name.parts[0]) for name in found]) if len(labelled) == len(found) else None
    return PngFolder(tuple(found), labels, tuple(notes))


def read_files(folder: Path, names: Sequence[Path]) -> tuple[Pixels, str, list[str]]:
    """Read .png files of any size, grey, colour, palette or with transparency.

    Returns:
        uint8 (n, 28, 28) in the order of `names`; the SHA-256 of what `sha256sum` would print for
        them; sentences on what was done.

    Raises:
        InvalidData: a file is no PNG, is damaged or absurdly large; the first such is named.
    """
    images = np.empty((len(names), SIDE, SIDE), np.uint8)
    sizes: list[tuple[int, int]] = []
    transparent = 0
    listing = hashlib.sha256()
    for name, pixels in zip(names, images, strict=True):
        content = _content(folder / name)
        listing.update(f"{hashlib.sha256(content).hexdigest()}  {name.as_posix()}\n".encode(errors="replace"))
        image, was_transparent = _decode(folder / name, content)
        pixels[...] = fit(image)
        sizes.append(image.size)
        transparent += was_transparent
    notes = resize_notes(sizes)
    if transparent:
        notes.append(f"Transparent parts became black in {transparent:,} of {len(names):,} images.")
    return images, listing.hexdigest(), notes


def _walk(folder: Path, root: Path, *, digits: bool = True) -> Iterator[tuple[Path, str | None]]:
    """Each visible path, with the reason to skip it, if there is one; sub-folders 0 to 9 if `digits`."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_symlink() and not _is_file_in(path, root):
            yield path, "links out of the folder or to folders"
        elif path.is_dir() and digits and path.name in _DIGITS:
            yield from _walk(path, root, digits=False)
        elif path.is_dir():
            yield path, "other sub-folders"
        elif path.suffix.lower() == ".png" and path.is_file():
            yield path, None
        else:
            yield path, "files that are not PNG"


def _is_file_in(link: Path, root: Path) -> bool:
    try:
        target = link.resolve(strict=True)
        return target.is_relative_to(root) and not target.is_dir()
    except (OSError, RuntimeError):
        return False


def _skip_note(reason: str, names: Sequence[Path]) -> str:
    shown = [shown_path(name) for name in sorted(names)[:3]] + ["…"] * (len(names) > 3)
    return f"Skipped {reason}: {len(names):,} ({', '.join(shown)})."


def _content(path: Path) -> bytes:
    """The bytes of a file that begins like a PNG of a sensible size."""
    try:
        with path.open("rb") as file:
            start = file.read(24)
            if start[:8] != _SIGNATURE or start[12:16] != b"IHDR" or len(start) < 24:
                raise InvalidData(f"{shown_path(path)} is not a PNG file in spite of its name; allowed: PNG")
            width, height = struct.unpack(">II", start[16:])
            if width * height > MAX_PIXELS:
                raise InvalidData(
                    f"{shown_path(path)} has {width:,} × {height:,} pixels, which is absurdly large; "
                    f"allowed: {MAX_PIXELS:,} pixels"
                )
            content = start + file.read(MAX_BYTES)
    except OSError as error:
        raise InvalidData(
            f"{shown_path(path)} cannot be read ({(error.strerror or 'no reason given').lower()}); "
            "allowed: a file that this worker may read"
        ) from None
    if len(content) > MAX_BYTES:
        raise InvalidData(
            f"{shown_path(path)} is absurdly large; allowed: {MAX_BYTES // 2**20:,} MiB in one PNG file"
        )
    return content


def _decode(path: Path, content: bytes) -> tuple["Image", bool]:
    """The picture in grey, and whether a part of it was transparent."""
    from PIL import Image

    try:
        with Image.open(BytesIO(content), formats=("PNG",)) as image:
            image.load()
            if image.mode.startswith("I"):
                levels = np.asarray(image).astype(np.uint16) >> 8
                return Image.fromarray(levels.astype(np.uint8)), False
            if not image.has_transparency_data:
                return image.convert("L"), False
            colours = image.convert("RGBA")
            black = Image.new("RGBA", image.size, (0, 0, 0, 255))
            transparent = colours.getchannel("A").getextrema() != (255, 255)
            return Image.alpha_composite(black, colours).convert("L"), transparent
    # A damaged or hostile file makes Pillow raise nearly anything: OSError, SyntaxError, ValueError, …
    except Exception:
        raise InvalidData(
            f"{shown_path(path)} is a damaged PNG file or was cut off; allowed: whole PNG files"
        ) from None
