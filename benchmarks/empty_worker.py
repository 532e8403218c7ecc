"""Quartet's own worker, which also runs the empty jobs: `celery -A benchmarks.empty_worker worker`."""

import threading
import time
import uuid
from typing import Any

from benchmarks.empty_models import know_unpublished
from jobs.ledger.job_record import Record
from jobs.ledger.ledger import Ledger
from jobs.spec import JobSpec
from jobs.store.atomic_files import write_json
from jobs.store.results import Results
from worker.engine import background
from worker.engine.app import app, settings
from worker.engine.heartbeat import Heartbeat
from worker.engine.job_json import job_json
from worker.engine.startup import load_keras
from worker.engine.wings import wing
from worker.report.job_page import render
from worker.report.metrics import headline

# After `worker.engine.app`, which makes a task for each model that it finds: this one has its own here.
know_unpublished()


@app.task(name="unpublished.generate", bind=True)  # type: ignore[untyped-decorator]
def queue_alone(task: Any, job_id: str) -> None:
    """The ledger's part of a job: claim it, read it, hold its lease, end it."""
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
    load_keras()  # as `worker.engine.attempt`: while it is loaded in a thread, no report can be made
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
    content = job_json(
        record,
        state="succeeded",
        attempt=record.attempt,
        finished=time.time(),
        timeline=[],
        data={},
        notes=[],
        headline=headline(wing(spec.model).metrics, metrics),
    )
    write_json(staging / "job.json", content)
    render(staging, wing(spec.model))
    results.publish(job_id, record.attempt, settings.umask)
    background.update_index(results)
