"""What lists show of a published job: read from its folder once, and then from a line of the index."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from jobs.errors import DamagedFolder, InvalidJob
from jobs.ids import is_job_id
from jobs.ledger.job_record import ENDED, check_sweep
from jobs.specs.stored_spec import StoredSpec
from jobs.store.job_folder import JobFolder, is_finite
from jobs.store.strict_json import parse_json
from jobs.tags import check_tags

MOST_LINE_BYTES = 32_768
DAMAGED = "damaged"
"""The state of a job whose folder cannot be read."""

MOST_NAMES = 24
"""Metrics, and parameters, that a line keeps."""

MOST_ENTRIES = 8
"""Entries that a line keeps of a parameter that is a list."""

MOST_PARAMETER_BYTES = 4_096
"""That a line keeps of all parameters together."""

_MOST = {
    "model": 64, "action": 64, "name": 200, "worker": 200, "error": 300, "label": 80, "unit": 40,
    "warning": 300, "metric": 40, "parameter": 80, "sweep": 64,
}  # fmt: skip
"""Characters that a line keeps of each text."""

_UNREADABLE = "This folder's job.json is missing or is not a job's record."


@dataclass(frozen=True)
class Row:
    """One published job. A damaged folder has a state and an error, and nothing else.

    Attributes:
        state: succeeded, failed, cancelled or `damaged`.
        name: the name that its owner gave it, if any.
        headline: its most important metric: `label`, `value` and `unit`.
        submitted: ISO 8601 in UTC, as are `started` and `finished`.
        attempt: the number of the attempt that ended it.
        worker: the name of the worker that ended it.
        error: the beginning of why it failed or was cancelled.
        seconds: from its start to its end.
        continues: the id of the job whose checkpoint it resumed from.
        source: the id of the training job whose model it used.
        sweep: the name of its sweep, if it is of one.
        tags: those that it was submitted with, in the index; from `History`, those that it has.
        note: what somebody wrote about it since; always empty in the index.
        thumbnail: whether it has a picture for lists.
        warning: the first of what makes its numbers doubtful.
        metrics: its numbers by name, in the order of `metrics.json`, to six significant digits.
        parameters: those that were set, by name: scalars, or short lists of scalars.
    """

    id: str
    state: str
    model: str = ""
    action: str = ""
    name: str | None = None
    headline: dict[str, Any] | None = None
    submitted: str | None = None
    started: str | None = None
    finished: str | None = None
    attempt: int = 0
    worker: str | None = None
    error: str | None = None
    seconds: float | None = None
    continues: str | None = None
    source: str | None = None
    sweep: str | None = None
    thumbnail: bool = False
    warning: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    note: str = ""

    @property
    def damaged(self) -> bool:
        """Whether its folder cannot be read."""
        return self.state == DAMAGED

    @property
    def kind(self) -> str:
        """Model and action, with a space between them; empty where the folder is damaged."""
        return f"{self.model} {self.action}".strip()

    def line(self) -> bytes:
        """A line of the index, without its end."""
        kept = {name: value for name, value in self.__dict__.items() if name != "note"}
        return json.dumps(kept, separators=(",", ":"), allow_nan=False).encode()

    @classmethod
    def of_line(cls, line: bytes) -> "Row | None":
        """Read what `line` wrote; None if it is damaged."""
        if len(line) > MOST_LINE_BYTES:
            return None
        try:
            values = parse_json(line)
            row = cls(**{**values, "tags": check_tags(values.get("tags", ())), "note": ""})
            if row.state == DAMAGED:
                return cls(row.id, DAMAGED, error=_UNREADABLE)
            return row if _is_whole(row) else None
        except (ValueError, TypeError, LookupError):
            return None

    @classmethod
    def of_folder(cls, folder: JobFolder) -> "Row":
        """Read a folder; one that cannot be read gives a damaged row."""
        try:
            row = _read(folder)
            if _is_whole(row):
                return row
        except (DamagedFolder, InvalidJob, OSError, LookupError, TypeError, ValueError, AttributeError):
            pass
        return cls(folder.id, DAMAGED, error=_UNREADABLE)


def _read(folder: JobFolder) -> Row:
    job = folder.job
    stored, times, best = StoredSpec.of_folder(job), job["times"], job["headline"]
    return Row(
        id=folder.id,
        state=job["state"],
        model=_clipped("model", stored.model),
        action=_clipped("action", stored.action),
        name=_clipped("name", stored.name),
        headline=best and {key: _clipped(key, best[key]) for key in ("label", "value", "unit")},
        submitted=times["submitted"],
        started=times["started"],
        finished=times["finished"],
        attempt=job["attempt"],
        worker=_clipped("worker", job["worker"]),
        error=_clipped("error", job["error"]),
        seconds=job["seconds"],
        continues=_id(job.get("continues")),
        source=_id(stored.source),
        sweep=_sweep_of(job),
        thumbnail=(folder.path / "figures" / "thumbnail.png").is_file(),
        warning=_clipped("warning", next(iter(job.get("warnings") or []), None)),
        metrics=_metrics(folder),
        parameters=_parameters(stored.parameters),
        tags=check_tags(stored.tags),
    )  # fmt: skip


def _sweep_of(job: Mapping[str, Any]) -> str | None:
    sweep = check_sweep(job.get("sweep"))
    return None if sweep is None else str(sweep["name"])


def _metrics(folder: JobFolder) -> dict[str, float]:
    with suppress(DamagedFolder):  # the rest of its row can be read
        return {
            _clipped("metric", name): float(f"{value:.6g}")
            for name, value in islice(folder.metrics.items(), MOST_NAMES)
        }
    return {}


def _parameters(were_set: Mapping[str, Any]) -> dict[str, Any]:
    """As many of the parameters as a line keeps, each cut to a scalar or a short list of scalars."""
    kept: dict[str, Any] = {}
    for name, value in islice(were_set.items(), MOST_NAMES):
        kept[_clipped("metric", name)] = _clipped_parameter(value)
        if len(json.dumps(kept)) > MOST_PARAMETER_BYTES:
            kept.popitem()
    return kept


def _clipped_parameter(value: Any) -> Any:
    if not isinstance(value, list):
        return _clipped_scalar(value)
    more = ["…"] if len(value) > MOST_ENTRIES else []
    return [_clipped_scalar(entry) for entry in value[:MOST_ENTRIES]] + more


def _clipped_scalar(value: Any) -> Any:
    is_short = value is None or (isinstance(value, int | float) and len(str(value)) < 40)
    return value if is_short else _clipped("parameter", str(value))


def _clipped(key: str, value: Any) -> Any:
    most = _MOST.get(key, 0)
    return f"{value[: most - 1]}…" if isinstance(value, str) and len(value) > most else value


def _id(value: Any) -> str | None:
    return value if is_job_id(value) else None


def _is_whole(row: Row) -> bool:
    """Whether all of a row has the types and the sizes that its readers expect."""
    texts = [("model", row.model), ("action", row.action), ("name", row.name), ("worker", row.worker)]
    texts += [("error", row.error), ("warning", row.warning), ("sweep", row.sweep)]
    best = row.headline
    if best is not None:
        if not isinstance(best, dict) or not is_finite(best["value"]):
            return False
        texts += [("label", best["label"]), ("unit", best["unit"])]
    return (
        is_job_id(row.id)
        and row.state in ENDED
        and all(isinstance(text, str | None) and len(text or "") <= _MOST[key] for key, text in texts)
        and all(_is_moment(moment) for moment in (row.submitted, row.started, row.finished))
        and isinstance(row.attempt, int)
        and 0 <= row.attempt < 2**31
        and (row.seconds is None or is_finite(row.seconds))
        and all(link is None or is_job_id(link) for link in (row.continues, row.source))
        and all(
            isinstance(values, dict) and len(values) <= MOST_NAMES for values in (row.metrics, row.parameters)
        )
        and all(map(is_finite, row.metrics.values()))
        and all(map(_is_parameter, row.parameters.values()))
    )


def _is_parameter(value: Any) -> bool:
    entries = value if isinstance(value, list) else [value]
    return len(entries) <= MOST_ENTRIES + 1 and all(
        isinstance(entry, str | int | float | None) for entry in entries
    )


def _is_moment(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= 40 and datetime.fromisoformat(text).tzinfo is not None
