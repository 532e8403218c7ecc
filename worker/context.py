"""JobContext: all that a task receives. It knows no Redis, so a task also runs in a notebook or a test."""

import csv
import io
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.errors import Cancelled
from jobs.settings import Settings
from jobs.spec import JobSpec
from jobs.store.atomic_files import write_json, write_text
from jobs.store.job_folder import CHECKPOINT, JobFolder

MODEL_SUMMARY = "model_summary.json"

PROGRESS_SECONDS = 0.2
"""Shortest time between two progress messages: smooth to watch, and no load on Redis."""


@dataclass
class JobContext:
    """One attempt at a job, as its task sees it.

    Attributes:
        spec: the job; `spec.parameters` is an instance of the class for its model and action.
        folder: the staging folder; what the task writes here is published.
        settings: of this worker.
        sources: finished folders that the job reads, verified, by the parameter that names them.
        stop: set when the task should stop soon.
        report_progress: receives each progress message, a flat mapping.
        notes: sentences that the report shows: what was resized, dropped or unusual.
        warnings: sentences at the top of the report and in lists: what makes the job's numbers doubtful.
        data: name, path and SHA-256 of each dataset, for `job.json`.
    """

    spec: JobSpec
    folder: Path
    settings: Settings
    sources: Mapping[str, JobFolder] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    report_progress: Callable[[dict[str, Any]], None] = lambda _: None
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    _last_progress: float = 0.0

    @property
    def checkpoint(self) -> Path:
        """The checkpoint of a training job; it is published with the rest of the folder."""
        return self.folder / CHECKPOINT

    @property
    def source(self) -> JobFolder:
        """The finished training job that `--from` names.

        Raises:
            KeyError: the job has none.
        """
        return self.sources["from"]

    def data_to_read(self) -> str:
        """The data that the job names, else what its training job read, else the default dataset."""
        trained_on = self.source.job["spec"]["data"] if "from" in self.sources else None
        return self.spec.data or trained_on or self.spec.parameters.default_data()

    def trained_on(self, sha256: str) -> bool:
        """Whether the training job that `--from` names read data with this SHA-256."""
        return sha256 in {record["sha256"] for record in self.source.job["data"].values()}

    def progress(self, *, force: bool = False, **values: float | str) -> None:
        """Report progress: `epoch`, `epochs`, `step`, `steps`, `loss`, `stage`, …

        Args:
            force: report even if the last message was less than `PROGRESS_SECONDS` ago; without it, such
                a message is dropped.
            values: numbers and short texts, by name.
        """
        now = time.monotonic()
        if force or now - self._last_progress >= PROGRESS_SECONDS:
            self._last_progress = now
            self.report_progress(dict(values))

    def note(self, text: str) -> None:
        """Add a sentence to the report, once."""
        if text not in self.notes:
            self.notes.append(text)

    def warn(self, text: str) -> None:
        """Add a sentence on what makes the job's numbers doubtful, once; it is shown above all others."""
        if text not in self.warnings:
            self.warnings.append(text)

    def report_model(self, model: Any) -> None:
        """Write what a network consists of into the job's folder; the report shows it.

        Args:
            model: a Keras model that has been built.
        """
        write_json(self.folder / MODEL_SUMMARY, _summary(model), durable=False)

    def check_stop(self) -> None:
        """Leave the task if a stop was requested; call it at least once a second.

        Raises:
            Cancelled: a stop was requested.
        """
        if self.stop.is_set():
            raise Cancelled("a stop was requested")

    def write_table(self, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write a CSV file into the job's folder.

        Args:
            name: of the file.
            header: the names of the columns.
            rows: one value for each column.
        """
        write_table(self.folder / name, header, rows)


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV file that is published later.

    Args:
        path: of the file.
        header: the names of the columns.
        rows: one value for each column.

    Raises:
        OSError: the volume is full, read-only or gone.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, text.getvalue(), durable=False)


def _summary(model: Any) -> dict[str, Any]:
    """The layers of a Keras model; None in a shape is a size that the data decides."""
    layers = [
        {
            "name": layer.name,
            "kind": type(layer).__name__,
            "activation": layer.get_config().get("activation"),
            "output": list(_first_shape(layer)),
            "parameters": layer.count_params(),
        }
        for layer in model.layers
    ]
    return {"name": model.name, "parameters": model.count_params(), "layers": layers}


def _first_shape(layer: Any) -> Sequence[int | None]:
    """The shape of a layer's output, of its first one where it has several."""
    output = layer.output
    shape: Sequence[int | None] = (output[0] if isinstance(output, list | tuple) else output).shape
    return shape
