"""Quartet's own worker, which also runs the empty jobs: `celery -A benchmarks.empty_worker worker`."""

import math
import os
import secrets
import threading
from typing import Any

from benchmarks.empty_models import know_unpublished
from jobs.ledger.ledger import Ledger
from worker.engine.app import app, settings
from worker.engine.heartbeat import Heartbeat

# After `worker.engine.app`, which makes a task for each model that it finds: this one has its own here.
know_unpublished()


@app.task(name="unpublished.generate", bind=True)  # type: ignore[untyped-decorator]
def queue_alone(task: Any, job_id: str) -> None:
    """The ledger's part of a job: claim it, read it, hold its lease, end it."""
    ledger = Ledger(settings.redis_address(), patience_seconds=math.inf)
    claim = ledger.claim(job_id, task.request.hostname, os.getpid(), secrets.token_hex(8))
    assert claim is not None
    claim.record()
    with Heartbeat(claim, settings, 3_600, threading.Event(), lambda _: None):
        pass
    ledger.finish(claim, "succeeded", finished=ledger.now(), folder=job_id)
