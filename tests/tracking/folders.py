"""Folders of ended jobs, with everything that MLflow gets."""

import json
from pathlib import Path
from typing import Any

from jobs.spec import JobSpec
from jobs.store.results import Results
from tests.store.folders import claim
from tests.support.report_folders import JOB_ID, job_record

HISTORY = "epoch,loss,validation_bce,seconds\n1,0.3,0.25,3.5\n2,0.2,0.1234567890123456,1.25\n"
EXACT = 0.12345678901234568
ENDED = 1795472194200
"""When the jobs ended, in milliseconds since 1970."""


def ended_job(results: Results, job_id: str = JOB_ID, history: str = HISTORY, **record: Any) -> Path:
    """Publish the folder of a job."""
    spec = JobSpec.make("autoencoder", "train", data="digits", parameters={"epochs": 2}, name="first")
    given = {"code": {"version": "0.1.0", "checksum": "abcd"}, "versions": {"tensorflow": "2.21.0"}}
    folder = results.stage(claim(job_id))
    (folder / "job.json").write_text(json.dumps(job_record(spec, job_id=job_id, **(given | record))))
    (folder / "metrics.json").write_text(json.dumps({"validation_bce": EXACT}))
    (folder / "history.csv").write_text(history)
    (folder / "report.html").write_text("<p>a page")
    (folder / "figures").mkdir()
    (folder / "figures" / "loss.png").write_bytes(b"png")
    for large in ("model.keras", "checkpoint.npz"):
        (folder / large).write_bytes(b"weights")
    return results.publish(claim(job_id), 0o022).path
