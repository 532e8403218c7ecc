"""Formats the data that a job read and its timeline, as `job.json` records them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.report.formatting import LONGEST_VALUE, clipped, duration, moment, number


@dataclass(frozen=True)
class ShownDataset:
    """One dataset's record: (label, value, whether it is set as code), in the order of the record."""

    name: str
    entries: list[tuple[str, str, bool]]


@dataclass(frozen=True)
class Event:
    """One line of the timeline."""

    time: datetime
    since: str
    """Time since the first event, empty for the first."""
    text: str


def shown_data(data: Mapping[str, Any]) -> list[ShownDataset]:
    """Format every dataset's record in `job.json`, whatever its task recorded.

    Args:
        data: a dataset's name -> its record, usually `name`, `path`, `sha256` and `examples`.
    """
    return [
        ShownDataset(
            name,
            [
                (_label(key), _text(value), key in ("sha256", "path"))
                for key, value in (record.items() if isinstance(record, dict) else [("record", record)])
                if value is not None and not (key == "name" and value == name)
            ],
        )
        for name, record in data.items()
    ]


def shown_timeline(timeline: Sequence[Mapping[str, str]]) -> list[Event]:
    """Format the events, each with the time since the first.

    Args:
        timeline: `time` (ISO 8601) and `text` of each event, oldest first.

    Raises:
        ValueError: a `time` is not a time.
    """
    times = [moment(event["time"]) for event in timeline]
    passed = [(time - times[0]).total_seconds() for time in times]
    return [
        Event(time, f"+ {duration(seconds)}" if seconds else "", event["text"])
        for time, seconds, event in zip(times, passed, timeline, strict=True)
    ]


def _label(key: str) -> str:
    return "SHA-256" if key == "sha256" else key.replace("_", " ")


def _text(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return number(value)
        case str():
            return clipped(value, LONGEST_VALUE)
        case dict() if not any(isinstance(entry, (dict, list)) for entry in value.values()):
            entries = [f"{_label(key)} {_text(entry)}" for key, entry in value.items()]
            return clipped(", ".join(entries), LONGEST_VALUE)
        case list() if not any(isinstance(entry, (dict, list)) for entry in value):
            return clipped(", ".join(map(_text, value)), LONGEST_VALUE)
    return clipped(json.dumps(value, ensure_ascii=False), LONGEST_VALUE)
