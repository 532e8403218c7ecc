"""Writes how a training run went, epoch by epoch and within its epochs, from its checkpoint."""

from pathlib import Path

from jobs.store.job_folder import HISTORY, LOSS_WITHIN_EPOCHS
from worker.context import write_table
from worker.training.checkpoint import Checkpoint


def write_history(folder: Path, position: Checkpoint, name: str = HISTORY) -> None:
    """Write the history of a training run, if it has any yet, into a job's folder.

    Args:
        folder: of the job.
        position: where the run stands.
        name: of the history's file; the losses within epochs are written only with that of the job itself.

    Raises:
        OSError: the volume is full, read-only or gone.
    """
    if position.history:
        rows = [list(row.values()) for row in position.history]
        write_table(folder / name, list(position.history[0]), rows)
    if position.loss_points and name == HISTORY:
        points = [
            (f"{point.epochs:.6f}", point.epoch * point.steps + point.step, point.loss)
            for point in position.loss_points
        ]
        write_table(folder / LOSS_WITHIN_EPOCHS, ("epoch", "step", "loss"), points)
