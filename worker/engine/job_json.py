"""Makes the content of `job.json`, without TensorFlow, since some jobs fail before that is loaded."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from jobs.errors import QuartetError
from jobs.job import iso
from jobs.ledger.job_record import Record
from jobs.reuse import Fingerprint
from jobs.showing.command_line import command_line
from jobs.specs.stored_spec import StoredSpec
from worker.engine.gpu import device

_PACKAGES = ("quartet", "tensorflow", "keras", "numpy", "celery", "redis")


def job_json(
    record: Record,
    *,
    state: str,
    attempt: int,
    finished: int,
    timeline: Sequence[Mapping[str, Any]],
    data: Mapping[str, Any],
    notes: Sequence[str],
    warnings: Sequence[str] = (),
    headline: Mapping[str, Any] | None = None,
    code: Mapping[str, Any] | None = None,
    fingerprint: Fingerprint | None = None,
    usage: Mapping[str, Any] | None = None,
    error: str | None = None,
    log_end: str | None = None,
) -> dict[str, Any]:
    """The content of `job.json`.

    Args:
        record: what the ledger knew of the job when it was claimed.
        state: the state to record.
        attempt: the number of the attempt that writes it.
        finished: when the job ended, or now; in milliseconds since 1970.
        timeline: events with `time` in milliseconds since 1970 and `text`.
        data: name, path and SHA-256 of each dataset that was read.
        notes: sentences that the report shows.
        warnings: sentences that the report and lists show first.
        headline: the metric that lists show, with `label`, `value` and `unit`.
        code: the code that ran it, as `jobs.code_version` names it.
        fingerprint: what it has in common with equal jobs; None where that is not known.
        usage: what its last attempt used of the machine, as `worker.engine.usage` measures it.
        error: why the job failed.
        log_end: the last lines of the log of a job that failed.

    Returns:
        A mapping that can be written as JSON.
    """
    started = record.started or record.submitted
    stored, complete = _as_it_ran(record)
    return {
        "id": record.id,
        "state": state,
        "spec": {"schema": stored.schema, **complete},
        "set": sorted(stored.parameters),
        "attempt": attempt,
        "lost_workers": record.lost,
        "continues": record.continues,
        "sweep": record.sweep,
        "times": {
            "submitted": iso(record.submitted),
            "started": iso(started),
            "finished": iso(finished),
        },
        "seconds": round((finished - started) / 1000, 3),
        "command": command_line(stored),
        "seed": stored.seed,
        "data": dict(data),
        "device": device.describe(),
        "usage": dict(usage or {}),
        "code": dict(code or {}),
        "fingerprint": None if fingerprint is None else asdict(fingerprint),
        "versions": dict(versions()),
        "worker": record.worker,
        "notes": list(notes),
        "warnings": list(warnings),
        "headline": headline,
        "error": error,
        "log_end": log_end,
        "timeline": [{"time": iso(entry["time"]), "text": entry["text"]} for entry in timeline],
    }


def _as_it_ran(record: Record) -> tuple[StoredSpec, Mapping[str, Any]]:
    """The job as this version names its parameters, those that were set and all of them.

    Where this installation lacks the model, or does not understand the job, it is the job as it was stored.
    """
    try:
        spec = record.spec
    except QuartetError:
        return record.stored, record.stored.complete()
    return StoredSpec.of(spec), spec.model_dump(mode="json", by_alias=True)


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
