"""PNG files that anyone may have sent, as 28 × 28 grey images.

Transparent parts become black, the background of handwritten digits; of 16 bits the upper 8 are kept.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from jobs.wording import counted
from worker.images.pixels import (
    MAX_PIXELS,
    SIDE,
    Labels,
    Pixels,
    resize_notes,
    scaled_to_fit,
    too_many_pixels,
)

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_BYTES = 512 * 2**20
"""The most that one file may take on disk: `MAX_PIXELS` of 64 bits that would not compress."""

MAX_FILES = 1_000_000

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DIGITS = frozenset("0123456789")


@dataclass(frozen=True)
class PngFolder:
    """What a folder of PNG files holds.

    Attributes:
        files: n paths relative to the folder, sorted by name.
        labels: int64 (n,), if all of them lie in sub-folders named 0 to 9; else None.
        notes: sentences about what was skipped.
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
    found, skipped = _sorted_out(folder)
    if not found:
        raise InvalidData(
            shown_path(folder), expected=".png files in it or in its sub-folders 0 to 9", given="none"
        )
    found.sort(key=Path.as_posix)
    notes = [_skip_note(reason, names) for reason, names in sorted(skipped.items())]
    labelled = [name for name in found if len(name.parts) == 2]
    if 0 < len(labelled) < len(found):
        notes.append("Labels were ignored, since some images lie outside the sub-folders 0 to 9.")
    labels = np.array([int(name.parts[0]) for name in found]) if len(labelled) == len(found) else None
    return PngFolder(tuple(found), labels, tuple(notes))


def read_files(folder: Path, names: Sequence[Path]) -> tuple[Pixels, str, list[str]]:
    """Read .png files of any size, grey, colour, palette or with transparency.

    Args:
        folder: where they are.
        names: n paths relative to it.

    Returns:
        uint8 (n, 28, 28) in the order of `names`; the SHA-256 of what `sha256sum` would print for
        them; sentences about what was done.

    Raises:
        InvalidData: a file is not a PNG file, is damaged or too large; the first such file is named.
    """
    images = np.empty((len(names), SIDE, SIDE), np.uint8)
    sizes: list[tuple[int, int]] = []
    transparent = 0
    listing = hashlib.sha256()
    for name, pixels in zip(names, images, strict=True):
        content = _content(folder / name)
        listing.update(f"{hashlib.sha256(content).hexdigest()}  {name.as_posix()}\n".encode(errors="replace"))
        image, was_transparent = _decode(folder / name, content)
        pixels[...] = scaled_to_fit(image)
        sizes.append(image.size)
        transparent += was_transparent
    notes = resize_notes(sizes)
    if transparent:
        notes.append(f"Transparent parts became black in {transparent:,} of {counted(len(names), 'image')}.")
    return images, listing.hexdigest(), notes


def _sorted_out(folder: Path) -> tuple[list[Path], dict[str, list[Path]]]:
    """The names of .png files, and of what was skipped by the reason for it."""
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
                raise InvalidData(
                    shown_path(folder), expected=f"at most {counted(MAX_FILES, '.png file')}", given="more"
                )
    except OSError as error:
        raise _unreadable(folder, "a folder that this worker can read", error) from None
    return found, skipped


def _walk(folder: Path, root: Path, *, sub_folders: bool = True) -> Iterator[tuple[Path, str | None]]:
    """Each path that is not hidden, with the reason to skip it, if there is one."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_symlink() and not _is_file_in(path, root):
            yield path, "links out of the folder or to folders"
        elif path.is_dir() and sub_folders and path.name in _DIGITS:
            yield from _walk(path, root, sub_folders=False)
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


def _unreadable(path: Path, expected: str, error: OSError) -> InvalidData:
    reason = (error.strerror or "no reason given").lower()
    return InvalidData(shown_path(path), expected=expected, given=f"one that cannot be read ({reason})")


def _content(path: Path) -> bytes:
    """The bytes of a file that begins like a PNG file, `MAX_BYTES` at most."""
    try:
        with path.open("rb") as file:
            content = file.read(len(_SIGNATURE))
            if content != _SIGNATURE:
                raise InvalidData(
                    shown_path(path), expected="a PNG file", given="a file of another format with that suffix"
                )
            content += file.read(MAX_BYTES)
    except OSError as error:
        raise _unreadable(path, "a file that this worker can read", error) from None
    if len(content) > MAX_BYTES:
        raise InvalidData(
            shown_path(path), expected=f"at most {MAX_BYTES // 2**20:,} MiB in a PNG file", given="more"
        )
    return content


def _decode(path: Path, content: bytes) -> tuple["Image", bool]:
    """The picture in grey, and whether a part of it was transparent; no pixel of a bomb is decoded."""
    from PIL import Image
    from PIL.PngImagePlugin import PngImageFile

    try:
        # Image.open would do the same behind a pixel limit that is above ours, and at first only warns.
        with PngImageFile(BytesIO(content)) as image:
            width, height = image.size  # of the header: pixels are decoded by load()
            if width * height > MAX_PIXELS:
                raise too_many_pixels(shown_path(path), width, height)
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
    except InvalidData:
        raise
    # A damaged or hostile file makes Pillow raise nearly anything: OSError, SyntaxError, ValueError, …
    except Exception:
        raise InvalidData(
            shown_path(path), expected="an intact PNG file", given="one that is damaged or was cut off"
        ) from None
