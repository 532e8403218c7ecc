"""A table of one line a row that fits any terminal: columns shrink, then leave in an order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from jobs.showing.terminal import padded

GAP = 1
"""Columns of the terminal between two of a table."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        header: its name.
        cells: of each row, on one line.
        least: how narrow it may become; without it, as wide as its widest cell.
        good: the width that it gets before any column gets more.
        most: how wide it becomes at most; without it, as wide as its widest cell.
        leaves: which columns leave first where all do not fit: those with the highest number; 0 for one that
            stays.
        fitted: writes a cell in so many columns of the terminal.
    """

    header: str
    cells: Sequence[Any]
    least: int | None = None
    good: int = 0
    most: int | None = None
    leaves: int = 0
    fitted: Callable[[Any, int], str] = padded

    @property
    def widest(self) -> int:
        """The width at which nothing is cut but what is wider than `most`."""
        widest = max(cell_len(self.header), *(cell_len(str(cell)) for cell in self.cells), 0)
        return widest if self.most is None else min(widest, self.most)


def lines(columns: Sequence[Column], width: int | None) -> list[tuple[str, ...]]:
    """The cells of each line, the header's first, padded to the width of their columns.

    Args:
        columns: in the order in which they are shown.
        width: of the terminal; None for one without bounds.
    """
    widths = _widths(columns, width)
    kept = [column for column in columns if column.header in widths]
    header = tuple(padded(column.header, widths[column.header]) for column in kept)
    rows = zip(
        *([column.fitted(cell, widths[column.header]) for cell in column.cells] for column in kept),
        strict=True,
    )
    return [header, *rows]


def _widths(columns: Sequence[Column], width: int | None) -> dict[str, int]:
    """The width of each column that stays."""
    widest = {column.header: column.widest for column in columns}
    if width is None:
        return widest
    kept = list(columns)
    while True:
        found = {each.header: min(each.least or 10**6, widest[each.header]) for each in kept}
        spare = width - sum(found.values()) - GAP * (len(kept) - 1)
        leaving = max(kept, key=lambda column: column.leaves)
        if spare >= 0 or not leaving.leaves:
            break
        kept.remove(leaving)
    for goals in ({each.header: min(each.good, widest[each.header]) for each in kept}, widest):
        for column in kept:
            more = max(0, min(spare, goals[column.header] - found[column.header]))
            found[column.header] += more
            spare -= more
    return found
