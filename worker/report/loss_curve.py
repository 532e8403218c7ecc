"""The loss of a training by epoch, drawn for every training from its history."""

import math
from collections.abc import Sequence

from matplotlib.ticker import MaxNLocator

from worker.report.parts import Figure
from worker.report.style import COLOURS, PAPER, new_drawing
from worker.report.words import number

MARKED_EPOCHS = 30
"""Up to this many, each epoch has its mark."""

_LINES = (("loss", "training", "o", "--"), ("validation_loss", "validation", "s", "-"))


def loss_curve(history: Sequence[dict[str, float]]) -> Figure | None:
    """Training and validation loss against the epoch; None where nothing was measured.

    Args:
        history: rows of `history.csv`: `epoch` (from 1), `loss`, `validation_loss`, …
    """
    measured = {
        column: [row for row in history if math.isfinite(row.get(column, math.nan))] for column, *_ in _LINES
    }
    if not any(measured.values()):
        return None
    drawing = new_drawing(6.6, 3.6)
    axes = drawing.add_subplot()
    sentences = []
    for (column, label, marker, style), colour in zip(_LINES, COLOURS, strict=False):
        rows = measured[column]
        if not rows:
            continue
        epochs, losses = [row["epoch"] for row in rows], [row[column] for row in rows]
        marked = len(rows) <= MARKED_EPOCHS
        axes.plot(
            epochs, losses, style, color=colour, label=label, marker=marker if marked else "", markersize=4
        )
        best = min(rows, key=lambda row: row[column])
        if column == "validation_loss" and len(rows) > 1:
            axes.plot(
                best["epoch"],
                best[column],
                "o",
                markersize=11,
                markerfacecolor="none",
                markeredgecolor=colour,
                label=f"lowest, epoch {best['epoch']:.0f}",
            )
        sentences.append(_sentence(label, rows, column, best))
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.grid(visible=True, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(facecolor=PAPER)
    text = " ".join(sentences)
    return Figure("loss", "Loss by epoch", text, f"Line chart of the loss by epoch. {text}", drawing)


def _sentence(label: str, rows: Sequence[dict[str, float]], column: str, best: dict[str, float]) -> str:
    first, last = rows[0], rows[-1]
    if len(rows) == 1:
        return f"The {label} loss is {number(last[column])} after epoch {last['epoch']:.0f}."
    went = f"The {label} loss went from {number(first[column])} to {number(last[column])}"
    lowest = "" if best is last else f", lowest {number(best[column])} in epoch {best['epoch']:.0f}"
    return f"{went} in {last['epoch']:.0f} epochs{lowest}."
