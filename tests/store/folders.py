"""Staged and published folders for the tests of this room."""

import json
from pathlib import Path
from typing import Any

from jobs.claim import Claim
from jobs.ids import new_job_id
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results


def claim(job_id: str, attempt: int = 1, token: str = "") -> Claim:
    return Claim(job_id, attempt, token or f"{attempt:016x}")


def staged(results: Results, job_id: str, attempt: int = 1) -> Path:
    folder = results.stage(claim(job_id, attempt))
    (folder / "job.json").write_text("{}")
    (folder / "figures").mkdir(exist_ok=True)
    (folder / "figures" / "loss.png").write_bytes(b"png")
    return folder


def published(results: Results) -> JobFolder:
    job_id = new_job_id()
    staged(results, job_id)
    return results.publish(claim(job_id), 0o022)


def finished(results: Results, job_id: str, **changes: Any) -> JobFolder:
    """The folder of a job that ended, without a manifest."""
    times = dict.fromkeys(("submitted", "started", "finished"), "2026-11-23T22:15:30.042Z")
    spec = {"model": "denoiser", "action": "train", "name": changes.pop("name", None), "parameters": {}}
    job = {"id": job_id, "state": "succeeded", "spec": spec, "attempt": 1, "times": times, "seconds": 63.2}
    job |= {"worker": "w1@host", "headline": None, "error": None, "continues": None}
    path = results.root / job_id
    path.mkdir(parents=True)
    (path / "job.json").write_text(json.dumps(job | changes))
    return JobFolder(path)


def id_of(number: int, day: str = "20261126") -> str:
    """Different ids of a day, ascending."""
    seconds, rest = divmod(number, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{day}-{minutes // 60:02d}{minutes % 60:02d}{second:02d}-{rest:03d}-abcd"
