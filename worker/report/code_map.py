"""A drawing of codes in two dimensions."""

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from worker.report.style import COLOURS, new_drawing

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
"""They show on white and on black. Ten do not keep apart for every eye, so digits are written as well."""


def code_map(
    points: NDArray[np.float32], labels: NDArray[np.int64], variance: NDArray[np.float32]
) -> Drawing:
    """Codes (n, 2), coloured by digit.

    Args:
        points: on the first two principal components.
        labels: (n,), digits 0 to 9, or -1 for none.
        variance: the shares (2,) of the variance that the components have.
    """
    drawing = new_drawing(5.6, 5.4)
    axes = drawing.add_subplot()
    digits = [int(digit) for digit in np.unique(labels)]
    for digit in digits:
        x, y = points[labels == digit].T
        colour = DIGIT_COLOURS[digit] if digit >= 0 else COLOURS[0]
        # Thousands of points as outlines would make the page heavy.
        axes.scatter(x, y, 7, color=colour, label=str(digit), alpha=0.7, linewidths=0, rasterized=True)
    for digit in digits:
        if digit >= 0:
            axes.annotate(
                str(digit),
                np.median(points[labels == digit], axis=0),
                ha="center",
                va="center",
                fontsize=17,
                fontweight="bold",
                color=DIGIT_COLOURS[digit],
                path_effects=[withStroke(linewidth=4, foreground="white")],
            )
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
