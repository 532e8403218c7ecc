"""Makes report.html, one job's page: one file that opens anywhere, made from the job's folder alone."""

from pathlib import Path
from typing import Any

from jobs.files import whole_file
from jobs.folder import JobFolder
from worker.report.contents import listed_files
from worker.report.html import page
from worker.report.metrics import headline, shown_metrics
from worker.report.parameters import shown_parameters
from worker.report.record import shown_data, shown_timeline

__all__ = ["headline", "render"]


def render(folder: Path) -> None:
    """Draw figures/*.png and .svg and write report.html into a (staged) job folder, from its files alone.

    The page of a job without results loads neither TensorFlow nor matplotlib.

    Raises:
        DamagedFolder: `job.json` is missing or is not JSON.
        Exception: whatever the task's `present` raises, for a job that succeeded.
    """
    finished = JobFolder(folder)
    job, metrics = finished.job, finished.metrics
    spec = job["spec"]
    context: dict[str, Any] = {"metrics": [], "parts": [], "complete": True}
    if job["state"] == "succeeded" or (job["state"] == "cancelled" and (metrics or finished.history)):
        from worker.report.presentation import shown_parts

        context["metrics"] = shown_metrics(spec["model"], metrics)
        context["parts"], context["complete"] = shown_parts(
            finished, spec["model"], whole=job["state"] == "succeeded"
        )
    content = page(
        "report.html",
        job=job,
        spec=spec,
        parameters=shown_parameters(spec),
        data=shown_data(job["data"]),
        timeline=shown_timeline(job["timeline"]),
        files=listed_files(folder),
        **context,
    )
    with whole_file(folder / "report.html", durable=False) as file:
        file.write(content)
