"""Quartet's own worker, which also does the empty jobs: `celery -A benchmarks.empty_worker worker`."""

import threading
import time
import uuid
from importlib import import_module
from typing import Any

from jobs.files import write_json
from jobs.folder import Results
from jobs.ledger import Ledger
from jobs.record import Record
from jobs.spec import JobSpec
from worker import indexing
from worker.app import app, settings
from worker.execute import execute
from worker.heartbeat import Heartbeat
from worker.loading import load_keras
from worker.record import job_record
from worker.report.page import headline, render

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


@app.task(name="benchmarks.celery_and_folder")  # type: ignore[untyped-decorator]
def celery_and_folder(job_id: str) -> None:
    """Celery and the folder of an empty job, with its report and its place in the index, without a ledger."""
    load_keras()  # as `worker.execute`: while it is loaded in a thread, no report can be made
    now, metrics = int(time.time() * 1000), {"nothing": 0.0}
    results, spec = Results(settings.results_dir.absolute()), JobSpec.make("empty", "generate")
    record = Record(
        id=job_id,
        spec=spec,
        state="running",
        attempt=1,
        lost=0,
        submitted=now,
        started=now,
        finished=None,
        worker=None,
        process=None,
        stop="",
        error=None,
        folder=None,
        headline=None,
        continues=None,
    )
    staging = results.stage(job_id, record.attempt)
    write_json(staging / "metrics.json", metrics, durable=False)
    content = job_record(
        record,
        state="succeeded",
        attempt=record.attempt,
        finished=time.time(),
        timeline=[],
        data={},
        notes=[],
        headline=headline(spec.model, metrics),
    )
    write_json(staging / "job.json", content)
    render(staging)
    results.publish(job_id, record.attempt, settings.umask)
    indexing.update(results)
