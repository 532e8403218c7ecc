"""Writes results/index/<day>/<job id>.js: how the losses of a training job went, for jobs side by side.

Each is written once, with its job's row, and the page loads it when that job is compared. A job of which no
loss is known has one too, without a curve, so its folder is not read again.
"""

import math
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jobs.errors import DamagedFolder
from jobs.store.atomic_files import whole_file
from jobs.store.history_row import Row
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results
from worker.report.page_scripts import harmless, make_folder, script_of

LOSSES = {"loss": "training", "validation_loss": "validation"}
"""What each of these columns of `history.csv` is called."""

MOST_POINTS = 400
"""Epochs of a longer training run that a plot shows, evenly spaced, besides those of the lowest losses."""


def write_losses(results: Results, rows: Iterable[Row], folder: Path) -> None:
    """Write the script of each training job that has none yet.

    Args:
        results: the folder of all jobs.
        rows: jobs of one day.
        folder: for that day's scripts; it is made if need be.

    Raises:
        OSError: the results volume is full, read-only or gone.
    """
    lacking = [row.id for row in rows if row.action == "train" and not os.path.lexists(_path(folder, row.id))]
    if lacking:
        make_folder(folder)
    for job_id in lacking:
        losses = losses_of(JobFolder(results.root / job_id))
        with whole_file(_path(folder, job_id), durable=False) as file:
            file.write(script_of("quartetLosses", harmless(losses)))


def remove_losses(folder: Path, but_of: Iterable[str] = ()) -> None:
    """Remove the scripts of a day's jobs, but those of some.

    Args:
        folder: with that day's scripts, or none; it goes with the last of them.
        but_of: the ids of jobs whose scripts stay.

    Raises:
        OSError: the results volume is read-only or gone.
    """
    stay = {_path(folder, job_id).name for job_id in but_of}
    if folder.is_symlink() or not folder.is_dir():
        return
    names = {path.name for path in folder.iterdir()}
    if not names & stay:
        shutil.rmtree(folder)
        return
    for name in names - stay:
        (folder / name).unlink(missing_ok=True)


def losses_of(folder: JobFolder) -> dict[str, Any]:
    """The losses of a training job by epoch, for `overlaidCurves`.

    Returns:
        `id`; `epochs`, how many there were; `x`, some or all of them; `y`, for each loss by its name the
        values there, None where one is no number.
    """
    try:
        history = [row for row in folder.history if math.isfinite(row.get("epoch", math.nan))]
    except DamagedFolder:
        history = []
    there = {column: name for column, name in LOSSES.items() if history and column in history[0]}
    shown = [history[place] for place in _places(history, there)]
    return {
        "id": folder.id,
        "epochs": len(history),
        "x": [_rounded(row["epoch"]) for row in shown],
        "y": {name: [_rounded(row[column]) for row in shown] for column, name in there.items()},
    }


def _places(history: Sequence[dict[str, float]], columns: Iterable[str]) -> list[int]:
    """Which rows are shown: evenly spaced ones, the first, the last and that with the lowest of each loss."""
    if len(history) <= MOST_POINTS:
        return list(range(len(history)))
    step = (len(history) - 1) / (MOST_POINTS - 1)
    places = {round(number * step) for number in range(MOST_POINTS)}
    for column in columns:
        finite = [(row[column], place) for place, row in enumerate(history) if math.isfinite(row[column])]
        places.update(place for _, place in sorted(finite)[:1])
    return sorted(places)


def _rounded(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _path(folder: Path, job_id: str) -> Path:
    return folder / f"{job_id}.js"
