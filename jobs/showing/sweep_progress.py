"""Shows how far a sweep is: a live bar on a terminal, and a line for each trial that ends."""

from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from jobs.errors import JobFailed
from jobs.escape_control import escape_line
from jobs.showing.sweep_text import point_text, state_text, states_text
from jobs.sweeps.outcomes import STOPPED
from jobs.sweeps.sweep import Sweep
from jobs.sweeps.trial import Trial
from jobs.wording import counted

WIDEST_BAR = 30


def show_sweep_progress(sweep: Sweep, ended: Iterable[Trial] | None = None) -> Sweep:
    """Show on standard error how far a sweep is, until it has ended or was stopped.

    Args:
        sweep: the sweep.
        ended: each trial as it ends; by default what iterating over the sweep gives.

    Returns:
        The sweep as it ended.

    Raises:
        RedisUnreachable: Redis went away and did not come back in time.
    """
    out = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(WIDEST_BAR),
               TextColumn("{task.fields[counts]}", markup=False))  # fmt: skip
    bar = Progress(*columns, console=out, transient=True) if out.is_interactive else None
    with bar or nullcontext():
        task = bar.add_task(sweep.name, total=sweep.spec.most_trials(), counts="") if bar else None
        for trial in sweep if ended is None else ended:
            out.print(Text(escape_line(trial_line(sweep, trial))))
            if bar and task is not None:
                bar.update(task, **_position(sweep))
    out.print(Text(escape_line(f"{sweep.name} {sweep.state}: {sweep.why}")))
    best = sweep.best
    if best is not None:
        out.print(Text(escape_line(f"best: {trial_line(sweep, best)}")))
    return sweep


def check_any_succeeded(sweep: Sweep) -> None:
    """Refuse a sweep of which no trial succeeded.

    Raises:
        JobFailed: none did.
    """
    if not sweep.counts.get("succeeded"):
        raise JobFailed(f"sweep {sweep.name}: no trial has succeeded")


def trial_line(sweep: Sweep, trial: Trial) -> str:
    """`trial 3 succeeded: validation_nats 1.234 (learning_rate 0.001, units 128)`."""
    epochs = f", {counted(trial.epochs, 'epoch')}," if trial.epochs is not None else ""
    error = (trial.error or "").removeprefix(STOPPED)
    came = f"{sweep.spec.metric.name} {trial.value:.5g}" if trial.value is not None else error
    seed = f", seed {trial.seed}" if len(sweep.spec.seeds) > 1 else ""
    how = "reused" if trial.reused else state_text(trial)
    return f"trial {trial.trial}{epochs} {how}{': ' if came else ''}{came} ({point_text(trial.point)}{seed})"


def _position(sweep: Sweep) -> dict[str, Any]:
    counts = sweep.counts
    done = sum(number for state, number in counts.items() if state not in ("waiting", "queued", "running"))
    return {"completed": done, "counts": states_text(sweep)}
