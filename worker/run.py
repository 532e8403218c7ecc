"""Run: what a task is handed. It knows no Redis, so a task also runs in a notebook or a test."""

import csv
import io
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.errors import Cancelled
from jobs.files import write_text
from jobs.folder import CHECKPOINT, JobFolder
from jobs.settings import Settings
from jobs.spec import JobSpec

PROGRESS_SECONDS = 0.2
"""Shortest time between two progress messages: quick for the eye, nothing for Redis."""


@dataclass
class Run:
    """One attempt at one job, as its task sees it.

    Attributes:
        spec: the job; `spec.parameters` is the class of its model and action.
        folder: the staging folder; what the task writes here is published.
        settings: of this worker.
        sources: finished folders this job reads, by parameter name (`from`, `baseline`), verified.
        stop: set when the task should stop soon.
        report_progress: takes a flat mapping that a person watches.
        notes: sentences that the report shows (what was resized, dropped, found odd).
        data: name, path and SHA-256 of each dataset, for `job.json`.
    """

    spec: JobSpec
    folder: Path
    settings: Settings
    sources: Mapping[str, JobFolder] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    report_progress: Callable[[dict[str, Any]], None] = lambda _: None
    notes: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    _last_progress: float = 0.0

    @property
    def checkpoint(self) -> Path:
        """Where a training keeps its checkpoint; it is published with the rest."""
        return self.folder / CHECKPOINT

    @property
    def source(self) -> JobFolder:
        """The finished training that `--from` names."""
        return self.sources["from"]

    def progress(self, *, force: bool = False, **values: float | str) -> None:
        """Tell who watches: `epoch`, `epochs`, `step`, `steps`, `loss`, … At most five times a second."""
        now = time.monotonic()
        if force or now - self._last_progress >= PROGRESS_SECONDS:
            self._last_progress = now
            self.report_progress(dict(values))

    def note(self, text: str) -> None:
        """Add a sentence to the report, once."""
        if text not in self.notes:
            self.notes.append(text)

    def check_stop(self) -> None:
        """Leave the task if it was asked to stop.

        Raises:
            Cancelled: it was.
        """
        if self.stop.is_set():
            raise Cancelled("the job was asked to stop")

    def write_table(self, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write a CSV file into the folder."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        write_text(self.folder / name, text.getvalue(), durable=False)
