"""Drawings of images: grids, the units of a code, a code in two dimensions, quality over noise."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from worker.report.style import COLOURS, INK, MUTED, new_drawing

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
MOST_COLUMNS = 10


def rows_of_images(rows: Mapping[str, NDArray[np.uint8]]) -> Drawing:
    """Images uint8 (n, 28, 28) in named rows, one below the other, column by column the same image.

    More than ten columns go on in a further block of rows.
    """
    count = len(next(iter(rows.values())))
    columns = min(count, MOST_COLUMNS)
    blocks = -(-count // columns)
    drawing = new_drawing(7.0, 0.66 * len(rows) * blocks + 0.12 * blocks)
    axes = drawing.subplots(len(rows) * blocks, columns, squeeze=False)
    for block in range(blocks):
        for row, (name, images) in enumerate(rows.items()):
            line = axes[block * len(rows) + row]
            for column, axis in enumerate(line):
                _empty(axis)
                place = block * columns + column
                if place < count:
                    axis.imshow(images[place], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            if name:
                line[0].set_ylabel(name, rotation=0, ha="right", va="center", color=INK, labelpad=8)
    return drawing


def one_row_each(images: NDArray[np.uint8], captions: Sequence[str] | None = None) -> Drawing:
    """Images uint8 (n, 28, 28) in reading order, ten a row, each with a caption below if there are any."""
    rows = max(1, -(-len(images) // MOST_COLUMNS))
    drawing = new_drawing(7.0, (0.95 if captions else 0.7) * rows + 0.1)
    axes = drawing.subplots(rows, MOST_COLUMNS, squeeze=False).flat
    for place, axis in enumerate(axes):
        _empty(axis)
        if place < len(images):
            axis.imshow(images[place], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            if captions:
                axis.set_xlabel(captions[place], fontsize=8, color=MUTED)
    return drawing


def code_units(kernel: NDArray[np.float32]) -> Drawing:
    """What each unit of the code adds to an image: rows (32, 784) of the decoder's kernel as images."""
    drawing = new_drawing(7.0, 3.9)
    axes = drawing.subplots(4, 8)
    largest = float(np.abs(kernel).max())
    for unit, axis in enumerate(axes.flat):
        _empty(axis)
        shown = axis.imshow(kernel[unit].reshape(28, 28), cmap="RdBu_r", vmin=-largest, vmax=largest)
    bar = drawing.colorbar(shown, ax=axes, shrink=0.6, pad=0.02)
    bar.set_label("darker ← weight → lighter")
    return drawing


def code_map(points: NDArray[np.float32], labels: NDArray[np.int64], explained: Sequence[float]) -> Drawing:
    """Codes in two dimensions (n, 2), coloured by label; -1 is no label."""
    drawing = new_drawing(7.0, 5.2)
    axis = drawing.subplots()
    digits = sorted(set(labels.tolist()))
    for place, digit in enumerate(digits):
        of_digit = points[labels == digit]
        marker = MARKERS[place % len(MARKERS)]
        colour = COLOURS[0] if len(digits) == 1 else _digit_colour(place)
        name = None if digit < 0 else str(digit)
        x, y = of_digit.T
        axis.scatter(x, y, 9, color=colour, label=name, marker=marker, alpha=0.55, linewidths=0)
        if name is not None:
            centre = np.median(of_digit, axis=0)
            box = {"boxstyle": "circle,pad=0.25", "facecolor": "white", "edgecolor": colour, "alpha": 0.9}
            axis.annotate(name, centre, ha="center", va="center", fontweight="bold", bbox=box, color="black")
    axis.set_xlabel(f"first principal component ({explained[0]:.0%} of the variance)")
    axis.set_ylabel(f"second ({explained[1]:.0%})")
    axis.grid(visible=True)
    if digits != [-1]:
        drawing.legend(title="digit", loc="outside right upper", markerscale=2)
    return drawing


def quality_over_noise(
    levels: Sequence[float], panels: Mapping[str, Mapping[str, Sequence[float]]], trained_at: float
) -> Drawing:
    """A panel for each measure, a line for each way of getting an image, over the noise level."""
    drawing = new_drawing(7.0, 5.6)
    axes = drawing.subplots(2, 2, sharex=True).flat
    for axis, (measure, lines) in zip(axes, panels.items(), strict=True):
        for place, (name, values) in enumerate(lines.items()):
            axis.plot(levels, values, marker=MARKERS[place], markersize=4, label=name)
        axis.axvline(trained_at, color=MUTED, linewidth=1, linestyle=":")
        axis.set_title(measure)
        axis.grid(visible=True)
    for axis in list(drawing.axes)[-2:]:
        axis.set_xlabel("standard deviation of the noise")
    handles, names = drawing.axes[0].get_legend_handles_labels()
    drawing.legend(handles, names, loc="outside upper center", ncols=3)
    return drawing


def _digit_colour(place: int) -> str:
    shades = (
        "#2a6fbb",
        "#d1495b",
        "#2e8b6f",
        "#b8860b",
        "#6a4c93",
        "#6b7280",
        "#1b9e9e",
        "#e07b39",
        "#a0522d",
        "#c2539d",
    )
    return shades[place % len(shades)]


def _empty(axis: object) -> None:
    axis.set_xticks([])  # type: ignore[attr-defined]
    axis.set_yticks([])  # type: ignore[attr-defined]
    for spine in axis.spines.values():  # type: ignore[attr-defined]
        spine.set_visible(False)
