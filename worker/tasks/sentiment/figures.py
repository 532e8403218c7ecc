"""Draws a classifier with two classes: confusion matrix, curves, thresholds, accuracy by length."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes

from jobs.wording import counted
from worker.report.blocks import Figure
from worker.report.intervals import share_interval
from worker.report.theme import COLOURS, INK, MUTED, PAPER, new_drawing
from worker.tasks.sentiment.wording import rounded, rounded_percent, threshold_text

Row = Mapping[str, float]

FEWEST_CALLED = 10
"""Reviews called positive: the precision of fewer says little, and is neither drawn nor quoted."""


def confusion(counts: Mapping[str, float], names: tuple[str, str], threshold: float) -> Figure:
    """Draw the four counts as a matrix: what the reviews are, against what they were called.

    Args:
        counts: with true_negatives, false_positives, false_negatives and true_positives.
        names: of the negative and of the positive class.
        threshold: the probability from which the positive class is chosen.
    """
    matrix = [
        [counts["true_negatives"], counts["false_positives"]],
        [counts["false_negatives"], counts["true_positives"]],
    ]
    drawing = new_drawing(width=4.6, height=3.9)
    axes = drawing.add_subplot(xlabel="called", ylabel="is")
    largest = max(1, *(sum(row) for row in matrix))
    for is_class, row in enumerate(matrix):
        for called, count in enumerate(row):
            _cell(axes, is_class, called, count, sum(row), count / largest)
    axes.set(xticks=(0, 1), yticks=(0, 1), xticklabels=names, yticklabels=names, aspect="equal")
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return Figure(
        name="confusion",
        title="Confusion matrix",
        caption=f"At the threshold {threshold_text(threshold)}; the shares add up to one in each row.",
        alt=f"Of the {names[0]} reviews {matrix[0][0]:,.0f} were called {names[0]} and {matrix[0][1]:,.0f} "
        f"{names[1]}; of the {names[1]} ones {matrix[1][0]:,.0f} were called {names[0]} and "
        f"{matrix[1][1]:,.0f} {names[1]}.",
        drawing=drawing,
    )


def _cell(axes: Axes, is_class: int, called: int, count: float, total: float, strength: float) -> None:
    """Draw one cell of the matrix: the more reviews, the stronger its colour, up to a legible limit."""
    axes.fill_between(
        [called - 0.48, called + 0.48],
        is_class - 0.48,
        is_class + 0.48,
        color=COLOURS[0] if is_class == called else COLOURS[1],
        alpha=0.08 + 0.37 * strength,
        linewidth=0,
    )
    middle: dict[str, Any] = {"ha": "center", "va": "center", "color": INK}
    axes.text(called, is_class - 0.06, f"{count:,.0f}", size="x-large", **middle)
    axes.text(
        called, is_class + 0.2, f"{rounded_percent(count, max(1, total))} of these", size="small", **middle
    )


def precision_recall(rows: Sequence[Row], metrics: Mapping[str, float]) -> Figure:
    """Draw precision against recall, and where the threshold in use lies.

    Args:
        rows: of curves.csv, by rising threshold.
        metrics: with average_precision, precision, recall and the four counts.
    """
    positives = metrics["true_positives"] + metrics["false_negatives"]
    positive_share = positives / (positives + metrics["true_negatives"] + metrics["false_positives"])
    drawn = enough_called(rows, metrics)
    lowest = min(positive_share, *(row["precision"] for row in drawn), metrics.get("precision", 1.0))
    drawing = new_drawing(width=5.2, height=4.6)
    axes = drawing.add_subplot(
        xlabel="recall: share of positive reviews found",
        ylabel="precision: share right of those called positive",
        xlim=(0, 1.01),
        ylim=(min(0.5, max(0.0, lowest - 0.02)), 1.005),
    )
    axes.axhline(positive_share, ls=":", color=MUTED, label="calling everything positive")
    axes.plot(
        [row["recall"] for row in drawn],
        [row["precision"] for row in drawn],
        color=COLOURS[0],
        label="this network",
    )
    if "precision" in metrics:
        _here(axes, metrics["recall"], metrics["precision"], metrics["threshold"])
    axes.legend(loc="best")
    average = rounded(metrics["average_precision"])
    return Figure(
        name="precision_recall",
        title="Precision-recall curve",
        caption=f"Average precision: {average}; calling everything positive has {rounded(positive_share)}. "
        f"Drawn where at least {FEWEST_CALLED} reviews are called positive.",
        alt=f"Precision against recall, average precision {average}. "
        + _points(drawn, ("recall", "precision"), ("recall", "precision")),
        drawing=drawing,
    )


def roc(rows: Sequence[Row], metrics: Mapping[str, float]) -> Figure:
    """Draw true against false positives (receiver operating characteristic).

    Args:
        rows: of curves.csv, by rising threshold.
        metrics: with roc_auc, recall, threshold and the four counts.
    """
    negatives = metrics["false_positives"] + metrics["true_negatives"]
    drawing = new_drawing(width=5.2, height=4.6)
    axes = drawing.add_subplot(
        xlabel="share of negative reviews called positive",
        ylabel="share of positive reviews found",
        xlim=(-0.01, 1.01),
        ylim=(0, 1.01),
    )
    axes.plot([0, 1], [0, 1], ":", color=MUTED, label="guessing")
    axes.plot(
        [*(row["false_positive_rate"] for row in rows), 0],
        [*(row["recall"] for row in rows), 0],
        color=COLOURS[0],
        label="this network",
    )
    _here(axes, metrics["false_positives"] / negatives, metrics["recall"], metrics["threshold"])
    axes.legend(loc="lower right")
    return Figure(
        name="roc",
        title="ROC curve",
        caption=f"Area under the curve: {rounded(metrics['roc_auc'])}, the chance that a positive review "
        "gets a higher probability than a negative one, ties counting half.",
        alt=f"True positive rate against false positive rate, area {rounded(metrics['roc_auc'])}. "
        + _points(rows, ("false_positive_rate", "recall"), ("false positives", "true positives")),
        drawing=drawing,
    )


def thresholds(rows: Sequence[Row], metrics: Mapping[str, float]) -> Figure:
    """Draw precision, recall and F1 against the threshold.

    Args:
        rows: of curves.csv, by rising threshold.
        metrics: with threshold and the four counts.
    """
    drawn = enough_called(rows, metrics)
    in_use = threshold_text(metrics["threshold"])
    drawing = new_drawing(height=4.0)
    axes = drawing.add_subplot(
        xlabel="threshold: called positive from this probability up",
        ylabel="share",
        xlim=(0, 1),
        ylim=(0, 1.01),
    )
    lines = (("precision", "-", drawn), ("recall", "--", rows), ("f1", "-.", rows))
    for (name, style, shown), colour in zip(lines, COLOURS, strict=False):
        at, values = [row["threshold"] for row in shown], [row[name] for row in shown]
        axes.plot(at, values, style, color=colour, label="F1" if name == "f1" else name)
    axes.axvline(metrics["threshold"], ls=":", color=MUTED, label=f"threshold in use, {in_use}")
    drawing.legend(loc="outside lower center", ncols=4)
    best = max(rows, key=lambda row: row["f1"])
    return Figure(
        name="thresholds",
        title="What the threshold does",
        caption=f"On the test reviews. F1 would be highest, {rounded(best['f1'])}, at "
        f"{threshold_text(best['threshold'])}; choosing that here would be training on the test reviews. "
        f"Precision is drawn where at least {FEWEST_CALLED} reviews are called positive.",
        alt=f"Recall falls as the threshold rises; {_course(drawn)}. "
        + _points(
            drawn,
            ("threshold", "precision", "recall", "f1"),
            ("threshold", "precision", "recall", "F1"),
        ),
        drawing=drawing,
    )


def enough_called(rows: Sequence[Row], metrics: Mapping[str, float]) -> Sequence[Row]:
    """The rows of curves.csv at whose threshold enough reviews are called positive to quote their precision.

    Args:
        rows: by rising threshold.
        metrics: with the four counts.
    """
    positives = metrics["true_positives"] + metrics["false_negatives"]
    negatives = metrics["true_negatives"] + metrics["false_positives"]
    enough = min(FEWEST_CALLED, positives + negatives) - 0.5
    return [
        row for row in rows if row["recall"] * positives + row["false_positive_rate"] * negatives >= enough
    ]


def _course(rows: Sequence[Row]) -> str:
    """How precision goes with the threshold, by the rows at hand."""
    values = [row["precision"] for row in rows]
    first, last, highest = values[0], values[-1], max(values)
    if all(after >= before for before, after in pairwise(values)):
        return (
            f"precision rises from {first:.3f} to {last:.3f}" if last > first else "precision stays the same"
        )
    top = rows[values.index(highest)]["threshold"]
    return (
        f"precision goes from {first:.3f} to {last:.3f}, not always rising, and is highest, {highest:.3f}, "
        f"at {top:.3f}"
    )


def by_length(rows: Sequence[Row], accuracy: float, length: int) -> Figure:
    """Draw accuracy for classes of review lengths, with 95 % intervals.

    Args:
        rows: of by_length.csv: from, to, reviews, accuracy.
        accuracy: of all reviews.
        length: the words that the network reads.
    """
    drawing = new_drawing(height=3.4)
    axes = drawing.add_subplot(xlabel="words in the review", ylabel="accuracy: share of reviews")
    names = [f"{_lengths(row, '–')}\n{counted(int(row['reviews']), 'review')}" for row in rows]
    values = [row["accuracy"] for row in rows]
    axes.axhline(accuracy, ls=":", color=MUTED, label=f"all reviews, {rounded(accuracy)}")
    axes.errorbar(
        range(len(rows)),
        values,
        yerr=_error_bars(rows),
        fmt="o",
        color=COLOURS[0],
        capsize=4,
        markeredgecolor=PAPER,
    )
    axes.set_xticks(range(len(rows)), names, size="small")
    axes.margins(x=0.08)
    axes.legend()
    return Figure(
        name="by_length",
        title="Accuracy by review length",
        caption=f"With 95 % intervals (Wilson). The network reads the last {length:,} words of a review.",
        alt="Accuracy by words in the review. "
        + "; ".join(
            f"{_lengths(row, ' to ')} words: {row['accuracy']:.3f} of "
            f"{counted(int(row['reviews']), 'review')}"
            for row in rows
        )
        + ".",
        drawing=drawing,
    )


def _lengths(row: Row, between: str) -> str:
    """The shortest and the longest review of a row of by_length.csv; one number where they agree."""
    return between.join(f"{length:.0f}" for length in dict.fromkeys((row["from"], row["to"])))


def _here(axes: Axes, x: float, y: float, threshold: float) -> None:
    """Mark the threshold in use on a curve."""
    axes.plot(x, y, "o", color=COLOURS[1], label=f"threshold {threshold_text(threshold)}")


def _error_bars(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """How far the interval of each row's accuracy reaches down and up."""
    values = [row["accuracy"] for row in rows]
    bounds = [share_interval(round(row["accuracy"] * row["reviews"]), round(row["reviews"])) for row in rows]
    return (
        [value - low for value, (low, _) in zip(values, bounds, strict=True)],
        [high - value for value, (_, high) in zip(values, bounds, strict=True)],
    )


def _points(rows: Sequence[Row], columns: Sequence[str], names: Sequence[str]) -> str:
    """A handful of rows from the first to the last, in words."""
    places = sorted({round(place * (len(rows) - 1) / 4) for place in range(5)})
    points = (
        ", ".join(f"{name} {rows[place][column]:.3f}" for column, name in zip(columns, names, strict=True))
        for place in places
    )
    return f"Some points: {'; '.join(points)}."
