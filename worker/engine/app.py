"""The Celery app, which `quartet-worker` starts.

One task for each model and action, all with the same body: claim the job, run it. Nothing that loads
TensorFlow is imported here, since this module also loads in the main process. What only one of the two
processes needs is imported when it is: a job waits until both have loaded, one after the other.
"""

import logging
import os
import re
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from billiard.exceptions import Terminated, WorkerLostError
from celery import Celery, signals
from celery.worker.state import reserved_requests

from jobs.errors import InvalidModel, JobFailed, LeaseLost, QuartetError, RedisUnreachable, StoreUnreachable
from jobs.ledger.job_record import LossReason, Record, State
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import APP_NAME, QUEUES
from jobs.models import model_names, parameters_of
from jobs.parameters import ACTIONS
from jobs.settings import read_values
from jobs.store.open_results import open_results
from worker.engine import broker, draining, liveness
from worker.engine.celery_settings import celery_settings
from worker.engine.gpu import device
from worker.engine.job_request import JobRequest, raise_unless_succeeded
from worker.engine.log_lines import set_up_logs
from worker.engine.right_store import waits_for_store
from worker.engine.room import lacking_room
from worker.engine.startup import begin_loading
from worker.engine.watchdog import Watchdog

if TYPE_CHECKING:
    from worker.engine.notifier import Notifier
    from worker.engine.sweep_advancer import SweepAdvancer
    from worker.engine.sweeper import Sweeper

log = logging.getLogger(__name__)
settings = read_values()

_threads: "list[Sweeper | SweepAdvancer | Notifier]" = []
"""Those of the main process beside Celery."""

_stopping = threading.Lock()

app = Celery(APP_NAME)
app.conf.update(celery_settings(settings.redis_address()))
if settings.memory_limit_gb is not None:
    # A process does not give memory back: Celery replaces one that has grown too large after its job.
    app.conf.worker_max_memory_per_child = int(settings.memory_limit_gb * 1e9 / 1024)


def _run(task: Any, job_id: str) -> None:
    from worker.engine import drawing
    from worker.engine.attempt import execute

    drawing.get_ready()  # beside TensorFlow, where that is still loading
    state: State | None = None
    try:
        state = execute(job_id, settings, task.request.hostname)
    except QuartetError as error:
        log.error("%s; the sweeper will find job %s", error, job_id)
    except Exception:  # of a MemoryError, Celery's main process would die
        log.exception("job %s could not be held; the sweeper will find it", job_id)
    raise_unless_succeeded(job_id, state)


# For broken models too: their jobs then fail with a sentence, whereas Celery drops a message without a task.
for _model in model_names():
    for _action in ACTIONS:
        app.task(_run, name=f"{_model}.{_action}", bind=True, throws=(JobFailed,), Request=JobRequest)


def watched_by(watchdog: Watchdog) -> None:
    """Connect this worker's main process to what watches it, before Celery runs in it.

    Args:
        watchdog: that was started.
    """

    def tick() -> None:
        watchdog.loop_runs()
        watchdog.waits = broker.pause_reason() or ""
        draining.stop_if_drained(busy=bool(reserved_requests) or watchdog.holds_jobs())

    broker.pause_while(draining.reason)
    broker.pause_while(partial(lacking_room, settings))
    broker.pause_while(waits_for_store)
    # Not by `task.request`, which Celery leaves empty when a process is lost.
    signals.task_failure.connect(partial(_child_died, watchdog), weak=False)
    signals.worker_ready.connect(lambda sender, **_: sender.hub.call_repeatedly(1.0, tick), weak=False)
    signals.worker_ready.connect(partial(_wake_at_signals, os.pipe()), weak=False)


def _wake_at_signals(pipe: tuple[int, int], sender: Any, **_: Any) -> None:
    """Have the event loop notice at once that it is to stop, and not with its next timer.

    It waits in `epoll`, which Python resumes after a signal's handler has run. Each reconnection to Redis
    takes all readers from the loop, and then the worker is ready once more.
    """
    reader, writer = pipe
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    sender.hub.add_reader(reader, os.read, reader, 4096)


@signals.setup_logging.connect
def _set_up_logs(**_: Any) -> None:
    """In each process of the worker, in place of Celery's own set-up."""
    set_up_logs(settings)
    app.log.redirect_stdouts("WARNING")


@signals.celeryd_after_setup.connect
def _silence_spawning(**_: Any) -> None:
    """In the main process, before the pool starts: by these, its process would log in a form of its own."""
    for name in ("LOGLEVEL", "LOGFILE", "LOGFORMAT"):
        os.environ.pop(f"_MP_FORK_{name}_", None)


@signals.worker_ready.connect
def _start(sender: Any, **_: Any) -> None:
    """In the main process, once the worker is ready, and while the pool's process loads."""
    from worker.engine.notifier import notifiers
    from worker.engine.sweep_advancer import SweepAdvancer
    from worker.engine.sweeper import Sweeper

    _log_broken_models()
    signals.task_unknown.connect(partial(_no_such_model, sender.hostname), weak=False)
    taken = [name for name, queue in QUEUES.items() if queue in sender.app.amqp.queues.consume_from]
    threads: list[Sweeper | SweepAdvancer | Notifier] = [
        Sweeper(settings, sender.hostname, taken),
        SweepAdvancer(settings),
    ]
    try:
        threads += notifiers(settings)
    except QuartetError as error:  # the file of addresses has changed since the settings were checked
        log.error("nobody is notified by this worker: %s", error)
    for thread in threads:
        thread.start()
    _threads.extend(threads)


@signals.worker_shutdown.connect
def _stop_threads(**_: Any) -> None:
    stop_threads()


def stop_threads(*, for_good: bool = False) -> None:
    """Stop the threads beside Celery, once; who calls this meanwhile waits for that.

    Args:
        for_good: no other worker goes on with their work: each ends what is left of it.
    """
    with _stopping:
        while _threads:
            thread = _threads.pop(0)
            thread.stop()
            try:
                if for_good:
                    thread.finish()
            except (QuartetError, OSError) as error:
                log.warning("%s", error)
            except Exception:
                log.exception("what was left to do at the end could not be done")


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
    from worker.engine import attempt, drawing  # noqa: F401 - loads what a job needs

    device.end_with_worker()
    liveness.watch_main(settings)
    drawing.begin()
    begin_loading()


@signals.worker_process_shutdown.connect
def _leave(exitcode: int, **_: Any) -> None:
    """In the pool's process, before it ends."""
    from worker.engine import background

    background.wait()
    if liveness.is_stopping():
        # billiard would tell the main process, which knows, and then sleep for a second.
        liveness.leave(exitcode)


@signals.worker_shutting_down.connect
def _hand_back(**_: Any) -> None:
    """A worker that shuts down has its job write a checkpoint and hands it back to the queue."""
    liveness.ask_to_stop()


def _no_such_model(worker: str, id: str, **_: Any) -> None:  # noqa: A002 - Celery's name
    """Fail the job whose message names a task that this worker does not have, if it is a job's message."""
    from worker.engine.attempt import refuse

    try:
        refuse(id, settings, worker)
    except RedisUnreachable as error:
        log.warning("%s; the sweeper sends the message again", error)


def _child_died(watchdog: Watchdog, task_id: str, exception: BaseException, **_: Any) -> None:
    """Record at once that the pool's process died under a job, not only when the lease has expired."""
    if not isinstance(exception, (WorkerLostError, Terminated)):
        return
    ledger = Ledger(settings.redis_address())
    try:
        record = ledger.record(task_id)
        # Celery reports a death seconds later, when the pool's next process may already hold the job.
        if record is not None and record.worker == watchdog.name and not _is_own_process(record.process):
            _record_death(ledger, record, watchdog, exception)
    except LeaseLost:
        return
    except (RedisUnreachable, StoreUnreachable) as error:
        log.warning("%s; the sweeper will find the job", error)
    except Exception:
        log.exception("the loss of job %s was not recorded; the sweeper will find it", task_id)


def _record_death(ledger: Ledger, record: Record, watchdog: Watchdog, exception: BaseException) -> None:
    """Queue the job again, or fail it after too many deaths."""
    from worker.engine.ended_jobs import record_loss

    why, reason = _cause(str(exception), hung=record.process in watchdog.killed)
    results = open_results(settings)
    record_loss(ledger, results, record.claim, settings.max_lost_workers, why, reason)


def _is_own_process(process: int | None) -> bool:
    """Whether this user has a process of this id; `worker.health.is_alive` counts those of all users."""
    if process is None:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's process has this id now
        return False
    return True


def _cause(message: str, *, hung: bool) -> tuple[str, LossReason]:
    """How a process ended, from Celery's message about it, and as what that is counted."""
    killed = re.search(r"signal \d+ \((SIG\w+)\)", message)
    if hung:
        return "its process hung and was killed", "process_hung"
    if killed:
        return f"its process was killed ({killed[1]})", "process_killed"
    return f"its process ended ({message[:200]})", "process_ended"
