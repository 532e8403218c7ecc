"""The Celery app, which `quartet-worker` starts.

One task for each model and action, all with the same body: claim the job, do it. Nothing that loads
TensorFlow is imported here, since this module also loads in the main process.
"""

import logging
import os
import threading
from typing import Any

from billiard.exceptions import Terminated, TimeLimitExceeded, WorkerLostError
from celery import Celery, signals

from jobs.errors import LeaseLost, RedisUnreachable
from jobs.ledger import Claim, Ledger
from jobs.queue import APP_NAME, celery_settings
from jobs.settings import read_settings
from jobs.spec import PARAMETERS
from worker import gpu
from worker.execute import execute
from worker.sweep import Sweeper

log = logging.getLogger(__name__)
settings = read_settings()
os.umask(settings.umask)

app = Celery(APP_NAME)
app.conf.update(celery_settings(settings.redis_address()))


def _do(task: Any, job_id: str) -> str | None:
    return execute(job_id, settings, task.request.hostname)


for _model, _action in PARAMETERS:
    app.task(_do, name=f"{_model}.{_action}", bind=True)


@signals.worker_ready.connect
def _begin(sender: Any, **_: Any) -> None:
    """In the main process, once the worker is ready."""
    sweeper = Sweeper(settings, sender.hostname)
    sweeper.start()
    signals.worker_shutdown.connect(lambda **_: sweeper.stop(), weak=False)


@signals.worker_process_init.connect
def _join(**_: Any) -> None:
    """In the pool's process, when it starts."""
    gpu.end_with_worker()


@signals.worker_shutting_down.connect
def _hand_back(sender: str, **_: Any) -> None:
    """A worker that shuts down asks its job to write a checkpoint and gives it back to the queue.

    Celery calls this from its signal handler, where no lock may be waited for: hence the thread.
    """

    def ask() -> None:
        try:
            Ledger(settings.redis_address()).ask_hand_back(sender)
        except RedisUnreachable as error:
            log.warning("%s; the sweeper will find the job", error)

    threading.Thread(target=ask, name="hand back").start()


@signals.task_failure.connect
def _lost(sender: Any, task_id: str, exception: BaseException, **_: Any) -> None:
    """The pool's process died under a job: say so at once, not when the lease has run out."""
    if not isinstance(exception, (WorkerLostError, Terminated, TimeLimitExceeded)):
        return
    ledger = Ledger(settings.redis_address())
    try:
        record = ledger.record(task_id)
        if record is None or record.worker != sender.request.hostname:
            return
        if isinstance(exception, TimeLimitExceeded):
            seconds = record.spec.seconds_allowed()
            error = f"it ran longer than its time limit of {seconds} seconds and did not stop when asked"
            ledger.finish(Claim(task_id, record.attempt, None), "failed", error=error)
        else:
            ledger.lose(task_id, record.attempt, settings.max_lost_workers, str(exception))
    except LeaseLost:
        return
    except RedisUnreachable as error:
        log.warning("%s; the sweeper will find the job", error)
