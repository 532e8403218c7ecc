"""Drawings of images: in named rows, in reading order, and of weights."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from worker.report.style import INK, MUTED, new_drawing

Pixels = NDArray[np.uint8]

SIDE = 28
GAP = 2
BLOCK_GAP = 10
CAPTION_HEIGHT = 9
"""All in pixels of the images."""

WIDTH = 5.6
"""Inches. No wider, so that letters stay readable where a phone shrinks the drawing."""

LETTER = 0.09
"""Inches; about the width of a letter of a row's name."""


def named_rows(rows: Mapping[str, Pixels], columns: int = 5, captions: Sequence[str] = ()) -> Drawing:
    """Images uint8 (n, 28, 28) in named rows, one below the other, column by column the same image.

    What does not fit goes on in a further block of rows. A caption stands below its column.
    """
    count = len(next(iter(rows.values())))
    pitch, caption_height = SIDE + GAP, CAPTION_HEIGHT if captions else 0
    block_height = len(rows) * pitch + caption_height + BLOCK_GAP
    blocks, columns = -(-count // columns), min(columns, count)
    canvas = np.zeros((blocks * block_height - BLOCK_GAP, columns * pitch - GAP, 4), np.uint8)
    drawing, axes = _canvas_axes(canvas, LETTER * max(len(name) for name in rows))
    names = []
    for block in range(blocks):
        for row, (name, images) in enumerate(rows.items()):
            top = block * block_height + row * pitch
            names.append((top + SIDE / 2, name))
            for column, image in enumerate(images[block * columns : (block + 1) * columns]):
                _put(canvas, top, column * pitch, image)
        bottom = block * block_height + len(rows) * pitch
        for column, caption in enumerate(captions[block * columns : (block + 1) * columns]):
            _caption(axes, column * pitch + SIDE / 2, bottom, caption)
    axes.set_yticks([place for place, _ in names], [name for _, name in names], color=INK)
    axes.imshow(canvas, interpolation="nearest")
    return drawing


def reading_order(images: NDArray[np.uint8], columns: int, captions: Sequence[str] = ()) -> Drawing:
    """Images (n, 28, 28) from left to right and from above, each with a caption below if there are any.

    Grey levels uint8, or colours uint8 (n, 28, 28, 4).
    """
    columns = min(columns, len(images))
    pitch_down = SIDE + GAP + (CAPTION_HEIGHT + GAP if captions else 0)
    rows = -(-len(images) // columns)
    canvas = np.zeros((rows * pitch_down - GAP, columns * (SIDE + GAP) - GAP, 4), np.uint8)
    drawing, axes = _canvas_axes(canvas, 0)
    for place, image in enumerate(images):
        top, left = place // columns * pitch_down, place % columns * (SIDE + GAP)
        _put(canvas, top, left, image)
        if captions:
            _caption(axes, left + SIDE / 2, top + SIDE + GAP, captions[place])
    axes.set_yticks([])
    axes.imshow(canvas, interpolation="nearest")
    return drawing


def weights_as_images(weights: NDArray[np.float32], label: str) -> Drawing:
    """Rows (n, 784) of weights as images on one scale, red above 0 and blue below; `label` says of what."""
    largest = max(float(np.abs(weights).max()), 1e-6)
    scale = matplotlib.colors.Normalize(-largest, largest)
    colours = matplotlib.colormaps["RdBu_r"](scale(weights.reshape(-1, SIDE, SIDE)), bytes=True)
    drawing = reading_order(np.asarray(colours), columns=8)
    mappable = matplotlib.cm.ScalarMappable(scale, "RdBu_r")
    drawing.set_figheight(drawing.get_figheight() + 0.7)
    bar = drawing.colorbar(mappable, ax=drawing.axes, location="bottom", shrink=0.7, aspect=30, pad=0.03)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return drawing


def _canvas_axes(canvas: NDArray[np.uint8], names_width: float) -> tuple[Drawing, Axes]:
    """Axes without a frame, as high as the canvas needs in a drawing of our width."""
    height, width = canvas.shape[:2]
    drawing = new_drawing(WIDTH, (WIDTH - names_width) * height / width + 0.1)
    axes = drawing.add_subplot()
    axes.set_frame_on(False)
    axes.set_xticks([])
    axes.tick_params(length=0, labelsize="medium")
    return drawing, axes


def _put(canvas: NDArray[np.uint8], top: int, left: int, image: NDArray[np.uint8]) -> None:
    """Draw an image opaque; what nothing is drawn on stays transparent and turns dark with the page."""
    place = canvas[top : top + SIDE, left : left + SIDE]
    place[..., 3] = 255
    place[..., : image.shape[2] if image.ndim == 3 else 3] = (
        image if image.ndim == 3 else image[..., np.newaxis]
    )


def _caption(axes: Axes, x: float, y: float, text: str) -> None:
    axes.text(x, y, text, ha="center", va="top", fontsize=8.5, color=MUTED)
