"""Shows a job's progress: a live bar on a terminal, elsewhere a line for each epoch and stage."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from jobs.escape_control import escape_line
from jobs.job import Job
from jobs.ledger.job_record import ENDED
from jobs.showing.job_text import describe, headline_text
from jobs.showing.terminal import clipped

Updates = Iterable[tuple[Job, dict[str, Any]]]
"""A job and its latest progress, each time something changes."""

WIDEST_BAR, NARROWEST_BAR = 40, 8
TIME_LEFT = len("0:00:00 left")
LEAST_DETAILS = len("epoch 10/20")


Waits = Callable[[Job], str]
"""What a queued job waits for, to be read after `waits`; empty where that is nothing to speak of."""


def show_progress(
    updates: Updates, on_update: Callable[[], None] = lambda: None, waits: Waits = lambda _: ""
) -> Job:
    """Show a job's progress on standard error until the job ends, and then what came of it.

    Args:
        updates: what `Client.watch` gives.
        on_update: called at every update; an exception from it ends the display.
        waits: asked at every update.

    Returns:
        The job as it ended.
    """
    out = Console(stderr=True, highlight=False, soft_wrap=True)
    job = (_show_bar if out.is_interactive else _print_lines)(updates, on_update, waits, out)
    result = headline_text(job) if not job.failed else ""
    out.print(Text(escape_line(f"{job.id} {job.state}{': ' if result else ''}{result}")))
    for warning in job.warnings:
        out.print(Text(escape_line(f"warning: {warning}")))
    return job


class _TimeLeft(TimeRemainingColumn):
    """`0:01:05 left`, or nothing while rich has no estimate."""

    def render(self, task: Task) -> Text:
        """The estimate from the steps of the last half minute."""
        if task.total is None or not task.time_remaining:
            return Text()
        return super().render(task).append(" left")


def _show_bar(updates: Updates, on_update: Callable[[], None], waits: Waits, out: Console) -> Job:
    bar_column = BarColumn()
    details = TextColumn("{task.fields[details]}", markup=False)
    columns = (TextColumn("{task.description}", markup=False), bar_column, details, _TimeLeft())
    with Progress(*columns, console=out, transient=True) as bar:
        task = bar.add_task("", total=None, details="")
        for job, progress in updates:
            on_update()
            what, bar_column.bar_width, words = _fitted(job, progress, waits(job), out.width)
            bar.update(task, description=what, details=words)
            done, total = steps_of(progress)
            if total is not None:
                bar.update(task, total=total, completed=done)
            if job.state in ENDED:
                break
    return job


def _fitted(job: Job, progress: Mapping[str, Any], waits: str, width: int) -> tuple[str, int, str]:
    """What is shown, so that state, bar and time left have room on one line.

    Args:
        job: the job.
        progress: its latest progress.
        waits: what it waits for, if that is known.
        width: columns of the terminal.

    Returns:
        What the job is, the width of the bar, and how far the job is.
    """
    what = f"{job.kind} {job.state}"
    room = width - len(what) - TIME_LEFT - 3
    if room < NARROWEST_BAR + LEAST_DETAILS:
        what = job.state
        room = width - len(what) - TIME_LEFT - 3
    most = max(0, room - NARROWEST_BAR)
    words = clipped(escape_line(f"waits {waits}"), max(1, most)) if waits else describe(progress, most)[:most]
    return what, max(1, min(WIDEST_BAR, room - len(words))), words


def _print_lines(updates: Updates, on_update: Callable[[], None], waits: Waits, out: Console) -> Job:
    printed = ""
    for job, progress in updates:
        on_update()
        if job.state in ENDED:
            break
        why = waits(job)
        position = f"{job.state} {why or progress.get('epoch', progress.get('stage', ''))}"
        if position != printed:
            printed = position
            details = describe(progress) if job.state == "running" else escape_line(why and f"waits {why}")
            out.print(Text(f"{job.id} {job.state}{': ' if details else ''}{details}"))
    return job


def steps_of(progress: Mapping[str, Any]) -> tuple[float, float | None]:
    """Steps done and to do, over all epochs; the latter None outside a loop."""
    try:
        steps, step = max(1.0, float(progress["steps"])), float(progress["step"])
        return float(progress.get("epoch", 0)) * steps + step, float(progress.get("epochs", 1)) * steps
    except (LookupError, TypeError, ValueError):
        return 0.0, None
