"""What a message to an address says: values for JSON, and the same as text for people."""

import math
from typing import Any

from jobs.client import Client
from jobs.errors import QuartetError, RedisUnreachable, StoreUnreachable
from jobs.escape_control import escape_control
from jobs.job import Job, iso
from jobs.notifying.notices import Notice
from jobs.secrets import hide_secrets
from jobs.showing.job_text import headline_text
from jobs.sweeps.sweep import Sweep

SCHEMA = 1
"""Raised when a field changes its meaning or goes; that of a new field stays."""

LONGEST_TEXT = 2_000
"""In characters, of one value."""


def message_of(client: Client, notice: Notice) -> dict[str, Any]:
    """The message about a job or a sweep, which may have been deleted since.

    Args:
        client: knows jobs and sweeps.
        notice: what happened.

    Returns:
        `schema`, `id`, `event`, `time`, `title`, `text`, and the fields of the `job` or the `sweep`.

    Raises:
        RedisUnreachable: Redis cannot be reached.
        StoreUnreachable: the object store does not answer.
    """
    kind, _, state = notice.event.partition(".")
    if kind == "sweep":
        about, lines = _about_sweep(client, notice.subject, state)
        title, key = f"Sweep {notice.subject} {'was stopped' if state == 'stopped' else 'ended'}", "sweep"
    else:
        about, lines = _about_job(client, notice.subject, state)
        named = f" ({about['name']})" if about.get("name") else ""
        verb = "was cancelled" if state == "cancelled" else state
        title, key = f"Job {notice.subject}{named} {verb}", "job"
    return message(notice.id, notice.event, notice.time, title, lines, {key: about})


def sample_message(time: int) -> dict[str, Any]:
    """The message that `quartet doctor --notify` sends.

    Args:
        time: now, in milliseconds since 1970.
    """
    return message(f"test::{time}", "test", time, "Quartet can reach you", ["This is a test."], {})


def message(
    id: str,  # noqa: A002 - as the field is named
    event: str,
    time: int,
    title: str,
    lines: list[str],
    about: dict[str, Any],
) -> dict[str, Any]:
    """A message of any event, without secrets and without control characters in its text."""
    head = {"schema": SCHEMA, "id": id, "event": event, "time": iso(time)}
    text = "\n".join([title, *filter(None, lines)])
    whole = head | {"title": escape_control(title), "text": escape_control(text)} | about
    return {name: _safe(value) for name, value in whole.items()}


def _safe(value: Any) -> Any:
    """A value of JSON whose texts hold no secret and are of bounded length."""
    if isinstance(value, str):
        return hide_secrets(value)[:LONGEST_TEXT]
    if isinstance(value, dict):
        return {name: _safe(each) for name, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no such number
    return [_safe(each) for each in value] if isinstance(value, list | tuple) else value


def _about_job(client: Client, job_id: str, state: str) -> tuple[dict[str, Any], list[str]]:
    try:
        job = client.job(job_id)
    except (RedisUnreachable, StoreUnreachable):
        raise
    except QuartetError as error:  # it was deleted, or its record cannot be read
        return {"id": job_id, "state": state}, [error.explanation]
    kind = job.kind if not job.sweep else f"{job.kind}, trial {_trial(job)} of the sweep {job.sweep}"
    about = {
        "id": job.id,
        "name": job.name,
        "model": job.model,
        "action": job.action,
        "state": job.state,
        "attempt": job.attempt,
        "error": job.error,
        "headline": job.headline,
        "tags": list(job.tags),
        "sweep": job.sweep,
        "trial": _trial(job),
        "submitted": job.submitted,
        "finished": job.finished,
        "report": job.report,
    }
    return about, [kind, headline_text(job), job.error or "", job.report or ""]


def _trial(job: Job) -> Any:
    return None if job.entry is None else job.entry.get("trial")


def _about_sweep(client: Client, name: str, state: str) -> tuple[dict[str, Any], list[str]]:
    try:
        return _sweep(client.find_sweep(name))
    except (RedisUnreachable, StoreUnreachable):
        raise
    except QuartetError as error:
        return {"name": name, "state": state}, [error.explanation]


def _sweep(sweep: Sweep) -> tuple[dict[str, Any], list[str]]:
    from jobs.showing.sweep_text import number_text, point_text, states_text

    spec, best = sweep.spec, sweep.best
    about = {
        "name": sweep.name,
        "model": spec.model,
        "action": spec.action,
        "state": sweep.state,
        "why": sweep.why,
        "trials": sweep.counts,
        "metric": spec.metric.name,
        "best": None if best is None else {
            "trial": best.trial, "job": best.job, "value": best.value, "point": dict(best.point)
        },
        "warning": sweep.warning,
        "created": sweep.created,
        "ended": sweep.ended,
    }  # fmt: skip
    lines = [f"{spec.model} {spec.action}: {states_text(sweep)}", sweep.why, sweep.warning or ""]
    if best is not None and best.value is not None:
        value, point = number_text(best.value), point_text(best.point)
        lines.append(f"best: trial {best.trial}, {spec.metric.name} {value}, {point} (job {best.job})")
    return about, lines
