"""One look for all figures. No pyplot: figures are objects, made in a worker without a screen."""

from typing import Any

from matplotlib.figure import Figure as Drawing

COLOURS = ("#2a6fbb", "#d1495b", "#2e8b6f", "#b8860b", "#6a4c93", "#6b7280")
"""In this order; they keep apart for colour-blind eyes together with markers or line styles."""


def new_drawing(width: float = 7.0, height: float = 4.0, **options: Any) -> Drawing:
    """An empty drawing of `width` × `height` inches, with a constrained layout."""
    return Drawing(figsize=(width, height), layout="constrained", **options)
