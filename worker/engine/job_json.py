"""Makes the content of `job.json`, without TensorFlow, since some jobs fail before that is loaded."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from jobs.cli.command_line import command_line
from jobs.ledger.job_record import Record
from worker.engine.gpu import device

_PACKAGES = ("quartet", "tensorflow", "keras", "numpy", "celery", "redis")


def job_json(
    record: Record,
    *,
    state: str,
    attempt: int,
    finished: float,
    timeline: Sequence[Mapping[str, Any]],
    data: Mapping[str, Any],
    notes: Sequence[str],
    headline: Mapping[str, Any] | None = None,
    error: str | None = None,
    log_end: str | None = None,
) -> dict[str, Any]:
    """The content of `job.json`.

    Args:
        record: what the ledger knew of the job when it was claimed.
        state: the state to record.
        attempt: the number of the attempt that writes it.
        finished: when the job ended, or now; in seconds since 1970.
        timeline: events with `time` in milliseconds since 1970 and `text`.
        data: name, path and SHA-256 of each dataset that was read.
        notes: sentences that the report shows.
        headline: the metric that lists show, with `label`, `value` and `unit`.
        error: why the job failed.
        log_end: the last lines of the log of a job that failed.

    Returns:
        A mapping that can be written as JSON.
    """
    started = (record.started or record.submitted) / 1000
    return {
        "id": record.id,
        "state": state,
        "spec": record.spec.model_dump(mode="json", by_alias=True),
        "attempt": attempt,
        "lost_workers": record.lost,
        "continues": record.continues,
        "times": {
            "submitted": iso(record.submitted / 1000),
            "started": iso(started),
            "finished": iso(finished),
        },
        "seconds": round(finished - started, 3),
        "command": command_line(record.spec),
        "seed": record.spec.seed,
        "data": dict(data),
        "device": device.describe(),
        "versions": dict(versions()),
        "worker": record.worker,
        "notes": list(notes),
        "headline": headline,
        "error": error,
        "log_end": log_end,
        "timeline": [{"time": iso(entry["time"] / 1000), "text": entry["text"]} for entry in timeline],
    }


def iso(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def versions() -> Mapping[str, str]:
    """The versions of Python and of the packages that matter, as installed when this process first looked."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
