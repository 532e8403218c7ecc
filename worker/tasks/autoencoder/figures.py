"""The autoencoder's own figures: its codes in two dimensions."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from worker.report.theme import COLOURS, new_drawing

DIGIT_COLOURS = (
    "#3b7dd8",
    "#d1495b",
    "#2e8b6f",
    "#c8930f",
    "#7b57b2",
    "#7b828e",
    "#19a3b5",
    "#e2762d",
    "#9c5a3c",
    "#c651a0",
)
"""Visible on white and on black. Not everyone can tell ten colours apart, so digits are written as well."""


def code_map(
    points: NDArray[np.float32], labels: NDArray[np.int64], variance: NDArray[np.float32]
) -> Drawing:
    """Draw codes in two dimensions, coloured by digit.

    Args:
        points: float32 (n, 2), on the first two principal components.
        labels: int64 (n,), digits 0 to 9, or -1 for none.
        variance: the components' shares (2,) of the variance.
    """
    drawing = new_drawing(5.6, 5.4)
    axes = drawing.add_subplot()
    digits = [int(digit) for digit in np.unique(labels)]
    for digit in digits:
        x, y = points[labels == digit].T
        colour = DIGIT_COLOURS[digit] if digit >= 0 else COLOURS[0]
        # Thousands of points as vectors would make the page heavy.
        axes.scatter(x, y, 7, color=colour, label=str(digit), alpha=0.7, linewidths=0, rasterized=True)
        if digit >= 0:
            _large_digit(axes, digit, (float(np.median(x)), float(np.median(y))))
    if digits != [-1]:
        drawing.legend(
            *axes.get_legend_handles_labels(),
            loc="outside upper center",
            ncols=len(digits),
            markerscale=2.5,
            handletextpad=0.0,
            columnspacing=0.7,
        )
    axes.set_xlabel(f"first principal component, {variance[0]:.0%} of the variance")
    axes.set_ylabel(f"second, {variance[1]:.0%}")
    axes.grid(visible=True)
    return drawing


def _large_digit(axes: Axes, digit: int, place: tuple[float, float]) -> None:
    axes.annotate(
        str(digit),
        place,
        ha="center",
        va="center",
        fontsize=17,
        fontweight="bold",
        color=DIGIT_COLOURS[digit],
        path_effects=[withStroke(linewidth=4, foreground="white")],
    )
