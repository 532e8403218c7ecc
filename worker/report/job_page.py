"""Renders report.html, a job's page: one file that opens anywhere, made from the job's folder alone."""

from math import inf
from pathlib import Path
from typing import Any

from jobs.errors import DamagedFolder
from jobs.store.atomic_files import whole_file
from jobs.store.job_folder import JobFolder
from worker.report.blocks import Presented
from worker.report.environment import shown_environment
from worker.report.file_list import listed_files
from worker.report.metrics import numbers_of
from worker.report.parameter_table import shown_parameters
from worker.report.provenance import shown_data, shown_timeline
from worker.report.templating import page


def render(folder: Path, model: Presented) -> None:
    """Write report.html and figures/*.png and .svg into a (staged) job folder, from its files alone.

    Args:
        folder: of the job; it holds `job.json` and whatever the job wrote.
        model: of the job. It is used only where the job has results, so the page of a job without results
            loads neither TensorFlow nor matplotlib.

    Raises:
        DamagedFolder: `job.json` or another file of the folder is missing or cannot be read.
        InvalidModel: the model lacks its metrics or its report.
        OSError: the folder cannot be written.
        Exception: whatever the model's `present` raises, for a job that succeeded.
    """
    finished = JobFolder(folder)
    job = finished.job
    results = _results(finished, job["state"], job["spec"]["action"], model)
    content = page(
        "report.html",
        job=job,
        spec=job["spec"],
        warnings=job.get("warnings", []),
        parameters=shown_parameters(job),
        environment=shown_environment(job),
        data=shown_data(job["data"]),
        timeline=shown_timeline(job["timeline"]),
        files=listed_files(folder),
        seconds_in_all=_seconds_in_all(finished, job["seconds"]),
        **results,
    )
    with whole_file(folder / "report.html", durable=False) as file:
        file.write(content)


def _seconds_in_all(folder: JobFolder, of_attempt: float | None) -> float | None:
    """How long all epochs took, where an attempt resumed what earlier ones had trained; else None."""
    try:
        seconds = sum(row.get("seconds", 0.0) for row in folder.history)
    except DamagedFolder:
        return None
    return seconds if of_attempt and of_attempt < seconds < inf else None


def _results(folder: JobFolder, state: str, action: str, model: Presented) -> dict[str, Any]:
    """The page's numbers and blocks, and whether they are complete; the figures are written."""
    values = folder.metrics
    if state != "succeeded" and not (state == "cancelled" and (values or folder.history)):
        return {"numbers": None, "blocks": [], "complete": True}
    from worker.report.render_blocks import shown_blocks

    numbers = numbers_of(model.metrics, values, action)
    blocks, complete = shown_blocks(folder, model, strict=state == "succeeded")
    return {"numbers": numbers, "blocks": blocks, "complete": complete}
