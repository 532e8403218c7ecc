"""The autoencoder's own figures: its codes in two dimensions."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from worker.images.class_names import class_name
from worker.report.formatting import percentage
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


MOST_IN_LEGEND = 10

LONGEST_NAME = 16
"""Letters of a class's name; a longer one is cut."""


def code_map(
    points: NDArray[np.float32],
    labels: NDArray[np.int64],
    variance: NDArray[np.float32],
    classes: tuple[str, ...] = (),
) -> Drawing:
    """Draw codes in two dimensions, coloured by digit or class.

    Args:
        points: float32 (n, 2), on the first two principal components.
        labels: int64 (n,), digits 0 to 9 or numbers of classes, or -1 for none.
        variance: the components' shares (2,) of the variance.
        classes: names of the classes, by label; none for digits.
    """
    drawing = new_drawing(5.6, 5.4)
    axes = drawing.add_subplot()
    digits = [int(digit) for digit in np.unique(labels)]
    for digit in digits:
        x, y = points[labels == digit].T
        colour = DIGIT_COLOURS[digit % len(DIGIT_COLOURS)] if digit >= 0 else COLOURS[0]
        name = class_name(digit, classes)
        # Thousands of points as vectors would make the page heavy.
        axes.scatter(x, y, 7, color=colour, label=_shortened(name), alpha=0.7, linewidths=0, rasterized=True)
        if digit >= 0:
            _large_name(axes, name, colour, (float(np.median(x)), float(np.median(y))))
    if digits != [-1] and len(digits) <= MOST_IN_LEGEND:
        legend = drawing.legend(
            *axes.get_legend_handles_labels(),
            loc="outside upper center",
            ncols=len(digits) if not classes else min(len(digits), 5),
            markerscale=2.5,
            handletextpad=0.0,
            columnspacing=0.7,
        )
        for text in legend.get_texts():
            text.set_parse_math(False)
    axes.set_xlabel(f"first principal component, {percentage(variance[0])} of the variance")
    axes.set_ylabel(f"second, {percentage(variance[1])}")
    axes.grid(visible=True)
    return drawing


def _large_name(axes: Axes, name: str, colour: str, place: tuple[float, float]) -> None:
    # A folder's name may have dollar signs, which matplotlib would take for mathematics.
    axes.annotate(
        _shortened(name),
        place,
        ha="center",
        va="center",
        fontsize=17 if len(name) <= 2 else 10,
        fontweight="bold",
        color=colour,
        path_effects=[withStroke(linewidth=4, foreground="white")],
    ).set_parse_math(False)


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
