"""Moments as a person writes and reads them: `2h` or `2026-11-23`; `3 min ago`."""

import re
from datetime import UTC, datetime, timedelta

from jobs.errors import InvalidInput
from jobs.wording import counted, shown

SINCE = "a span such as 30m, 2h, 3d or 1w, or a date such as 2026-11-23"
"""What `since` reads, after `expected`."""

_SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SPAN = re.compile(r"([1-9]\d{0,5})([mhdw])")


def ago(moment: str) -> str:
    """How long ago an ISO 8601 time was: `3 min ago`."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{max(0, int(seconds // size))} {unit} ago"
    return f"{counted(int(seconds // 86400), 'day')} ago"


def milliseconds(moment: str) -> int:
    """An ISO 8601 time in milliseconds since 1970.

    Raises:
        ValueError: it is none.
    """
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def since(text: str) -> datetime:
    """The moment that a span before now, or a date, stands for.

    Args:
        text: a number of minutes, hours, days or weeks (`30m`, `2h`, `3d`, `1w`), or a date of ISO 8601, with
            or without a time; one without a zone is local.

    Raises:
        InvalidInput: it is neither.
    """
    try:
        span = _SPAN.fullmatch(text)
        if span is not None:
            return datetime.now(UTC) - timedelta(seconds=int(span[1]) * _SECONDS[span[2]])
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, OSError):  # a year that no calendar has
        raise InvalidInput("since", expected=SINCE, given=shown(text)) from None
