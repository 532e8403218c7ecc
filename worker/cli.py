"""`quartet-worker`: takes a GPU, then starts Celery's worker in this process.

The GPU is chosen here and not in `worker.engine.app`, since `CUDA_VISIBLE_DEVICES` must be set before
Celery starts the pool's process, and since a worker that waits for a GPU must not take jobs.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from importlib.metadata import version

import click

from jobs.cli.usage import Group
from jobs.error_output import print_error
from jobs.errors import MissingPart, QuartetError, RedisUnreachable
from jobs.ledger.ledger import Ledger
from jobs.ledger.messages import QUEUES, celery_queues
from jobs.local.redis_server import answers
from jobs.local.supervisor import PARENT_VARIABLE, check_worker_is_installed
from jobs.settings import Settings, read_settings
from worker.engine.parent_watch import end_with_parent

PROGRAM = "quartet-worker"
PING_SECONDS = 10.0
"""How long a worker may take to answer."""

ANNOUNCE_SECONDS = 15.0
"""How long the ledger remembers that a worker waits for a GPU."""

WAITING = "waiting"
"""In a worker's announcement: what it waits for before it takes jobs."""

log = logging.getLogger(PROGRAM)

_name = click.option(
    "--name",
    default="worker",
    show_default=True,
    help="the worker's name, before @ and the name of this host",
)


@click.group(
    cls=Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--queues",
    default=",".join(QUEUES),
    show_default=True,
    help="comma-separated queues to take jobs from: training, and short for evaluate and generate",
)
@_name
@click.pass_context
def worker(context: click.Context, queues: str, name: str) -> None:
    """Run jobs until stopped; the running job then goes back to the queue, with its checkpoint."""
    if context.invoked_subcommand is None:
        start(read_settings(), celery_queues(queues), f"{name}@{socket.gethostname()}")


@worker.command()
@_name
def health(name: str) -> None:
    """Check that the worker of this name on this host responds; exit code 0 if it does."""
    click.echo(examine(read_settings(), f"{name}@{socket.gethostname()}"))


def start(settings: Settings, queues: list[str], name: str) -> None:
    """Take a GPU, waiting for one if need be, and run Celery's worker until it is stopped.

    Args:
        settings: of this worker.
        queues: Celery's names of the queues to take jobs from.
        name: of this worker, with its host.

    Raises:
        MissingPart: Celery or TensorFlow is not installed, kombu does not fit, or NVIDIA's driver does not
            answer.
        InvalidSetting: no lock can be made in the setting `gpu_lock_dir`.
    """
    check_worker_is_installed()
    # The first process of a container ignores this signal unless it has a handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.basicConfig(level=settings.log_level, format="[%(asctime)s: %(levelname)s] %(message)s")
    if PARENT_VARIABLE in os.environ:
        end_with_parent(int(os.environ[PARENT_VARIABLE]), settings.redis_address())
    from worker.engine.gpu import device

    hold = device.take(settings, name, _WaitAnnouncer(settings, name))
    if hold is None:
        log.info("%s runs on the CPU", name)
    else:
        log.info("%s holds GPU %s, %s (%s)", name, hold.card.index, hold.card.name, hold.card.uuid)
    from worker.engine.app import app

    _end_even_without_redis(settings)
    # `hold` lives as long as this process, and the kernel frees its lock however that ends.
    app.worker_main(
        ["worker", "--without-mingle", "-E", "-Q", ",".join(queues), "-n", name, "-l", settings.log_level]
    )


def _end_even_without_redis(settings: Settings) -> None:
    """Make sure that a stopped worker ends even while Redis is away, when Celery ignores signals.

    Its job cannot be handed back then; it is resumed from its last checkpoint once its lease has expired.
    """
    from billiard import active_children
    from celery import signals

    def watch() -> None:
        last_answer = time.monotonic()
        while time.monotonic() - last_answer < settings.stop_grace_seconds:
            time.sleep(1)
            if answers(settings.redis_address()):
                last_answer = time.monotonic()
        log.warning("stopped while Redis is away: the running job cannot be handed back")
        for child in active_children():
            os.kill(child.pid, signal.SIGKILL)
        os._exit(1)

    signals.worker_shutting_down.connect(
        lambda **_: threading.Thread(target=watch, daemon=True).start(), weak=False
    )


class _WaitAnnouncer:
    """Announces that the worker waits: in the log when the holders change, in the ledger all the while."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._ledger = Ledger(settings.redis_address())
        self._name = name
        self._reason = ""
        self._announced = -ANNOUNCE_SECONDS

    def __call__(self, reason: str) -> None:
        """Announce the wait; called every second, with who holds the GPUs."""
        changed = reason != self._reason
        if changed:
            log.info("%s waits for a GPU: %s", self._name, reason)
        if changed or time.monotonic() - self._announced > ANNOUNCE_SECONDS / 3:
            self._reason, self._announced = reason, time.monotonic()
            about = {"quartet": version("quartet"), WAITING: f"for a GPU: {reason}"}
            try:
                self._ledger.announce_worker(self._name, about, ANNOUNCE_SECONDS)
            except RedisUnreachable as error:
                log.warning("%s", error)


def examine(settings: Settings, name: str) -> str:
    """Check that a worker is healthy: it answers, or it waits for a GPU as it should.

    It sends Celery's own ping, which passes through Redis and the loop that takes jobs, so it notices a
    worker that is cut off, frozen or stuck, which a look at its process would not.

    Args:
        settings: say where Redis is.
        name: of the worker, with its host.

    Returns:
        A sentence that says which of the two it does.

    Raises:
        MissingPart: Celery is not installed.
        RedisUnreachable: Redis cannot be reached.
        QuartetError: the worker does not answer.
    """
    waits = Ledger(settings.redis_address()).workers().get(name, {}).get(WAITING)
    if waits:
        return f"{name} waits {waits}"
    try:
        from celery import Celery

        from worker.engine.broker import celery_settings
    except ImportError:
        raise MissingPart(
            "celery is not installed, and a worker needs it", hint="pip install 'quartet[worker]'"
        ) from None
    app = Celery("quartet-health")
    app.conf.update(celery_settings(settings.redis_address()))
    if not app.control.ping(destination=[name], timeout=PING_SECONDS, limit=1):
        raise QuartetError(f"{name} did not answer within {PING_SECONDS:g} seconds")
    return f"{name} answers"


def main() -> None:
    """Run the command line; an error is printed as one sentence, with its hint, and sets the exit code."""
    try:
        sys.exit(worker.main(prog_name=PROGRAM, standalone_mode=False) or 0)
    except QuartetError as error:
        sys.exit(print_error(PROGRAM, error))
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)


if __name__ == "__main__":
    main()
