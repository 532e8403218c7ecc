"""The Celery app, which `quartet-worker` starts.

One task for each model and action, all with the same body: claim the job, run it. Nothing that loads
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

from jobs.errors import InvalidJob, InvalidModel, LeaseLost, RedisUnreachable
from jobs.ledger.job_record import Claim, Record
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import APP_NAME
from jobs.models import model_names, parameters_of
from jobs.parameters import ACTIONS
from jobs.settings import read_settings
from worker.engine import background, broker
from worker.engine.attempt import execute, refuse
from worker.engine.gpu import device
from worker.engine.outcome import over_time_limit
from worker.engine.startup import begin_loading
from worker.engine.sweeper import Sweeper

log = logging.getLogger(__name__)
settings = read_settings()
os.umask(settings.umask)

broker.install()
app = Celery(APP_NAME)
app.conf.update(broker.celery_settings(settings.redis_address()))
if settings.memory_limit_gb is not None:
    # A process does not give memory back: Celery replaces one that has grown too large after its job.
    app.conf.worker_max_memory_per_child = int(settings.memory_limit_gb * 1e9 / 1024)


def _run(task: Any, job_id: str) -> None:
    execute(job_id, settings, task.request.hostname)


# For broken models too: their jobs then fail with a sentence, whereas Celery drops a message without a task.
for _model in model_names():
    for _action in ACTIONS:
        app.task(_run, name=f"{_model}.{_action}", bind=True)


@signals.worker_ready.connect
def _start(sender: Any, **_: Any) -> None:
    """In the main process, once the worker is ready."""
    _log_broken_models()
    # Not by `task.request`, which Celery leaves empty when its hard time limit strikes.
    signals.task_failure.connect(partial(_child_died, sender.hostname), weak=False)
    signals.task_unknown.connect(partial(_no_such_model, sender.hostname), weak=False)
    sweeper = Sweeper(settings, sender.hostname)
    sweeper.start()
    signals.worker_shutdown.connect(lambda **_: sweeper.stop(), weak=False)


def _log_broken_models() -> None:
    """Log why each broken model is broken: the worker starts all the same, and only their jobs fail."""
    for model in model_names():
        try:
            parameters_of(model, ACTIONS[0])
        except InvalidModel as error:
            log.error("%s", error.explanation)


@signals.worker_process_init.connect
def _join(**_: Any) -> None:
    """In the pool's process, when it starts."""
    device.end_with_worker()
    begin_loading()


@signals.worker_process_shutdown.connect
def _leave(**_: Any) -> None:
    """In the pool's process, before it ends."""
    background.wait()


@signals.worker_shutting_down.connect
def _hand_back(sender: str, **_: Any) -> None:
    """A worker that shuts down has its job write a checkpoint and hands it back to the queue.

    Celery calls this from its signal handler, which must not wait for a lock: hence the thread. It asks
    again and again, since a job may be on its way to the pool, or Redis away, at this moment.
    """

    def ask() -> None:
        ledger = Ledger(settings.redis_address())
        while True:
            try:
                ledger.ask_hand_back(sender)
            except RedisUnreachable as error:
                log.warning("%s; the sweeper of another worker will find the job", error)
            except Exception:
                log.exception("the job could not be asked to stop; the next try is in a second")
            time.sleep(1)

    threading.Thread(target=ask, name="hand back", daemon=True).start()


def _no_such_model(worker: str, id: str, **_: Any) -> None:  # noqa: A002 - Celery's name
    """Fail the job whose message names a task that this worker does not have, if it is a job's message."""
    try:
        refuse(id, settings, worker)
    except RedisUnreachable as error:
        log.warning("%s; the sweeper sends the message again", error)


def _child_died(worker: str, sender: Any, task_id: str, exception: BaseException, **_: Any) -> None:  # noqa: ARG001
    """Record at once that the pool's process died under a job, not only when the lease has expired."""
    if not isinstance(exception, (WorkerLostError, Terminated, TimeLimitExceeded)):
        return
    ledger = Ledger(settings.redis_address())
    try:
        record = ledger.record(task_id)
        if record is not None and record.worker == worker:
            _record_death(ledger, record, exception)
    except (LeaseLost, InvalidJob):
        return
    except RedisUnreachable as error:
        log.warning("%s; the sweeper will find the job", error)


def _record_death(ledger: Ledger, record: Record, exception: BaseException) -> None:
    """Fail a job that Celery killed at its hard limit; queue any other again, or fail it after too many."""
    # Celery reports a death seconds later, when the pool's next process may already hold the job.
    if isinstance(exception, WorkerLostError) and _is_alive(record.process):
        return
    if isinstance(exception, TimeLimitExceeded):
        error = f"{over_time_limit(record)} and did not stop when asked"
        ledger.finish(Claim(record.id, record.attempt), "failed", error=error)
    else:
        cause = _cause(str(exception))
        ledger.record_loss(record.id, record.attempt, settings.max_lost_workers, cause)


def _is_alive(process: int | None) -> bool:
    if process is None:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's process has this id now
        return False
    return True


def _cause(message: str) -> str:
    """How a process ended, from Celery's message about it."""
    signal = re.search(r"signal \d+ \((SIG\w+)\)", message)
    return f"its process was killed ({signal[1]})" if signal else f"its process ended ({message[:200]})"
