"""A worker of Celery alone, without Quartet's transport: `celery -A benchmarks.celery_worker worker`."""

import secrets
import time

from celery import Celery, signals

from benchmarks.empty_models import know_unpublished
from jobs.ledger.job_record import Record
from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.store.atomic_files import write_json
from jobs.store.results import Results
from worker.engine import background
from worker.engine.celery_settings import celery_settings
from worker.engine.job_json import job_json
from worker.engine.startup import begin_loading, load_keras
from worker.engine.wings import wing
from worker.report.job_page import render
from worker.report.metrics import headline

settings = read_settings()
know_unpublished()
app = Celery("bench")
app.conf.update(
    celery_settings(settings.redis_address())
    | {
        "broker_url": settings.redis_address().replace("unix://", "redis+socket://"),
        "task_default_queue": "bench",
    }
)
signals.worker_process_init.connect(lambda **_: begin_loading(), weak=False)
signals.worker_process_shutdown.connect(lambda **_: background.wait(), weak=False)


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
        stored=StoredSpec.of(spec),
        state="running",
        attempt=1,
        lost=0,
        submitted=now,
        started=now,
        finished=None,
        worker=None,
        process=None,
        token=secrets.token_hex(8),
        stop="",
        error=None,
        folder=None,
        headline=None,
        continues=None,
        retried=None,
        declined={},
    )
    staging = results.stage(record.claim)
    write_json(staging / "metrics.json", metrics, durable=False)
    content = job_json(
        record,
        state="succeeded",
        attempt=record.attempt,
        finished=round(1000 * time.time()),
        timeline=[],
        data={},
        notes=[],
        headline=headline(wing(spec.model).metrics, metrics),
    )
    write_json(staging / "job.json", content)
    render(staging, wing(spec.model))
    results.publish(record.claim, settings.umask)
    background.update_index(results)
