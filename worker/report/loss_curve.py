"""Draws the loss of any training job, by epoch and within epochs."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from jobs.wording import counted
from worker.report.blocks import Figure
from worker.report.formatting import number
from worker.report.theme import COLOURS, PAPER, new_drawing

MARKED_EPOCHS = 30
"""A curve of up to this many epochs has a marker at each."""

INTERVALS = 6
"""Of an axis, at most: enough to read a value, and ticks with their labels are what takes longest to draw."""

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


def loss_curve(history: Sequence[Row], unit: str = "") -> Figure | None:
    """Draw training and validation loss against the epoch.

    Args:
        history: rows of `history.csv`: `epoch` (from 1), `loss`, `validation_loss`, …
        unit: of the loss, if it is known.

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
    drawing, axes = _axes(unit)
    for line, rows in measured.items():
        _plot(axes, line, rows)
    _show_whole_epochs(axes, history)
    axes.legend(facecolor=PAPER)
    sentences = [_sentence(line, rows) for line, rows in measured.items()]
    text = " ".join([*sentences, *_learning_rate(history)])
    return Figure("loss", "Loss by epoch", text, f"Line chart of the loss by epoch. {text}", drawing)


def loss_within_epochs(points: Sequence[Row], unit: str = "") -> Figure:
    """Draw the training loss against the steps made.

    Args:
        points: rows of `loss_within_epochs.csv`, at least one: `epoch`, `step` (from 1, of the whole run),
            `loss`.
        unit: of the loss, if it is known.
    """
    drawing, axes = _axes(unit)
    steps, losses = [row["step"] for row in points], [row["loss"] for row in points]
    line = LINES[0]
    axes.plot(steps, losses, color=line.colour, marker=".", markersize=4)
    is_long = steps[-1] >= 100 * steps[0]
    if is_long:  # most of the points, and of the fall, are in the first epoch
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(_whole_numbers())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}" if step >= 1 else ""))
    axes.set_xlabel("training step, one batch each" + (" (logarithmic)" if is_long else ""))
    first, last = points[0], points[-1]
    ended = f" and {number(last['loss'])} at step {last['step']:,.0f}" if last is not first else ""
    text = (
        f"The training loss, of the weights as they learned, was {number(first['loss'])} at step "
        f"{first['step']:,.0f}{ended}, in epoch {math.ceil(last['epoch'])}."
    )
    return Figure("loss_within_epochs", "Loss within epochs", text, f"Line chart. {text}", drawing)


def _axes(unit: str) -> tuple[Drawing, Axes]:
    drawing = new_drawing(6.6, 3.6)
    axes = drawing.add_subplot()
    axes.set_ylabel(f"loss, {unit}" if unit else "loss")
    axes.grid(visible=True, axis="y")
    axes.locator_params(axis="y", nbins=INTERVALS)
    return drawing, axes


def _whole_numbers() -> MaxNLocator:
    return MaxNLocator(INTERVALS, integer=True, min_n_ticks=1, steps=[1, 2, 3, 5, 10])


def _show_whole_epochs(axes: Axes, history: Sequence[Row]) -> None:
    first, last = history[0]["epoch"], history[-1]["epoch"]
    margin = 0.5 if last == first else 0.04 * (last - first)
    axes.set_xlim(first - margin, last + margin)
    axes.xaxis.set_major_locator(_whole_numbers())
    axes.set_xlabel("epoch")


def _learning_rate(history: Sequence[Row]) -> Iterator[str]:
    rates = [row["learning_rate"] for row in history if "learning_rate" in row]
    if rates and min(rates) == max(rates):
        yield f"The learning rate was {number(rates[0])}."
    elif rates:
        first, last = number(rates[0]), number(rates[-1])
        yield f"The learning rate ended the first epoch at {first} and the last at {last}."


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
