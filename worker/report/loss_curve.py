"""Draws the loss of any training job by epoch, from its history."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from jobs.wording import counted
from worker.report.blocks import Figure
from worker.report.formatting import number
from worker.report.theme import COLOURS, PAPER, new_drawing

MARKED_EPOCHS = 30
"""A curve of up to this many epochs has a marker at each."""

Row = dict[str, float]


class Line(NamedTuple):
    """How a column of `history.csv` is drawn."""

    column: str
    label: str
    marker: str
    style: str
    colour: str


LINES = (
    Line("loss", "training", "o", "--", COLOURS[0]),
    Line("validation_loss", "validation", "s", "-", COLOURS[1]),
)


def loss_curve(history: Sequence[Row]) -> Figure | None:
    """Draw training and validation loss against the epoch.

    Args:
        history: rows of `history.csv`: `epoch` (from 1), `loss`, `validation_loss`, …

    Returns:
        The figure; None where no loss was measured.
    """
    measured = {
        line: rows
        for line in LINES
        if (rows := [row for row in history if math.isfinite(row.get(line.column, math.nan))])
    }
    if not measured:
        return None
    drawing = new_drawing(6.6, 3.6)
    axes = drawing.add_subplot()
    for line, rows in measured.items():
        _plot(axes, line, rows)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.grid(visible=True, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(facecolor=PAPER)
    text = " ".join(_sentence(line, rows) for line, rows in measured.items())
    return Figure("loss", "Loss by epoch", text, f"Line chart of the loss by epoch. {text}", drawing)


def _plot(axes: Axes, line: Line, rows: Sequence[Row]) -> None:
    epochs, losses = [row["epoch"] for row in rows], [row[line.column] for row in rows]
    marker = line.marker if len(rows) <= MARKED_EPOCHS else ""
    axes.plot(epochs, losses, line.style, color=line.colour, label=line.label, marker=marker, markersize=4)
    if line.column == "validation_loss" and len(rows) > 1:
        best = _best(line, rows)
        axes.plot(
            best["epoch"],
            best[line.column],
            "o",
            markersize=11,
            markerfacecolor="none",
            markeredgecolor=line.colour,
            label=f"lowest, epoch {best['epoch']:.0f}",
        )


def _best(line: Line, rows: Sequence[Row]) -> Row:
    return min(rows, key=lambda row: row[line.column])


def _sentence(line: Line, rows: Sequence[Row]) -> str:
    first, last, best = rows[0], rows[-1], _best(line, rows)
    if len(rows) == 1:
        return f"The {line.label} loss is {number(last[line.column])} after epoch {last['epoch']:.0f}."
    went = f"The {line.label} loss went from {number(first[line.column])} to {number(last[line.column])}"
    lowest = "" if best is last else f", lowest {number(best[line.column])} in epoch {best['epoch']:.0f}"
    return f"{went} in {counted(round(last['epoch']), 'epoch')}{lowest}."
