"""Shows a job's progress: a live bar on a terminal, elsewhere a line for each epoch and stage."""

from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from jobs.job import Job
from jobs.ledger.job_record import ENDED

Updates = Iterable[tuple[Job, dict[str, Any]]]
"""A job and its latest progress, each time something changes."""


def show_progress(updates: Updates, on_update: Callable[[], None] = lambda: None) -> Job:
    """Show a job's progress on standard error until the job ends.

    Args:
        updates: what `Client.watch` gives.
        on_update: called at every update; an exception from it ends the display.

    Returns:
        The job as it ended.
    """
    out = Console(stderr=True, highlight=False, soft_wrap=True)
    return (_show_bar if out.is_terminal else _print_lines)(updates, on_update, out)


def describe(progress: dict[str, Any]) -> str:
    """Progress in words: `epoch 3/20, step 40/234, loss 0.0981`."""
    if "epochs" not in progress:
        return str(progress.get("stage", ""))
    epoch = min(int(progress["epoch"]) + 1, int(progress["epochs"]))
    parts = [
        f"epoch {epoch}/{int(progress['epochs'])}",
        f"step {int(progress['step'])}/{int(progress['steps'])}",
    ]
    for name in ("loss", "validation_loss"):
        if name in progress:
            parts.append(f"{name.replace('_', ' ')} {progress[name]:.4f}")
    return ", ".join(parts)


class _TimeLeft(TimeRemainingColumn):
    """`0:01:05 left`, or nothing while rich has no estimate."""

    def render(self, task: Task) -> Text:
        """The estimate from the steps of the last half minute."""
        if task.total is None or not task.time_remaining:
            return Text()
        return super().render(task).append(" left")


def _show_bar(updates: Updates, on_update: Callable[[], None], out: Console) -> Job:
    details = TextColumn("{task.fields[details]}", markup=False)
    columns = (TextColumn("{task.description}"), BarColumn(), details, _TimeLeft())
    with Progress(*columns, console=out, transient=True) as bar:
        task = bar.add_task("", total=None, details="")
        for job, progress in updates:
            on_update()
            bar.update(task, description=f"{job.kind} {job.state}", details=describe(progress))
            done, total = _steps(progress)
            if total is not None:
                bar.update(task, total=total, completed=done)
            if job.state in ENDED:
                break
    return job


def _print_lines(updates: Updates, on_update: Callable[[], None], out: Console) -> Job:
    printed = ""
    for job, progress in updates:
        on_update()
        position = f"{job.state} {progress.get('epoch', progress.get('stage', ''))}"
        if position != printed:
            printed = position
            details = describe(progress) if job.state == "running" else ""
            out.print(Text(f"{job.id} {job.state}{': ' if details else ''}{details}"))
        if job.state in ENDED:
            break
    return job


def _steps(progress: dict[str, Any]) -> tuple[float, float | None]:
    """Steps done and to do, over all epochs; the latter None outside a training loop."""
    if "epochs" not in progress:
        return 0.0, None
    steps = max(1.0, float(progress["steps"]))
    return float(progress["epoch"]) * steps + float(progress["step"]), float(progress["epochs"]) * steps
