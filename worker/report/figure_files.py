"""Writes a drawing as PNG, SVG and thumbnail, and as the image that a page embeds."""

import base64
import io
import re
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure as Drawing
from PIL import Image

from jobs.store.atomic_files import whole_file
from worker.report.theme import DARK_MODE

LARGEST_EMBEDDED_SVG = 600_000
"""Bytes. A larger one has thousands of points and is slow on a phone, so the page embeds the PNG instead."""

THUMBNAIL = "thumbnail.png"
_THUMBNAIL_BOX = (320, 240)
_WIDEST, _NARROWEST = 2.6, 0.9
_PIXELS_PER_INCH = 96  # of CSS

# XML does not allow these even in a comment, and matplotlib repeats each text in a comment.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Embedded:
    """An image as a data URI, its size in CSS pixels, and whether it follows the page into dark mode."""

    source: str
    width: int
    height: int
    turns_dark: bool


def write_drawing(drawing: Drawing, folder: Path, name: str) -> Embedded:
    """Write `<name>.png` and `<name>.svg`; call it within `theme.themed()`.

    Args:
        drawing: what to write; its size in inches sets the image's size in CSS pixels, 96 to the inch.
        folder: for both files; it is created if need be.
        name: of both files, without a suffix.

    Returns:
        The image to embed: the SVG, or the PNG where the SVG is larger than `LARGEST_EMBEDDED_SVG`.

    Raises:
        OSError: the folder cannot be written.
    """
    png, svg = _png(drawing), _svg(drawing)
    _write(folder / f"{name}.png", png)
    _write(folder / f"{name}.svg", svg)
    width, height = drawing.get_size_inches() * _PIXELS_PER_INCH
    turns_dark = len(svg) <= LARGEST_EMBEDDED_SVG
    kind, content = ("svg+xml", svg) if turns_dark else ("png", png)
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return Embedded(source, round(width), round(height), turns_dark)


def write_thumbnail(folder: Path, name: str) -> None:
    """Write `thumbnail.png` beside `<name>.png`, a small copy for lists.

    A long strip is cropped to its beginning, since the whole would be illegible at this size.

    Args:
        folder: with the figures.
        name: of the figure, without a suffix.

    Raises:
        OSError: the figure is missing, or the folder cannot be written.
    """
    with Image.open(folder / f"{name}.png") as image:
        small = image.convert("RGB")
    width, height = small.size
    if width > _WIDEST * height:
        width = height * 4 // 3
    elif width < _NARROWEST * height:
        height = width * 3 // 4
    small = small.crop((0, 0, width, height))
    small.thumbnail(_THUMBNAIL_BOX)
    content = io.BytesIO()
    small.save(content, "png", optimize=True)
    _write(folder / THUMBNAIL, content.getvalue())


def _png(drawing: Drawing) -> bytes:
    content = io.BytesIO()
    drawing.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def _svg(drawing: Drawing) -> bytes:
    content = io.StringIO()
    drawing.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    text = _NOT_XML.sub("\ufffd", content.getvalue())
    return text.replace("</svg>", f"{_dark_mode()}</svg>").encode()


def _dark_mode() -> str:
    """A style sheet that swaps the colours of `theme` in dark mode; other viewers ignore it."""
    rules = "".join(
        f'[style*="{attribute}: {light}"]{{{attribute}:{dark} !important}}'
        for light, dark in DARK_MODE.items()
        for attribute in ("fill", "stroke")
    )
    return f"<style>@media screen and (prefers-color-scheme:dark){{{rules}}}</style>"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    with whole_file(path, durable=False) as file:
        file.write(content)
