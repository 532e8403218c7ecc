"""A table's cells are formatted whatever numbers and texts a job wrote."""

import math

import pytest

from tests.tasks.hostile_files import assert_linear
from worker.report.cells import LONGEST_CELL, shown_cells


@pytest.mark.parametrize("value", [1e28, 1e308, -1e308, 5e-324, math.inf, math.nan, 10**400])
def test_numbers_of_any_size_are_shown(value: float) -> None:
    texts, _ = shown_cells([(value, "a"), (0.5, "b")])
    assert all(len(cell) < 40 for row in texts for cell in row)


def test_a_long_cell_is_clipped() -> None:
    texts, _ = shown_cells([("a\u0300" * 1_000_000,)])
    assert len(texts[0][0]) <= LONGEST_CELL + 2


def test_texts_that_look_like_numbers_take_linear_time() -> None:
    assert_linear(lambda size: lambda: shown_cells([("1." * size + "x!",)]), 200_000)


def test_all_columns_of_shares_have_the_same_decimals() -> None:
    rows = [(0.9, 0.64, 1.0, 0.8123, 3), (0.95, 0.5, 1.0, 0.5, 4)]
    texts, _ = shown_cells(rows)
    assert texts == [["0.90", "0.6400", "1.0000", "0.8123", "3"], ["0.95", "0.5000", "1.0000", "0.5000", "4"]]
