"""Drawings of images: in named rows, in reading order, and of weights."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Drawing
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from numpy.typing import NDArray

from worker.images.pixels import SIDE, Pixels
from worker.report.theme import INK, MUTED, new_drawing

GAP = 2
BLOCK_GAP = 8
CAPTION_HEIGHT = 8
"""All in pixels of the images."""

WIDTH = 5.6
"""Inches, at most: letters must stay readable where a phone shrinks the drawing."""

WIDEST_IMAGE = 1.1
MARGIN = 0.06
NAME_GAP = 0.1
SCALE_HEIGHT = 0.72
"""Inches."""


def named_rows(rows: Mapping[str, Pixels], columns: int = 5, captions: Sequence[str] = ()) -> Drawing:
    """Draw images in named rows, one below the other, so that a column shows one image.

    Images that do not fit are drawn in further blocks of rows.

    Args:
        rows: name -> uint8 (n, 28, 28).
        columns: at most in one block.
        captions: up to n texts, each below its column.
    """
    count = len(next(iter(rows.values())))
    pitch, caption_height = SIDE + GAP, CAPTION_HEIGHT if captions else 0
    block_height = len(rows) * pitch - GAP + caption_height + BLOCK_GAP
    blocks, columns = -(-count // columns), min(columns, count)
    canvas = np.zeros((blocks * block_height - BLOCK_GAP, columns * pitch - GAP, 4), np.uint8)
    drawing, axes = _axes_for(canvas, names=rows)
    for block in range(blocks):
        for row, (name, images) in enumerate(rows.items()):
            top = block * block_height + row * pitch
            _row_name(axes, top, name)
            for column, image in enumerate(images[block * columns : (block + 1) * columns]):
                _put(canvas, top, column * pitch, image)
        bottom = block * block_height + len(rows) * pitch
        for column, caption in enumerate(captions[block * columns : (block + 1) * columns]):
            _caption(axes, column * pitch, bottom, caption)
    _show(axes, canvas)
    return drawing


def reading_order(images: NDArray[np.uint8], columns: int = 5, captions: Sequence[str] = ()) -> Drawing:
    """Draw images from left to right and from top to bottom.

    Args:
        images: uint8 (n, 28, 28).
        columns: images in one line.
        captions: up to n texts, each below its image.
    """
    canvas, places = _in_reading_order(images, columns, CAPTION_HEIGHT + GAP if captions else 0)
    drawing, axes = _axes_for(canvas)
    for (top, left), caption in zip(places, captions, strict=False):
        _caption(axes, left, top + SIDE + GAP, caption)
    _show(axes, canvas)
    return drawing


def weights_as_images(weights: NDArray[np.float32], label: str) -> Drawing:
    """Draw weights as images on one scale, red above 0 and blue below.

    Args:
        weights: float32 (n, 784).
        label: of the scale.
    """
    largest = max(float(np.abs(weights).max()), 1e-6)
    scale = ScalarMappable(Normalize(-largest, largest), "RdBu_r")
    colours = np.asarray(scale.to_rgba(weights, bytes=True)).reshape(-1, SIDE, SIDE, 4)
    canvas, _ = _in_reading_order(colours, columns=8)
    drawing, axes = _axes_for(canvas, below=SCALE_HEIGHT)
    _show(axes, canvas)
    height = drawing.get_figheight()
    bar = drawing.colorbar(
        scale, cax=drawing.add_axes((0.2, 0.5 / height, 0.6, 0.1 / height)), orientation="horizontal"
    )
    bar.set_label(label)
    bar.outline.set_visible(False)
    return drawing


def _in_reading_order(
    images: NDArray[np.uint8], columns: int, below: int = 0
) -> tuple[Pixels, list[tuple[int, int]]]:
    """A canvas with the images, and top and left of each; `below` pixels stay free under each of them."""
    pitch_down, pitch = SIDE + GAP + below, SIDE + GAP
    places = [(index // columns * pitch_down, index % columns * pitch) for index in range(len(images))]
    height = -(-len(images) // columns) * pitch_down - GAP
    canvas = np.zeros((height, min(columns, len(images)) * pitch - GAP, 4), np.uint8)
    for (top, left), image in zip(places, images, strict=True):
        _put(canvas, top, left, image)
    return canvas, places


def _axes_for(
    canvas: Pixels, names: Mapping[str, Any] | None = None, below: float = 0
) -> tuple[Drawing, Axes]:
    """Axes for a canvas, in a drawing with room for names to its left and for `below` inches under it."""
    height, width = canvas.shape[:2]
    letters = max((_width(name, matplotlib.rcParams["font.size"]) for name in names or ()), default=0.0)
    left = letters / 72 + NAME_GAP + MARGIN if names else MARGIN
    inches = min((WIDTH - left - MARGIN) / width, WIDEST_IMAGE / SIDE)
    whole_width, whole_height = left + inches * width + MARGIN, inches * height + below + 2 * MARGIN
    drawing = new_drawing(whole_width, whole_height)
    drawing.set_layout_engine("none")
    axes = drawing.add_axes(
        (
            left / whole_width,
            (below + MARGIN) / whole_height,
            inches * width / whole_width,
            inches * height / whole_height,
        )
    )
    axes.set_axis_off()
    axes.set(xticks=[], yticks=[])  # which would take time though they are not drawn
    return drawing, axes


@lru_cache(maxsize=64)
def _width(text: str, size: float) -> float:
    """How wide a text is, in points; jobs name their rows alike, and it takes long to compute."""
    return float(TextPath((0, 0), text, prop=FontProperties(size=size)).get_extents().width)


def _put(canvas: Pixels, top: int, left: int, image: NDArray[np.uint8]) -> None:
    """Draw grey levels (28, 28) or colours (28, 28, 4); the rest of the canvas stays transparent."""
    place = canvas[top : top + SIDE, left : left + SIDE]
    if image.ndim == 2:
        place[..., :3], place[..., 3] = image[..., np.newaxis], 255
    else:
        place[...] = image


def _row_name(axes: Axes, top: int, text: str) -> None:
    axes.annotate(
        text,
        (0, top + SIDE / 2),
        xytext=(-72 * NAME_GAP, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        color=INK,
        annotation_clip=False,
    )


def _caption(axes: Axes, left: int, top: int, text: str) -> None:
    # A file's name may have dollar signs, which matplotlib would take for mathematics.
    axes.text(left + SIDE / 2, top, text, ha="center", va="top", fontsize=8.5, color=MUTED, parse_math=False)


def _show(axes: Axes, canvas: Pixels) -> None:
    # Edges at integers, so that text is placed by the pixel. An SVG gets the pixels as they are.
    height, width = canvas.shape[:2]
    axes.imshow(canvas, interpolation="none", extent=(0, width, height, 0))
