"""Writes a drawing as files (PNG, SVG, thumbnail) and as what a page embeds."""

import base64
import io
import re
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure as Drawing
from PIL import Image

from jobs.files import whole_file
from worker.report.style import IN_THE_DARK

LARGEST_EMBEDDED_SVG = 600_000
"""Bytes. A larger one has many thousand points, slow on a phone: then the page embeds the PNG."""

THUMBNAIL = "thumbnail.png"
_THUMBNAIL_BOX = (320, 240)
_WIDEST, _NARROWEST = 2.6, 0.9
_PIXELS_PER_INCH = 96  # of CSS

# XML has no place for these, not even in a comment, and matplotlib writes each text as a comment.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Embedded:
    """An image as a data URI, its size in CSS pixels, and whether it turns dark with the page."""

    source: str
    width: int
    height: int
    turns_dark: bool


def write_drawing(drawing: Drawing, folder: Path, name: str) -> Embedded:
    """Write `<name>.png` and `<name>.svg` into `folder`; to be called within `style.look()`."""
    png, svg = _png(drawing), _svg(drawing)
    _write(folder / f"{name}.png", png)
    _write(folder / f"{name}.svg", svg)
    width, height = drawing.get_size_inches() * _PIXELS_PER_INCH
    turns_dark = len(svg) <= LARGEST_EMBEDDED_SVG
    kind, content = ("svg+xml", svg) if turns_dark else ("png", png)
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return Embedded(source, round(width), round(height), turns_dark)


def write_thumbnail(folder: Path, name: str) -> None:
    """Write `thumbnail.png` beside `<name>.png`, a small copy of it for lists.

    Of a long strip it shows the beginning: small, the whole could not be made out.
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
    return text.replace("</svg>", f"{_dark_twin()}</svg>").encode()


def _dark_twin() -> str:
    """A style sheet that swaps the colours of `style` in the dark; viewers without media queries skip it."""
    rules = "".join(
        f'[style*="{attribute}: {light}"]{{{attribute}:{dark} !important}}'
        for light, dark in IN_THE_DARK.items()
        for attribute in ("fill", "stroke")
    )
    return f"<style>@media screen and (prefers-color-scheme:dark){{{rules}}}</style>"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    with whole_file(path, durable=False) as file:
        file.write(content)
