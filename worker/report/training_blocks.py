"""What every training job's report shows after its model's own part: losses, learning rate, network."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobs.store.job_folder import LOSS_WITHIN_EPOCHS, JobFolder
from worker.context import MODEL_SUMMARY
from worker.report.blocks import Block, Metric, Table
from worker.report.loss_curve import loss_curve, loss_within_epochs


def training_blocks(folder: JobFolder, metrics: Sequence[Metric]) -> Iterator[Block]:
    """Yield the loss by epoch and within epochs, and the network; nothing for a job that trained none.

    Args:
        folder: of the job; one of an earlier version has some of the files.
        metrics: of its model, one of which may say what unit the loss has.

    Raises:
        DamagedFolder: a file cannot be read.
    """
    unit = next((metric.unit for metric in metrics if metric.column == "validation_loss"), "")
    curve = loss_curve(folder.history, unit)
    if curve is not None:
        yield curve
    if has(folder, LOSS_WITHIN_EPOCHS):
        yield loss_within_epochs(folder.numbers(LOSS_WITHIN_EPOCHS), unit)
    if has(folder, MODEL_SUMMARY):
        yield network_table(folder.json(MODEL_SUMMARY))


def has(folder: JobFolder, name: str) -> bool:
    """Whether a folder has a file, or something else of that name."""
    return os.path.lexists(folder.path / name)


def network_table(summary: Mapping[str, Any]) -> Table:
    """The layers of a network with the shapes of their outputs, as `JobContext.report_model` wrote them."""
    rows = [
        (
            layer["name"],
            layer["kind"],
            layer["activation"] or "",
            " × ".join("any" if size is None else f"{size:,}" for size in layer["output"]),
            int(layer["parameters"]),
        )
        for layer in summary["layers"]
    ]
    return Table(
        f"Network, {summary['parameters']:,} parameters",
        ("Layer", "Kind", "Activation", "Output", "Parameters"),
        rows,
        "The first size of an output is that of the batch; `any` is whatever the data has.",
    )
