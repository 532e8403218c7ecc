"""A table's cells as text: the numbers of one column with the same digits, so that they can be compared."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from numbers import Integral

from worker.report.words import number

SIGNIFICANT = 4
"""Digits of the largest number in a column."""

_LIKE_A_NUMBER = re.compile(r"[−+-]?[\d.,]+( ?(%|[a-zA-Zµ]{1,6}))?|[–-]?")

Cell = str | float


def shown_cells(rows: Sequence[Sequence[Cell]]) -> tuple[list[list[str]], list[bool]]:
    """The cells as text, and which columns hold numbers and nothing else."""
    width = max((len(row) for row in rows), default=0)
    columns = [[row[index] for row in rows if index < len(row)] for index in range(width)]
    digits = [_digits(column) for column in columns]
    texts = [[_text(cell, digits[index]) for index, cell in enumerate(row)] for row in rows]
    numeric = [
        all(not isinstance(cell, str) or _LIKE_A_NUMBER.fullmatch(cell) is not None for cell in column)
        for column in columns
    ]
    return texts, numeric


def _text(cell: Cell, digits: int | None) -> str:
    if isinstance(cell, str):
        return cell
    return number(cell) if isinstance(cell, Integral) else number(cell, digits)


def _digits(column: Sequence[Cell]) -> int | None:
    """As many decimals as the largest needs for four digits, without zeros that all of them end in."""
    fractions = [cell for cell in column if not isinstance(cell, (str, Integral))]
    values = [Decimal(str(cell)) for cell in fractions if math.isfinite(cell)]
    largest = max((abs(value) for value in values), default=Decimal(0))
    if not largest:
        return 1
    most = max(0, SIGNIFICANT - 1 - largest.adjusted())
    if most > 2 * SIGNIFICANT:
        return None
    rounded = [round(value, most) for value in values]
    return next(
        digits for digits in range(most + 1) if all(round(value, digits) == value for value in rounded)
    )
