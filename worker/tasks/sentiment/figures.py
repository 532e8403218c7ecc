"""Draws a classifier with two classes: confusion matrix, curves, thresholds, accuracy by length."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from jobs.wording import counted
from worker.report.blocks import Figure
from worker.report.theme import COLOURS, INK, MUTED, PAPER, new_drawing

Row = Mapping[str, float]


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
            _cell(axes, is_class, called, count, count / max(1, sum(row)), count / largest)
    axes.set(xticks=(0, 1), yticks=(0, 1), xticklabels=names, yticklabels=names, aspect="equal")
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return Figure(
        name="confusion",
        title="Confusion matrix",
        caption=f"At the threshold {threshold:.3f}; the shares add up to one in each row.",
        alt=f"Of the {names[0]} reviews {matrix[0][0]:,.0f} were called {names[0]} and {matrix[0][1]:,.0f} "
        f"{names[1]}; of the {names[1]} ones {matrix[1][0]:,.0f} were called {names[0]} and "
        f"{matrix[1][1]:,.0f} {names[1]}.",
        drawing=drawing,
    )


def _cell(axes: Axes, is_class: int, called: int, count: float, share: float, strength: float) -> None:
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
    axes.text(called, is_class + 0.2, f"{share:.1%} of these", size="small", **middle)


def precision_recall(rows: Sequence[Row], metrics: Mapping[str, float]) -> Figure:
    """Draw precision against recall, and where the threshold in use lies.

    Args:
        rows: of curves.csv, by rising threshold.
        metrics: with average_precision, precision, recall and the four counts.
    """
    positives = metrics["true_positives"] + metrics["false_negatives"]
    positive_share = positives / (positives + metrics["true_negatives"] + metrics["false_positives"])
    drawing = new_drawing(width=5.2, height=4.6)
    axes = drawing.add_subplot(
        xlabel="recall: positive reviews that are found",
        ylabel="precision: right among those called positive",
        xlim=(0, 1.01),
        ylim=(min(0.5, positive_share), 1.005),
    )
    axes.axhline(positive_share, ls=":", color=MUTED, label="calling everything positive")
    axes.plot(
        [row["recall"] for row in rows],
        [row["precision"] for row in rows],
        color=COLOURS[0],
        label="this network",
    )
    _here(axes, metrics["recall"], metrics["precision"], metrics["threshold"])
    axes.legend(loc="lower left")
    return Figure(
        name="precision_recall",
        title="Precision-recall curve",
        caption=f"Average precision: {metrics['average_precision']:.4f}.",
        alt=f"Precision against recall, average precision {metrics['average_precision']:.4f}. "
        + _points(rows, "recall", "precision"),
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
        xlabel="negative reviews that are called positive",
        ylabel="positive reviews that are found",
        xlim=(-0.01, 1),
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
        caption=f"Area under the curve: {metrics['roc_auc']:.4f}, the probability that a positive "
        "review gets a higher score than a negative one.",
        alt=f"True positive rate against false positive rate, area {metrics['roc_auc']:.4f}. "
        + _points(rows, "false_positive_rate", "recall"),
        drawing=drawing,
    )


def thresholds(rows: Sequence[Row], metrics: Mapping[str, float]) -> Figure:
    """Draw precision, recall and F1 against the threshold.

    Args:
        rows: of curves.csv, by rising threshold.
        metrics: with threshold.
    """
    drawing = new_drawing(height=4.0)
    axes = drawing.add_subplot(
        xlabel="threshold: called positive from this probability up", xlim=(0, 1), ylim=(0, 1.01)
    )
    lines = (("precision", "-", COLOURS[0]), ("recall", "--", COLOURS[1]), ("f1", "-.", COLOURS[2]))
    at = [row["threshold"] for row in rows]
    for name, style, colour in lines:
        label = "F1" if name == "f1" else name
        axes.plot(at, [row[name] for row in rows], style, color=colour, label=label)
    axes.axvline(
        metrics["threshold"], ls=":", color=MUTED, label=f"threshold in use, {metrics['threshold']:.3f}"
    )
    drawing.legend(loc="outside lower center", ncols=4)
    best = max(rows, key=lambda row: row["f1"])
    return Figure(
        name="thresholds",
        title="What the threshold does",
        caption=f"On the test reviews. F1 would be highest, {best['f1']:.4f}, at {best['threshold']:.3f}; "
        "choosing that here would be training on the test reviews.",
        alt="Precision rises and recall falls with the threshold. At "
        + "; at ".join(
            f"{row['threshold']:.2f} precision {row['precision']:.3f}, recall {row['recall']:.3f}, "
            f"F1 {row['f1']:.3f}"
            for row in _some(rows)
        )
        + ".",
        drawing=drawing,
    )


def by_length(rows: Sequence[Row], accuracy: float, length: int) -> Figure:
    """Draw accuracy for classes of review lengths, with 95 % intervals.

    Args:
        rows: of by_length.csv: from, to, reviews, accuracy.
        accuracy: of all reviews.
        length: the words that the network reads.
    """
    drawing = new_drawing(height=3.4)
    axes = drawing.add_subplot(xlabel="words in the review", ylabel="accuracy")
    names = [f"{row['from']:.0f}–{row['to']:.0f}\n{counted(int(row['reviews']), 'review')}" for row in rows]
    values = [row["accuracy"] for row in rows]
    axes.axhline(accuracy, ls=":", color=MUTED, label=f"all reviews, {accuracy:.4f}")
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
            f"{row['from']:.0f} to {row['to']:.0f} words: {row['accuracy']:.3f} of "
            f"{counted(int(row['reviews']), 'review')}"
            for row in rows
        )
        + ".",
        drawing=drawing,
    )


def _here(axes: Axes, x: float, y: float, threshold: float) -> None:
    """Mark the threshold in use on a curve."""
    axes.plot(x, y, "o", color=COLOURS[1], label=f"threshold {threshold:.3f}")


def _error_bars(rows: Sequence[Row]) -> tuple[list[float], list[float]]:
    """How far the interval of each row's accuracy reaches down and up."""
    values = [row["accuracy"] for row in rows]
    bounds = [_interval(row["accuracy"], row["reviews"]) for row in rows]
    return (
        [value - low for value, (low, _) in zip(values, bounds, strict=True)],
        [high - value for value, (_, high) in zip(values, bounds, strict=True)],
    )


def _interval(share: float, count: float) -> tuple[float, float]:
    """The 95 % interval of a share by Wilson (1927), which stays within [0, 1]."""
    # Of all reports only this figure needs SciPy, which takes half a second to load.
    from scipy import stats

    found = stats.binomtest(round(share * count), round(count)).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


def _some(rows: Sequence[Row]) -> list[Row]:
    """A handful of rows from the first to the last."""
    return [rows[round(place * (len(rows) - 1) / 4)] for place in range(5)]


def _points(rows: Sequence[Row], x: str, y: str) -> str:
    return "; ".join(f"{row[x]:.2f}: {row[y]:.2f}" for row in _some(rows)) + "."
