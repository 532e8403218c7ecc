"""Formats numbers, times and sizes for reading, as plain text without locale or markup."""

import math
from datetime import UTC, datetime
from decimal import Decimal
from numbers import Integral

LONGEST_VALUE = 600
"""Characters of a parameter's value, or of a dataset's record, that a page shows."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int | None = None) -> str:
    """Format a number: `1234.5678` as `1,234.57`, or as `1,235` where `digits` is None.

    A number that would be very long, or would be rounded to zero, is written as a power of ten. The exact
    value is rounded, halves to even, as Python's `round` and `format` do: pages, lists and texts all agree.

    Args:
        value: an integer keeps all its digits; infinities and NaN are written as words.
        digits: decimals; None for four significant digits.
    """
    whole = isinstance(value, Integral)
    if not whole and not math.isfinite(value):
        return str(value).replace("-", "−")
    exact = Decimal(int(value) if whole else float(value))
    size = abs(exact if whole else Decimal(str(value)))
    smallest = Decimal(1).scaleb(-(4 if digits is None else digits))
    if size >= 10**9 or 0 < size < smallest:
        mantissa, _, exponent = f"{exact:.3e}".partition("e")
        text = f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    elif whole:
        text = f"{exact:,}"
    elif digits is None:
        text = f"{exact:,.{max(0, 3 - size.adjusted()) if size else 0}f}"
    else:
        text = f"{exact:,.{digits}f}"
    return text.replace("-", "−")


def rounded_number(value: float) -> str:
    """Format a number that is already rounded, with all the digits it has."""
    exponent = Decimal(str(value)).normalize().as_tuple().exponent
    return number(value, max(0, -exponent) if isinstance(exponent, int) else None)


def percentage(share: float, digits: int = 0) -> str:
    """Format a measured share as `45 %`, with so many decimals."""
    return f"{100 * share:.{digits}f} %"


def duration(seconds: float) -> str:
    """Format seconds as `0.42 s`, `12.3 s`, `3 min 05 s` or `2 h 07 min`."""
    if seconds < 1:
        return f"{max(0.0, seconds):.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02d} min"


def moment(text: str) -> datetime:
    """Parse an ISO 8601 time as UTC, which is also assumed where it names no zone.

    Raises:
        ValueError: it is not a time.
    """
    parsed = datetime.fromisoformat(text)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def clipped(text: str, length: int) -> str:
    """`text`, or its first `length` characters and an ellipsis."""
    return text if len(text) <= length else text[:length].rstrip() + " …"
