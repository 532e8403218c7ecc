"""The Celery app, which `quartet-worker` starts.

One task for each model and action, all with the same body: claim the job, do it. Nothing that loads
TensorFlow is imported here, since this module also loads in the main process.
"""

import logging
import os
import re
import threading
import time
from functools import partial
from typing import Any

from billiard.exceptions import Terminated, TimeLimitExceeded, WorkerLostError
from celery import Celery, signals

from jobs.errors import InvalidJob, LeaseLost, RedisUnreachable
from jobs.ledger import Ledger
from jobs.queue import APP_NAME, celery_settings
from jobs.record import Claim
from jobs.settings import read_settings
from jobs.spec import PARAMETERS
from worker import finishing, gpu, indexing, transport
from worker.execute import execute
from worker.loading import begin_loading
from worker.sweep import Sweeper

log = logging.getLogger(__name__)
settings = read_settings()
os.umask(settings.umask)

transport.install()
app = Celery(APP_NAME)
app.conf.update(celery_settings(settings.redis_address()))
if settings.memory_limit_gb is not None:
    # A process that a job has blown up is no good for the next: Celery replaces it after the job.
    app.conf.worker_max_memory_per_child = int(settings.memory_limit_gb * 1e9 / 1024)


def _do(task: Any, job_id: str) -> None:
    execute(job_id, settings, task.request.hostname)


for _model, _action in PARAMETERS:
    app.task(_do, name=f"{_model}.{_action}", bind=True)


@signals.worker_ready.connect
def _begin(sender: Any, **_: Any) -> None:
    """In the main process, once the worker is ready."""
    # Not by `task.request`, which Celery leaves empty when its hard time limit strikes.
    signals.task_failure.connect(partial(_lost, sender.hostname), weak=False)
    sweeper = Sweeper(settings, sender.hostname)
    sweeper.start()
    signals.worker_shutdown.connect(lambda **_: sweeper.stop(), weak=False)


@signals.worker_process_init.connect
def _join(**_: Any) -> None:
    """In the pool's process, when it starts."""
    gpu.end_with_worker()
    begin_loading()


@signals.worker_process_shutdown.connect
def _leave(**_: Any) -> None:
    """In the pool's process, before it ends."""
    finishing.wait()
    indexing.wait()


@signals.worker_shutting_down.connect
def _hand_back(sender: str, **_: Any) -> None:
    """A worker that shuts down asks its job to write a checkpoint and gives it back to the queue.

    Celery calls this from its signal handler, where no lock may be waited for: hence the thread. It asks
    again and again, for a job may be on its way to the pool, or Redis away, at this moment.
    """

    def ask() -> None:
        ledger = Ledger(settings.redis_address())
        while True:
            try:
                ledger.ask_hand_back(sender)
            except RedisUnreachable as error:
                log.warning("%s; the sweeper of another worker will find the job", error)
            time.sleep(1)

    threading.Thread(target=ask, name="hand back", daemon=True).start()


def _lost(worker: str, sender: Any, task_id: str, exception: BaseException, **_: Any) -> None:  # noqa: ARG001
    """The pool's process died under a job: say so at once, not when the lease has run out."""
    if not isinstance(exception, (WorkerLostError, Terminated, TimeLimitExceeded)):
        return
    ledger = Ledger(settings.redis_address())
    try:
        record = ledger.record(task_id)
        if record is None or record.worker != worker:
            return
        # Celery tells seconds later: by now the pool's next process may hold the job.
        if isinstance(exception, WorkerLostError) and _is_alive(record.process):
            return
        if isinstance(exception, TimeLimitExceeded):
            seconds = record.spec.seconds_allowed()
            error = f"it ran longer than its time limit of {seconds} seconds and did not stop when asked"
            ledger.finish(Claim(task_id, record.attempt), "failed", error=error)
        else:
            ledger.lose(task_id, record.attempt, settings.max_lost_workers, _cause(str(exception)))
    except (LeaseLost, InvalidJob):
        return
    except RedisUnreachable as error:
        log.warning("%s; the sweeper will find the job", error)


def _is_alive(process: int | None) -> bool:
    if process is None:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's by now
        return False
    return True


def _cause(said: str) -> str:
    """What Celery said of a process' end, in plain words."""
    signal = re.search(r"signal \d+ \((SIG\w+)\)", said)
    return f"its process was killed ({signal[1]})" if signal else f"its process ended ({said[:200]})"
