"""What the command line shows as tables: jobs, one job, datasets, settings, the doctor's checks."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.cli.progress import describe
from jobs.escape_control import escape_control, escape_line
from jobs.job import Job
from jobs.settings import Settings
from jobs.wording import counted

if TYPE_CHECKING:
    from jobs.cli.doctor import Check

COLOURS = {
    "waiting": "yellow",
    "queued": "yellow",
    "running": "blue",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "magenta",
}


def console() -> Console:
    """Standard output; wide when it is not a terminal, so that `grep` finds whole lines."""
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)


def show_jobs(jobs: Iterable[Job]) -> None:
    """Print a line for each job, without rich's tables, which take four seconds for ten thousand jobs."""
    rows = [("JOB", "STATE", "WHAT", "RESULT", "SUBMITTED", "NAME")]
    for job in jobs:
        result, name = escape_line(headline_text(job)), escape_line(job.name or "")
        rows.append((job.id, job.state, job.kind, result, ago(job.submitted), name))
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    out = console()
    for row in rows:
        cells = (set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True))
        line = " ".join(cells).rstrip()
        if not out.is_terminal:
            sys.stdout.write(f"{line}\n")
            continue
        text = Text(line, no_wrap=True, overflow="ellipsis")
        text.stylize(COLOURS.get(row[1], "bold"), widths[0] + 1, widths[0] + 1 + widths[1])
        out.print(text, soft_wrap=False)


def show_job(job: Job, timeline: Iterable[dict[str, Any]], progress: dict[str, Any], command: str) -> None:
    """Print all that is known of one job.

    Args:
        job: the job.
        timeline: its events: `time` (ISO 8601) and `text`.
        progress: its latest progress; shown while it runs.
        command: the command that submits it.
    """
    out = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    rows: list[tuple[str, str | None]] = [
        ("job", job.id),
        ("what", job.kind),
        ("name", job.name),
        ("state", job.state),
        ("result", headline_text(job) or None),
        ("error", job.error),
        ("progress", describe(progress) if job.state == "running" else None),
        ("worker", job.worker),
        ("command", command),
        ("report", job.report),
    ]
    for label, value in rows:
        if value:
            table.add_row(label, Text(escape_control(value), COLOURS[value] if label == "state" else ""))
    out.print(table)
    out.print()
    for entry in timeline:
        out.print(Text(escape_line(f"{entry['time'][:19].replace('T', ' ')}  {entry['text']}")))


def show_datasets(rows: Iterable[dict[str, Any]]) -> None:
    """Print a line for each dataset: whether it is in the data folder, and where it comes from."""
    table = _table("DATASET", "KIND", "HERE", "FROM")
    for row in rows:
        table.add_row(row["name"], row["kind"], Text(escape_line(row["path"] or row["here"])), row["origin"])
    console().print(table)


def show_settings(settings: Settings) -> None:
    """Print a line for each setting: variable, value, default, description. Secrets are masked."""
    table = _table("SETTING", "VALUE", "DEFAULT", "DESCRIPTION")
    defaults = Settings.defaults().shown()
    for name, value in settings.shown().items():
        field = type(settings).model_fields[name]
        table.add_row(f"QUARTET_{name.upper()}", Text(value), Text(defaults[name]), field.description)
    console().print(table)


def show_checks(checks: Iterable["Check"]) -> None:
    """Print a line for each of the doctor's checks, and the fix below one that failed."""
    for check in checks:
        sys.stdout.write(
            escape_line(f"{'ok' if check.passed else 'FAIL':5}{check.name:18}{check.finding}") + "\n"
        )
        if not check.passed:
            sys.stdout.write(escape_line(f"{'':23}fix: {check.fix}") + "\n")


def headline_text(job: Job) -> str:
    """A job's main result, as `PSNR 17.3 dB`; empty where there is none."""
    if not job.headline:
        return ""
    return f"{job.headline['label']} {job.headline['value']} {job.headline['unit']}".strip()


def ago(moment: str) -> str:
    """How long ago an ISO 8601 time was: `3 min ago`."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{max(0, int(seconds // size))} {unit} ago"
    return f"{counted(int(seconds // 86400), 'day')} ago"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
