"""A worker's main process: takes a GPU, then runs Celery's worker.

The GPU is chosen here and not in `worker.engine.app`, since `CUDA_VISIBLE_DEVICES` must be set before
Celery starts the pool's process, and since a worker that waits for a GPU must not take jobs.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
import warnings
from importlib.metadata import version

from jobs.errors import QuartetError, RedisUnreachable
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import QUEUES
from jobs.local.results_check import check_results_rights
from jobs.local.supervisor import PARENT_VARIABLE, TEMPORARY_VARIABLE, check_worker_is_installed
from jobs.notifying.addresses import read_addresses
from jobs.settings import Settings
from jobs.store.open_results import open_results
from worker.engine import draining
from worker.engine.gpu import device
from worker.engine.log_lines import set_up_logs
from worker.engine.parent_watch import end_with_parent
from worker.engine.watchdog import Watchdog, watched

ANNOUNCE_SECONDS = 15.0
"""How long the ledger remembers that a worker waits for a GPU."""

WAITING = "waiting"
"""In a worker's announcement: what it waits for before it takes jobs."""

log = logging.getLogger(__name__)


def start(settings: Settings, queues: list[str], name: str) -> None:
    """Take a GPU, waiting for one if need be, and run Celery's worker until it is stopped.

    Args:
        settings: of this worker.
        queues: Celery's names of the queues to take jobs from.
        name: of this worker, with its host.

    Raises:
        InvalidInput: another worker of this host has that name.
        MissingPart: Celery, TensorFlow or what the store needs is not installed, kombu does not fit, or
            NVIDIA's driver does not answer.
        InvalidSetting: no lock can be made in the setting `gpu_lock_dir` or `state_dir`, Redis is a cluster,
            or the results folder is the copy of another store or not writable for this user.
    """
    os.umask(settings.umask)  # which the pool's process and all others inherit
    check_worker_is_installed()
    open_results(settings)  # refuses what could not be used, as do the next two
    check_results_rights(settings.results_dir.absolute())
    read_addresses(settings)
    # The first process of a container ignores this signal unless it has a handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    set_up_logs(settings, name)
    with contextlib.suppress(RedisUnreachable):  # it may come back; a cluster never fits
        Ledger(settings.redis_address()).ping()
    with watched(settings, name) as watchdog, draining.listening(settings, name):
        if PARENT_VARIABLE in os.environ:
            end_with_parent(int(os.environ[PARENT_VARIABLE]), settings.redis_address(), watchdog.clean_up)
        hold = device.take(settings, name, _WaitAnnouncer(settings, queues, watchdog))
        watchdog.waits = ""
        if hold is None:
            log.info("%s runs on the CPU", name)
        else:
            log.info("%s holds GPU %s, %s (%s)", name, hold.card.index, hold.card.name, hold.card.uuid)
        _run_celery(settings, queues, watchdog)
        # `hold` lives as long as this process, and the kernel frees its lock however that ends.


def _run_celery(settings: Settings, queues: list[str], watchdog: Watchdog) -> None:
    from celery.exceptions import SecurityWarning

    from worker.engine.app import app, watched_by
    from worker.engine.whereabouts import Whereabouts

    if os.geteuid() != 0:  # Celery takes a user without an entry in /etc/passwd, as in a container, for root
        warnings.filterwarnings("ignore", category=SecurityWarning)
    watched_by(watchdog)
    app.steps["worker"].add(Whereabouts)
    _end_even_without_redis(settings, watchdog)
    if TEMPORARY_VARIABLE in os.environ:
        _end_with_pool(settings, watchdog)
    # Without gossip: it reads what strangers say of themselves.
    arguments = ["--without-mingle", "--without-gossip", "-E", "-Q", ",".join(queues)]
    quiet = ["--quiet"] if settings.log_format == "json" else []  # no banner, which is no event
    app.worker_main([*quiet, "worker", *arguments, "-n", watchdog.name, "-l", settings.log_level])


def _end_even_without_redis(settings: Settings, watchdog: Watchdog) -> None:
    """Make sure that a stopped worker ends even while Redis is away, when Celery ignores signals.

    Its job writes a checkpoint but cannot be handed back then; it is resumed once its lease has expired.
    """
    from celery import signals

    def watch() -> None:
        stopped = time.monotonic()
        while min(watchdog.redis_silent(), time.monotonic() - stopped) < settings.stop_grace_seconds:
            time.sleep(1)
        watchdog.end("stopped while Redis is away: the running job cannot be handed back")

    signals.worker_shutting_down.connect(
        lambda **_: threading.Thread(target=watch, name="stopping", daemon=True).start(), weak=False
    )


def _end_with_pool(settings: Settings, watchdog: Watchdog) -> None:
    """Have a worker that is stopped end once its pool has, and not when Celery has left Redis a second later.

    The pool's process has handed back or published its job by then, and has written the index. What is left
    for the threads beside Celery they do now, since no other worker will.
    """
    from billiard import active_children
    from celery import signals

    from worker.engine.app import stop_threads

    def watch() -> None:
        while active_children():
            time.sleep(0.01)
        stop_threads(for_good=True)
        draining.note_end(settings, watchdog.name)
        with contextlib.suppress(OSError):
            watchdog.clean_up()
        os._exit(0)

    signals.worker_shutting_down.connect(
        lambda **_: threading.Thread(target=watch, name="ending", daemon=True).start(), weak=False
    )


class _WaitAnnouncer:
    """Announces that the worker waits: in the log when the holders change, in the ledger all the while."""

    def __init__(self, settings: Settings, queues: list[str], watchdog: Watchdog) -> None:
        self._ledger = Ledger(settings.redis_address())
        self._queues = ",".join(name for name, queue in QUEUES.items() if queue in queues)
        self._watchdog = watchdog
        self._announced = -ANNOUNCE_SECONDS

    def __call__(self, reason: str) -> None:
        """Announce the wait, or end it if this worker is drained; called every second.

        Args:
            reason: who holds the GPUs.
        """
        if draining.reason():
            sys.exit(0)
        waits = f"for a GPU: {reason}"
        name, changed = self._watchdog.name, waits != self._watchdog.waits
        if changed:
            log.info("%s waits %s", name, waits)
            self._watchdog.waits = waits
            with contextlib.suppress(OSError):  # it is written again, and logged, by the watchdog
                self._watchdog.write_state()
        if changed or time.monotonic() - self._announced > ANNOUNCE_SECONDS / 3:
            self._announced = time.monotonic()
            about = {"quartet": version("quartet"), WAITING: waits, "queues": self._queues}
            about |= draining.about()
            try:
                self._ledger.announce_worker(name, about, ANNOUNCE_SECONDS)
            except QuartetError as error:
                log.warning("%s", error)
