"""Staged and published folders for the tests of this room."""

from pathlib import Path

from jobs.ids import new_job_id
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results


def staged(results: Results, job_id: str, attempt: int = 1) -> Path:
    folder = results.stage(job_id, attempt)
    (folder / "job.json").write_text("{}")
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / "loss.png").write_bytes(b"png")
    return folder


def published(results: Results) -> JobFolder:
    job_id = new_job_id()
    staged(results, job_id)
    return results.publish(job_id, 1, 0o022)
