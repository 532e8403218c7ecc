"""A job as a card: its state, main result, picture, warnings, and a link to its report."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.errors import QuartetError
from jobs.ledger.job_record import ENDED
from jobs.notebook import markup
from jobs.notebook.markup import block, escaped
from jobs.notebook.pictures import thumbnail
from jobs.showing.job_text import describe, label_text
from jobs.showing.progress import steps_of
from jobs.store.own_data_pin import shown_data

if TYPE_CHECKING:
    from jobs.job import Job

MOST_WARNINGS, MOST_NUMBERS = 3, 40


def job_card(job: "Job", progress: Mapping[str, Any] | None = None, waits: str = "") -> str:
    """A job as HTML.

    Args:
        job: the job.
        progress: its latest progress, if it is followed.
        waits: what it waits for, if that is known.
    """
    moving = job.state not in ENDED
    report = None if job.report is None else markup.link(Path(job.report), "Open the report")
    warnings = [*job.warnings[:MOST_WARNINGS], *_more(len(job.warnings) - MOST_WARNINGS)]
    lines = (
        block(_title(job)),
        block(_result(job), "result"),
        markup.bar(_share(progress or {})) if moving else "",
        block(escaped(f"waits {waits}" if waits else describe(progress or {}))) if moving else "",
        *(markup.said(each) for each in warnings),
        markup.said(job.error, "error"),
        block(_about(job), "faint"),
        block(report or ""),
        markup.details("All numbers", _numbers(job)),
    )
    return markup.card("".join(lines), thumbnail(job.place) if job.place is not None else None)


def _title(job: "Job") -> str:
    return " · ".join([markup.state_text(job.state), escaped(job.kind, 80), *_if_any(job.name)])


def _result(job: "Job") -> str:
    if not job.headline:
        return ""
    label, value, unit = (job.headline[name] for name in ("label", "value", "unit"))
    return f"{escaped(label_text(label), 80)} <b>{escaped(value, 40)}</b> {escaped(unit, 40)}".strip()


def _about(job: "Job") -> str:
    """What it read, how long it took, where it is from, and its id."""
    try:
        data = job.stored.data and shown_data(job.stored.data)
    except QuartetError:  # its folder cannot be read
        data = None
    sweep = f"sweep {job.sweep}" if job.sweep else None
    tags = ", ".join(job.tags) or None
    return " · ".join(each for text in (data, _took(job), sweep, tags, job.id) for each in _if_any(text))


def _took(job: "Job") -> str | None:
    """How long it ran."""
    if not job.started or not job.finished:
        return None
    began, ended = map(datetime.fromisoformat, (job.started, job.finished))
    seconds = max(0.0, (ended - began).total_seconds())
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _numbers(job: "Job") -> str:
    rows = [(name, f"{value:.6g}") for name, value in job.metrics.items()]
    return markup.table((), rows[:MOST_NUMBERS], 1) if rows else ""


def _share(progress: Mapping[str, Any]) -> float | None:
    done, total = steps_of(progress)
    return done / total if total else None


def _if_any(text: str | None) -> list[str]:
    return [escaped(text, 80)] if text else []


def _more(count: int) -> list[str]:
    return [f"and {count} more; the report has all"] if count > 0 else []
