"""Jobs that end without a worker: with a folder as a worker or the sweeper writes it, or without one."""

import json
import secrets
import time
from pathlib import Path
from typing import Any

from jobs.claim import Claim
from jobs.client import Client
from jobs.job import Job
from jobs.store.history import History
from jobs.store.job_folder import CHECKPOINT
from tests.support.report_folders import job_record

NAMES = {"checkpoint": CHECKPOINT, "history": "history.csv", "log": "log.txt", "metrics": "metrics.json"}


def claimed(client: Client, job: Job) -> Claim:
    """A worker holds it."""
    claim = client.ledger.claim(job.id, "w", 30, secrets.token_hex(8))
    assert claim is not None
    return claim


def fail(client: Client, job: Job, state: Any = "failed") -> None:
    """It ends, and has no folder yet."""
    finished = round(time.time() * 1000)
    client.ledger.finish(claimed(client, job), state, finished=finished, error="no luck", folder="")


def publish(client: Client, job: Job, state: str = "failed", **files: str) -> Path:
    """A folder as the sweeper writes it."""
    claim = Claim(job.id, 1, secrets.token_hex(8))
    folder = client.results.stage(claim)
    record = job_record(job.stored.complete(), job_id=job.id, state=state, continues=job.continues)
    (folder / "job.json").write_text(json.dumps(record))
    for name, content in files.items():
        (folder / NAMES[name]).write_text(content)
    published = client.results.publish(claim, 0o022)
    History(client.results).add(published)
    return published.path


def end(client: Client, job: Job, state: Any = "succeeded", **files: str) -> Path:
    """It ends with a folder, as it does when a worker did it."""
    claim = claimed(client, job)
    path = publish(client, job, state, **files)
    finished = round(time.time() * 1000)
    error = None if state == "succeeded" else "no luck"
    client.ledger.finish(claim, state, finished=finished, error=error, folder=job.id)
    return path


def forget(client: Client, *jobs: Job) -> None:
    """Ended jobs leave Redis, as they do after `history_days`."""
    for job in jobs:
        client.ledger.published(job.id, job.id)
    client.ledger.forget(-1)
    assert all(client.ledger.record(job.id) is None for job in jobs)
