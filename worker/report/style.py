"""One look for all figures. No pyplot: figures are objects, made in a worker without a screen."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure as Drawing

COLOURS = ("#2a6fbb", "#d1495b", "#2e8b6f", "#b8860b", "#6a4c93", "#6b7280")
"""In this order; they keep apart for colour-blind eyes together with markers or line styles."""

INK = "#1d2026"
"""Text and whatever else is written on the paper; it turns light in the dark. A label on a fill of COLOURS
is written in PAPER, which turns dark there; one on an image or a colour map in black or white, which stay."""

MUTED = "#5b6370"
"""Axis labels and other second voices; it turns light in the dark too."""

RULE = "#dfe2e7"
"""Grid lines and frames."""

PAPER = "#fefefe"
"""What is drawn on: not quite white, so that white in a drawing stays white when paper turns dark."""

IN_THE_DARK = {
    INK: "#e6e8ec",
    MUTED: "#a0a8b4",
    RULE: "#343944",
    PAPER: "#15171c",
    **dict(zip(COLOURS, ("#6aa9ee", "#f07f8d", "#5fc3a3", "#dcb04a", "#b497dc", "#9aa3b0"), strict=True)),
}
"""What each colour of this file becomes for a reader whose screen is dark."""


@contextmanager
def look() -> Iterator[None]:
    """Everything drawn and written in this block has Quartet's look, and is the same each time."""
    with matplotlib.rc_context(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": RULE,
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
            "font.family": "DejaVu Sans",
            "font.size": 10.5,
            "grid.color": RULE,
            "grid.linewidth": 0.8,
            "legend.facecolor": PAPER,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "savefig.dpi": 160,
            # As outlines: a reader's machine may lack the font, and text inside an <img> cannot be
            # selected or searched anyway.
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
    """An empty drawing of `width` × `height` inches, with a constrained layout."""
    return Drawing(figsize=(width, height), layout="constrained", **options)
