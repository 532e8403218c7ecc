"""What the command line shows: tables, one job, a progress bar."""

import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from jobs.client import Job
from jobs.record import ENDED
from jobs.settings import Settings
from jobs.visible import visible, visible_line

COLOURS = {
    "waiting": "yellow",
    "queued": "yellow",
    "running": "blue",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "magenta",
}


def console() -> Console:
    """Standard output; wide when it is no terminal, so that `grep` finds whole lines."""
    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)


def show_jobs(jobs: Iterable[Job]) -> None:
    """A line for each job. Written without rich's tables, which take four seconds for ten thousand jobs."""
    rows = [("JOB", "STATE", "WHAT", "RESULT", "SUBMITTED", "NAME")]
    for job in jobs:
        result, name = visible_line(headline(job)), visible_line(job.name or "")
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
    """All that is known of one job."""
    out = console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    rows: list[tuple[str, str | None]] = [
        ("job", job.id),
        ("what", job.kind),
        ("name", job.name),
        ("state", job.state),
        ("result", headline(job) or None),
        ("error", job.error),
        ("progress", describe(progress) if job.state == "running" else None),
        ("worker", job.worker),
        ("command", command),
        ("report", job.report),
    ]
    for label, value in rows:
        if value:
            table.add_row(label, Text(visible(value), COLOURS[value] if label == "state" else ""))
    out.print(table)
    out.print()
    for entry in timeline:
        out.print(Text(visible_line(f"{entry['time'][:19].replace('T', ' ')}  {entry['text']}")))


def show_datasets(rows: Iterable[dict[str, Any]]) -> None:
    """A line for each dataset: is it here, where does it come from."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("DATASET", "KIND", "HERE", "FROM"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(row["name"], row["kind"], Text(visible_line(row["path"] or row["here"])), row["origin"])
    console().print(table)


def show_settings(settings: Settings) -> None:
    """A line for each setting: the variable, its value, its default, its help. Secrets are masked."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("SETTING", "VALUE", "DEFAULT", "WHAT IT IS"):
        table.add_column(column, overflow="fold")
    defaults = Settings.defaults().shown()
    for name, value in settings.shown().items():
        field = type(settings).model_fields[name]
        table.add_row(f"QUARTET_{name.upper()}", Text(value), Text(defaults[name]), field.description)
    console().print(table)


def headline(job: Job) -> str:
    """`PSNR 17.3 dB`, or nothing."""
    if not job.headline:
        return ""
    return f"{job.headline['label']} {job.headline['value']} {job.headline['unit']}".strip()


def ago(moment: str) -> str:
    """How long ago an ISO 8601 time was: `3 min ago`."""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()
    for limit, unit, size in ((120, "s", 1), (7200, "min", 60), (172800, "h", 3600)):
        if seconds < limit:
            return f"{max(0, int(seconds // size))} {unit} ago"
    return f"{int(seconds // 86400)} days ago"


def describe(progress: dict[str, Any]) -> str:
    """Progress in words: `epoch 3/20, step 40/234, loss 0.0981`."""
    if "epochs" not in progress:
        return str(progress.get("stage", ""))
    epoch = min(int(progress["epoch"]) + 1, int(progress["epochs"]))
    words = [
        f"epoch {epoch}/{int(progress['epochs'])}",
        f"step {int(progress['step'])}/{int(progress['steps'])}",
    ]
    for name in ("loss", "validation_loss"):
        if name in progress:
            words.append(f"{name.replace('_', ' ')} {progress[name]:.4f}")
    return ", ".join(words)


def follow(updates: Iterable[tuple[Job, dict[str, Any]]], each: Callable[[], None] = lambda: None) -> Job:
    """Show a job's progress until it has ended; `each` is called with every update.

    On a terminal a live bar; elsewhere a line for each epoch and stage. Both go to standard error,
    so that standard output holds the result alone.
    """
    out = Console(stderr=True, highlight=False, soft_wrap=True)
    return _follow_live(updates, each, out) if out.is_terminal else _follow_lines(updates, each, out)


def _follow_live(
    updates: Iterable[tuple[Job, dict[str, Any]]], each: Callable[[], None], out: Console
) -> Job:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[words]}"))
    with Progress(*columns, console=out, transient=True) as bar:
        task = bar.add_task("", total=None, words="")
        pace = Pace()
        for job, progress in updates:
            each()
            done, total = fraction(progress)
            words = " · ".join(part for part in (describe(progress), pace.left(done, total)) if part)
            bar.update(task, description=f"{job.kind} {job.state}", total=total, completed=done, words=words)
            if job.state in ENDED:
                break
    return job


def _follow_lines(
    updates: Iterable[tuple[Job, dict[str, Any]]], each: Callable[[], None], out: Console
) -> Job:
    said = ""
    for job, progress in updates:
        each()
        at = progress.get("epoch", progress.get("stage", ""))
        if f"{job.state} {at}" != said:
            said = f"{job.state} {at}"
            words = describe(progress) if job.state == "running" else ""
            out.print(Text(f"{job.id} {job.state}{': ' if words else ''}{words}"))
        if job.state in ENDED:
            break
    return job


def fraction(progress: dict[str, Any]) -> tuple[float, float | None]:
    """Steps done and to do, over all epochs; the latter None while it is unknown."""
    if "epochs" not in progress:
        return 0.0, None
    steps = max(1.0, float(progress["steps"]))
    return float(progress["epoch"]) * steps + float(progress["step"]), float(progress["epochs"]) * steps


class Pace:
    """Estimates the time left from the steps since the first that was seen."""

    def __init__(self) -> None:
        """The clock starts with the first step."""
        self._first: tuple[datetime, float] | None = None

    def left(self, done: float, total: float | None) -> str:
        """`1:05 left`, or nothing while it cannot be told."""
        if total is None:
            return ""
        now = datetime.now(UTC)
        if self._first is None or done < self._first[1]:
            self._first = now, done
        began, before = self._first
        if done <= before:
            return ""
        seconds = int((now - began).total_seconds() * (total - done) / (done - before))
        hours, minutes = seconds // 3600, seconds // 60 % 60
        return (
            f"{hours}:{minutes:02d}:{seconds % 60:02d} left"
            if hours
            else f"{minutes}:{seconds % 60:02d} left"
        )
