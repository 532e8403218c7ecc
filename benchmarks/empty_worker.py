"""Quartet's own worker, which also does the empty jobs: `celery -A benchmarks.empty_worker worker`."""

import threading
import uuid
from importlib import import_module
from typing import Any

from jobs.ledger import Ledger
from worker.app import app, settings
from worker.execute import execute
from worker.heartbeat import Heartbeat

# After `worker.app`, which makes a task for each kind of job it knows: these have tasks of their own here.
import_module("benchmarks.empty_jobs")


@app.task(name="empty.generate", bind=True)  # type: ignore[untyped-decorator]
def whole_job(task: Any, job_id: str) -> None:
    """What `worker.app` does with a job."""
    execute(job_id, settings, task.request.hostname)


@app.task(name="unpublished.generate", bind=True)  # type: ignore[untyped-decorator]
def queue_alone(task: Any, job_id: str) -> None:
    """The ledger's part of a job, as `worker.execute` has it: claim it, read it, hold its lease, end it."""
    ledger = Ledger(settings.redis_address(), settings.redis_patience_seconds)
    claim = ledger.claim(job_id, task.request.hostname, settings.lease_seconds, uuid.uuid4().hex)
    assert claim is not None
    claim.record()
    with Heartbeat(claim, settings, 3_600, threading.Event(), lambda _: None):
        pass
    ledger.finish(claim, "succeeded")


@app.task(name="benchmarks.celery_alone")  # type: ignore[untyped-decorator]
def celery_alone(job_id: str) -> None:
    """What Celery does by itself: nothing is claimed, held or ended."""
