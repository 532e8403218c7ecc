"""A job's pictures as a notebook shows them: PNG files of bounded size, within the page itself."""

import base64
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from jobs.notebook.markup import escaped
from jobs.store.regular_files import read_regular

FOLDER, THUMBNAIL = "figures", "thumbnail.png"

MOST_THUMBNAIL_BYTES = 2**18
MOST_THUMBNAIL_PIXELS = 2**20
MOST_FIGURE_BYTES = 2**22
MOST_FIGURE_PIXELS = 2**26
"""A PNG of a few bytes may claim to have any number of pixels, which a browser makes room for."""

MOST_SHOWN = 12
"""Figures that are shown at once; the paths of the others are."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">8s4x4sII")


@dataclass(frozen=True)
class Figure:
    """One figure of a job; a notebook shows it.

    Attributes:
        path: of its PNG file; the SVG lies beside it.
    """

    path: Path

    @property
    def name(self) -> str:
        """Of the file, without its suffix."""
        return self.path.stem

    def _repr_png_(self) -> bytes | None:
        return read_png(self.path, MOST_FIGURE_BYTES, MOST_FIGURE_PIXELS)


class Figures(Sequence[Figure]):
    """The figures of a job by name, in alphabetical order; a notebook shows them all."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        """Figures of one job."""
        self._figures = tuple(figures)

    def __repr__(self) -> str:
        return f"<Figures: {', '.join(each.name for each in self)}>" if self else "<Figures: none>"

    def __len__(self) -> int:
        return len(self._figures)

    @overload
    def __getitem__(self, wanted: int | str) -> Figure: ...
    @overload
    def __getitem__(self, wanted: slice) -> "Figures": ...
    def __getitem__(self, wanted: int | str | slice) -> "Figure | Figures":
        """A figure by its number or its name; some of them by a slice.

        Raises:
            LookupError: there is none.
        """
        if isinstance(wanted, slice):
            return Figures(self._figures[wanted])
        if isinstance(wanted, str):
            found = {each.name: each for each in self}
            if wanted not in found:
                raise KeyError(f"{wanted}; there are {', '.join(found) or 'none'}")
            return found[wanted]
        return self._figures[wanted]

    def _repr_html_(self) -> str:
        shown = "".join(map(_shown, self._figures[:MOST_SHOWN]))
        others = ", ".join(escaped(each.path) for each in self._figures[MOST_SHOWN:])
        return (shown + (f"<div>{others}</div>" if others else "")) or "no figures"


def figures_in(folder: Path) -> Figures:
    """The figures in a job's folder."""
    return Figures([Figure(path) for path in _pngs(folder) if path.name != THUMBNAIL])


def thumbnail(folder: Path) -> str | None:
    """A job's small picture, to stand in an attribute `src`; None where it has none that is one."""
    if (folder / FOLDER).is_symlink():
        return None
    content = read_png(folder / FOLDER / THUMBNAIL, MOST_THUMBNAIL_BYTES, MOST_THUMBNAIL_PIXELS)
    return None if content is None else _address(content)


def read_png(path: Path, most_bytes: int, most_pixels: int) -> bytes | None:
    """A PNG file; None where there is none, or where it is larger than that."""
    try:
        content = read_regular(path, most_bytes)
        signature, kind, width, height = _HEADER.unpack_from(content)
    except (OSError, struct.error):
        return None
    is_png = signature == _SIGNATURE and kind == b"IHDR" and 0 < width * height <= most_pixels
    return content if is_png else None


def _pngs(folder: Path) -> Iterator[Path]:
    place = folder / FOLDER
    try:
        if not place.is_symlink():
            yield from sorted(place.glob("*.png"))
    except OSError:
        return


def _shown(figure: Figure) -> str:
    content = figure._repr_png_()
    if content is None:
        return f"<div>{escaped(figure.path)} is not shown</div>"
    style = "max-width: 100%; height: auto; max-height: 520px; display: block; margin: 6px 0"
    return f'<img src="{_address(content)}" alt="{escaped(figure.name)}" style="{style}">'


def _address(content: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"
