"""Writes a drawing as PNG and SVG, and as the image that a page embeds."""

import base64
import io
import re
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Drawing

from jobs.store.atomic_files import whole_file
from worker.report.glyphs import make_drawable
from worker.report.png import png_of
from worker.report.theme import DARK_MODE

LARGEST_EMBEDDED_SVG = 600_000
"""Bytes. A larger one has thousands of points and is slow on a phone, so the page embeds the PNG instead."""

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
    canvas = _laid_out(drawing)
    png, svg = _png(canvas), _svg(drawing)
    _write(folder / f"{name}.png", png)
    _write(folder / f"{name}.svg", svg)
    return _embedded(drawing, svg, png)


def embed_drawing(drawing: Drawing) -> Embedded:
    """The image of a drawing that has no files of its own; call it within `theme.themed()`."""
    canvas = _laid_out(drawing)
    svg = _svg(drawing)
    return _embedded(drawing, svg, _png(canvas) if len(svg) > LARGEST_EMBEDDED_SVG else b"")


def _laid_out(drawing: Drawing) -> FigureCanvasAgg:
    """Place everything once, for both files; `savefig` would do so twice for each, which takes longest."""
    make_drawable(drawing)
    drawing.set_dpi(matplotlib.rcParams["savefig.dpi"])
    canvas = FigureCanvasAgg(drawing)  # remembers the sizes of texts until it draws them
    engine = drawing.get_layout_engine()
    if engine is not None and drawing.axes:
        engine.execute(drawing)
        drawing.set_layout_engine(None)
    return canvas


def _embedded(drawing: Drawing, svg: bytes, png: bytes) -> Embedded:
    width, height = drawing.get_size_inches() * _PIXELS_PER_INCH
    turns_dark = len(svg) <= LARGEST_EMBEDDED_SVG
    kind, content = ("svg+xml", svg) if turns_dark else ("png", png)
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return Embedded(source, round(width), round(height), turns_dark)


def _png(canvas: FigureCanvasAgg) -> bytes:
    canvas.draw()  # type: ignore[no-untyped-call]
    return png_of(np.asarray(canvas.buffer_rgba()), canvas.figure.dpi)  # type: ignore[no-untyped-call]


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
