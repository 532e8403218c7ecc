"""`TrackedRun`: what Quartet writes to MLflow about a job or a sweep, within its limits on lengths."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]

LONGEST_NAME, LONGEST_PARAMETER, LONGEST_TAG = 250, 6_000, 8_000
"""In characters, of what MLflow takes."""

TAGS, NOTE, PARENT = "quartet.tags", "mlflow.note.content", "mlflow.parentRunId"
WHY, BEST = "quartet.sweep.why", "quartet.sweep.best"
MAY_GO = (TAGS, NOTE, WHY, BEST)
"""The tags that a run may have today and no longer tomorrow."""

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_. -]")


@dataclass(frozen=True)
class MetricValue:
    """One value of a metric.

    Attributes:
        name: of the metric.
        value: unrounded.
        moment: milliseconds since 1970.
        step: the epoch; 0 for a number of the whole run.
    """

    name: str
    value: float
    moment: int
    step: int


@dataclass(frozen=True)
class TrackedRun:
    """One run.

    Attributes:
        experiment: the name of its experiment.
        identity: the tag by which it is found again in that experiment, and its value.
        name: for people.
        status: of the run.
        started: milliseconds since 1970, as is `ended`.
        ended: None while it runs.
        params: by name.
        metrics: numbers of the whole run.
        history: the numbers of its epochs.
        tags: by name.
        folder: in which its files lie.
        files: the files to copy, by their paths in the folder.
        model: the path of the model in the folder, where it is to be copied too.
    """

    experiment: str
    identity: tuple[str, str]
    name: str
    status: Status
    started: int
    ended: int | None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[MetricValue, ...] = ()
    history: tuple[MetricValue, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    files: tuple[str, ...] = ()
    model: str | None = None


def named(name: object) -> str:
    """A name as MLflow takes it for params, metrics and tags: it is part of a path there."""
    return _NOT_IN_A_NAME.sub("_", str(name)).strip(". ")[:LONGEST_NAME].rstrip(". ") or "_"


def params_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as MLflow takes them: texts as they are, all else as in JSON."""
    return {named(name): cut(_text(value), LONGEST_PARAMETER) for name, value in values.items()}


def tags_of(values: Mapping[str, object]) -> dict[str, str]:
    """Tags as MLflow takes them, without those that are None or empty."""
    return {
        named(name): cut(str(value), LONGEST_TAG) for name, value in values.items() if value not in (None, "")
    }


def cut(text: str, most: int) -> str:
    """A text with an end that says so, where it is longer than that; half characters and NUL are escaped."""
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
