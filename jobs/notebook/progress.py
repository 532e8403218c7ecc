"""Shows a job or a sweep while it is waited for: as a card in a notebook, else on standard error."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from jobs.ledger.job_record import ENDED

if TYPE_CHECKING:
    from jobs.job import Job
    from jobs.sweeps.sweep import Sweep

DRAW_SECONDS = 0.25
"""Between two drawings of a card in which only numbers change."""


def in_kernel() -> bool:
    """Whether this runs in a notebook; IPython is not loaded to find that out."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def follow_job(updates: "Iterable[tuple[Job, dict[str, Any]]]", waits: "Callable[[Job], str]") -> "Job":
    """Show a job's progress until it ends.

    Args:
        updates: what `Client.watch` gives.
        waits: asked at every update what the job waits for.

    Returns:
        The job as it ended.
    """
    if not in_kernel():
        from jobs.showing.progress import show_progress

        return show_progress(updates, waits=waits)
    from jobs.notebook.job_card import job_card

    shown, drawn, before = _Display(), 0.0, ""
    for job, progress in updates:
        if job.state != before or time.monotonic() - drawn > DRAW_SECONDS:
            shown.show(job_card(job, progress, waits(job)), repr(job))
            drawn, before = time.monotonic(), job.state
        if job.state in ENDED:
            break
    return job


def follow_sweep(sweep: "Sweep", looks: "Iterator[Sweep]") -> None:
    """Show how far a sweep is, until it has ended or was stopped.

    Args:
        sweep: the sweep.
        looks: the sweep after each look.
    """
    if not in_kernel():
        from jobs.showing.sweep_progress import show_sweep_progress

        show_sweep_progress(sweep, sweep.ended_trials(looks))
        return
    shown = _Display()
    for each in looks:
        shown.show(each._repr_html_(), repr(each))


class _Display:
    """One place in a notebook's output, in which each card replaces the one before."""

    def __init__(self) -> None:
        self._display: Any = import_module("IPython.display")
        self._handle: Any = None

    def show(self, card: str, text: str) -> None:
        """Show a card, and for what knows no HTML a text."""
        content = {"text/html": card, "text/plain": text}
        if self._handle is None:
            self._handle = self._display.display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)
