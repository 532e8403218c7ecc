"""The denoiser's own figures: which method is best at which noise level."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator

from worker.report.theme import COLOURS, MUTED, PAPER, new_drawing

LINES = (("s", ":", COLOURS[5]), ("^", "--", COLOURS[3]), ("o", "-", COLOURS[0]))
"""Marker, line style and colour of the methods, in their order."""


def who_wins_where(
    levels: Sequence[float],
    curves: Mapping[str, Sequence[float]],
    won: Mapping[str, Sequence[str]],
    *,
    unit: str,
    marked: float,
) -> Drawing:
    """Draw one measure of all methods; below, for each measure, a strip with the winner at each level.

    Args:
        levels: l standard deviations of the noise, ascending, at least two.
        curves: method -> l values; NaN is left out.
        won: measure -> l winning methods.
        unit: of the curves.
        marked: a level to point out.
    """
    drawing = new_drawing(5.6, 5.6)
    above, below = drawing.subplots(2, 1, sharex=True, height_ratios=(3.2, 0.42 * len(won)))
    _curves(above, levels, curves, unit, marked)
    _strips(below, levels, list(curves), won)
    return drawing


def _curves(
    axes: Axes, levels: Sequence[float], curves: Mapping[str, Sequence[float]], unit: str, marked: float
) -> None:
    for (method, values), (marker, style, colour) in zip(curves.items(), LINES, strict=True):
        axes.plot(
            levels, values, style, marker=marker, markersize=5, color=colour, label=method, clip_on=False
        )
    axes.axvline(marked, color=MUTED, linewidth=1, linestyle=(0, (1, 2)), zorder=0)
    axes.set_ylabel(unit)
    axes.grid(visible=True, axis="y")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(facecolor=PAPER)


def _strips(
    axes: Axes, levels: Sequence[float], methods: Sequence[str], won: Mapping[str, Sequence[str]]
) -> None:
    middles = (np.array(levels[:-1]) + np.array(levels[1:])) / 2
    edges = [levels[0] - (middles[0] - levels[0]), *middles, levels[-1] + (levels[-1] - middles[-1])]
    axes.pcolormesh(
        edges,
        np.arange(len(won) + 1),
        [[methods.index(method) for method in row] for row in won.values()],
        cmap=ListedColormap([colour for _, _, colour in LINES]),
        vmin=-0.5,
        vmax=len(methods) - 0.5,
        edgecolors=PAPER,
        linewidth=2,
    )
    for row, winning in enumerate(won.values()):
        for left, right, method in zip(edges[:-1], edges[1:], winning, strict=True):
            # Its first letter too, for those who cannot tell the colours apart.
            place = (left + right) / 2, row + 0.5
            axes.text(*place, method[0].upper(), ha="center", va="center", color=PAPER, fontweight="bold")
    axes.set_yticks(np.arange(len(won)) + 0.5, list(won))
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("standard deviation of the noise, before it is clipped")
    axes.set_title("closest to the original")
