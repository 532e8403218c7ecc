"""Formats a table's cells: the numbers of a column get the same decimals, so that they can be compared."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from numbers import Integral

from worker.report.formatting import clipped, number

SIGNIFICANT = 4
"""Digits of the largest number in a column, at most."""

LONGEST_CELL = 2_000
"""Characters of a cell that are shown."""

_MOST_DIGITS = 25
"""Of a number that a Decimal can round to an integer."""

_LIKE_A_NUMBER = re.compile(r"[−+-]?[\d.,]+( ?(%|[a-zA-Zµ]{1,6}))?|[–-]?")

Cell = str | float


def shown_cells(rows: Sequence[Sequence[Cell]]) -> tuple[list[list[str]], list[bool]]:
    """Format the cells of a table.

    Args:
        rows: of text and numbers; rows may be shorter than the widest.

    Returns:
        The cells as text, in the same rows, and for each column whether it holds only numbers.
    """
    width = max((len(row) for row in rows), default=0)
    columns = [[row[index] for row in rows if index < len(row)] for index in range(width)]
    digits = _alike(columns, [_digits(column) for column in columns])
    texts = [[_text(cell, digits[index]) for index, cell in enumerate(row)] for row in rows]
    numeric = [
        all(not isinstance(cell, str) or _LIKE_A_NUMBER.fullmatch(cell) is not None for cell in column)
        for column in columns
    ]
    return texts, numeric


def _text(cell: Cell, digits: int | None) -> str:
    if isinstance(cell, str):
        return clipped(cell, LONGEST_CELL)
    return number(cell) if isinstance(cell, Integral) else number(cell, digits)


def _alike(columns: Sequence[Sequence[Cell]], digits: Sequence[int | None]) -> list[int | None]:
    """The same decimals for all columns of shares, whatever zeros theirs end in; the first names the rows."""
    shares = [place for place, column in enumerate(columns) if place and _holds_shares(column)]
    most = max((digits[place] or 0 for place in shares), default=0)
    return [
        max(own, min(SIGNIFICANT, most)) if own is not None and place in shares else own
        for place, own in enumerate(digits)
    ]


def _holds_shares(column: Sequence[Cell]) -> bool:
    numbers = [cell for cell in column if not isinstance(cell, str)]
    return bool(numbers) and all(
        not isinstance(cell, Integral) and math.isfinite(cell) and abs(cell) <= 1 for cell in numbers
    )


def _digits(column: Sequence[Cell]) -> int | None:
    """Decimals that give the largest number four digits, less the zeros that all numbers end in."""
    fractions = [cell for cell in column if not isinstance(cell, (str, Integral))]
    values = [Decimal(str(cell)) for cell in fractions if math.isfinite(cell)]
    largest = max((abs(value) for value in values), default=Decimal(0))
    if not largest:
        return 1
    if largest.adjusted() > _MOST_DIGITS:
        return None
    most = max(0, SIGNIFICANT - 1 - largest.adjusted())
    if most > 2 * SIGNIFICANT:
        return None
    rounded = [round(value, most) for value in values]
    return next(
        digits for digits in range(most + 1) if all(round(value, digits) == value for value in rounded)
    )
