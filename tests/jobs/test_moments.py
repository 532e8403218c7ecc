"""Moments as a person writes and reads them."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.errors import InvalidInput
from jobs.moments import ago, since


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(seconds=-5), "0 s ago"),
        (timedelta(seconds=61.5), "61 s ago"),
        (timedelta(minutes=3.5), "3 min ago"),
        (timedelta(hours=5.5), "5 h ago"),
        (timedelta(days=2.5), "2 days ago"),
        (timedelta(days=400.5), "400 days ago"),
    ],
)
def test_an_age_has_one_unit(span: timedelta, text: str) -> None:
    assert ago((datetime.now(UTC) - span).isoformat()) == text


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1_800), ("2h", 7_200), ("3d", 259_200), ("1w", 604_800)]
)
def test_a_span_is_counted_back_from_now(text: str, seconds: int) -> None:
    assert abs((datetime.now(UTC) - since(text)).total_seconds() - seconds) < 30


def test_a_date_without_a_zone_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Etc/GMT-5")
    time.tzset()
    try:
        assert since("2026-11-23") == datetime(2026, 11, 22, 19, tzinfo=UTC)
        assert since("2026-11-23T10:30") == datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
        assert since("2026-11-23T10:30Z") == datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "text",
    ["", "soon", "2", "h", "-2h", "0h", "2 h", "2y", "9999999d", "2026-13-01", "٣d", 3, b"2h"],
)
def test_anything_else_is_refused_in_one_sentence(text: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        since(text)
    assert caught.value.field == "since"
    assert caught.value.expected == "a span such as 30m, 2h, 3d or 1w, or a date such as 2026-11-23"
