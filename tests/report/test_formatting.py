"""Numbers, times and table cells as text."""

import pytest

from worker.report import formatting
from worker.report.cells import shown_cells


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.09347, 4, "0.0935"),
        (17.0, 2, "17.00"),
        (-3.5, 1, "−3.5"),
        (1234567.891, 2, "1,234,567.89"),
        (0.0, 4, "0.0000"),
        (0.0000012, 4, "1.200 × 10⁻⁶"),
        (1e300, 2, "1.000 × 10³⁰⁰"),
        (10**400, None, "1.000 × 10⁴⁰⁰"),
        (70_000, None, "70,000"),
        (0.123456, None, "0.1235"),
        (123.456, None, "123.5"),
        (12345.6, None, "12,346"),
        (float("inf"), 2, "inf"),
        (float("-inf"), 2, "−inf"),
        (float("nan"), 2, "nan"),
    ],
)
def test_numbers_keep_their_digits_and_never_fill_a_line(value: float, digits: int, text: str) -> None:
    assert formatting.number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0935, "0.0935"), (17.3, "17.3"), (12, "12"), (1e-7, "0.0000001"), (1e22, "1.000 × 10²²")],
)
def test_a_rounded_number_keeps_what_it_has(value: float, text: str) -> None:
    assert formatting.rounded_number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.0, "0.00 s"),
        (0.042, "0.04 s"),
        (12.34, "12.3 s"),
        (59.97, "1 min 00 s"),
        (63.2, "1 min 03 s"),
        (3599.7, "1 h 00 min"),
        (90_061, "25 h 01 min"),
    ],
)
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert formatting.duration(seconds) == text


def test_the_numbers_of_a_column_have_the_same_digits() -> None:
    texts, numeric = shown_cells(
        [
            ["noisy", 1.2312, 8.15, 0.2, 41, "62 %", "10 of 10 stars", float("nan")],
            ["denoised", 0.1291, 17.02, 1.0, 18_000, "4 %", "7", 1e-12],
        ]
    )
    assert texts == [
        ["noisy", "1.231", "8.15", "0.2", "41", "62 %", "10 of 10 stars", "nan"],
        ["denoised", "0.129", "17.02", "1.0", "18,000", "4 %", "7", "1.000 × 10⁻¹²"],
    ]
    assert numeric == [False, True, True, True, True, True, False, True]
    assert shown_cells([]) == ([], [])
