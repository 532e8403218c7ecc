"""Renders report.html, a job's page: one file that opens anywhere, made from the job's folder alone."""

from pathlib import Path
from typing import Any

from jobs.store.atomic_files import whole_file
from jobs.store.job_folder import JobFolder
from worker.report.blocks import Presented
from worker.report.file_list import listed_files
from worker.report.metrics import shown_metrics
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
    results = _results(finished, job["state"], model)
    content = page(
        "report.html",
        job=job,
        spec=job["spec"],
        parameters=shown_parameters(job["spec"]),
        data=shown_data(job["data"]),
        timeline=shown_timeline(job["timeline"]),
        files=listed_files(folder),
        **results,
    )
    with whole_file(folder / "report.html", durable=False) as file:
        file.write(content)


def _results(folder: JobFolder, state: str, model: Presented) -> dict[str, Any]:
    """The page's metrics and blocks, and whether they are complete; the figures are written."""
    values = folder.metrics
    if state != "succeeded" and not (state == "cancelled" and (values or folder.history)):
        return {"metrics": [], "blocks": [], "complete": True}
    from worker.report.render_blocks import shown_blocks

    metrics = shown_metrics(model.metrics, values)
    blocks, complete = shown_blocks(folder, model, strict=state == "succeeded")
    return {"metrics": metrics, "blocks": blocks, "complete": complete}
