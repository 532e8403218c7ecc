"""The theme of all figures. It avoids pyplot: a worker has no screen, and pyplot keeps global state."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure as Drawing

from worker.report.glyphs import families

COLOURS = ("#2a6fbb", "#d1495b", "#2e8b6f", "#b8860b", "#6a4c93", "#6b7280")
"""In this order. With markers or line styles, colour-blind readers can tell them apart as well."""

INK = "#1d2026"
"""Text on PAPER; light in dark mode. A label on a fill of COLOURS is written in PAPER, which is dark in dark
mode; a label on an image or a colour map in black or white, which do not change."""

MUTED = "#5b6370"
"""Axis labels and other secondary text; light in dark mode too."""

RULE = "#dfe2e7"
"""Grid lines and frames."""

PAPER = "#fefefe"
"""The background: not quite white, so that white in a drawing stays white in dark mode."""

DARK_MODE = {
    INK: "#e6e8ec",
    MUTED: "#a0a8b4",
    RULE: "#343944",
    PAPER: "#15171c",
    **dict(zip(COLOURS, ("#6aa9ee", "#f07f8d", "#5fc3a3", "#dcb04a", "#b497dc", "#9aa3b0"), strict=True)),
}
"""What each colour of this file becomes in dark mode."""


@contextmanager
def themed() -> Iterator[None]:
    """Apply the theme to whatever is drawn and written within the block; its files are reproducible."""
    with matplotlib.rc_context(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": RULE,
            "axes.formatter.useoffset": False,  # one number at each tick, no sum to be done
            "axes.facecolor": "none",
            "axes.labelcolor": MUTED,
            "axes.prop_cycle": cycler(color=COLOURS),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": INK,
            "axes.titlelocation": "left",
            "axes.titlesize": "medium",
            "figure.edgecolor": PAPER,
            "figure.facecolor": PAPER,
            "font.family": families(),
            "font.size": 10.5,
            "grid.color": RULE,
            "grid.linewidth": 0.8,
            "legend.facecolor": PAPER,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "savefig.dpi": 160,
            # As outlines: the reader may lack the font, and text in an <img> cannot be selected anyway.
            "svg.fonttype": "path",
            "svg.hashsalt": "quartet",
            "text.color": INK,
            "xtick.color": RULE,
            "xtick.labelcolor": MUTED,
            "ytick.color": RULE,
            "ytick.labelcolor": MUTED,
        }
    ):
        yield


def new_drawing(width: float = 7.0, height: float = 4.0, **options: Any) -> Drawing:
    """An empty drawing with a constrained layout.

    Args:
        width: in inches.
        height: in inches.
        options: of `matplotlib.figure.Figure`.
    """
    return Drawing(figsize=(width, height), layout="constrained", **options)
