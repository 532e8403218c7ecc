"""`quartet-worker`: takes a GPU, then starts Celery's worker in this process.

The GPU is chosen here and not in `worker.app`, since `CUDA_VISIBLE_DEVICES` must be set before
Celery starts the pool's process, and since a worker that waits for a GPU must not take jobs.
"""

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import version

import click

from jobs.errors import MissingPart, QuartetError, RedisUnreachable
from jobs.ledger import Ledger
from jobs.local import PARENT_VARIABLE, answers, check_worker_is_installed, end_with_parent
from jobs.queue import QUEUES, celery_queues, celery_settings
from jobs.settings import Settings, read_settings

PING_SECONDS = 10.0
ANNOUNCE_SECONDS = 15.0
WAITING = "waiting"
"""In a worker's announcement: what it waits for before it takes jobs."""

_name = click.option(
    "--name", default="worker", show_default=True, help="what it is called, before @ and this host's name"
)


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--queues",
    default=",".join(QUEUES),
    show_default=True,
    help="the jobs it takes: training; short ones, which evaluate or generate; separated by commas",
)
@_name
@click.pass_context
def worker(context: click.Context, queues: str, name: str) -> None:
    """Do jobs until told to stop. A job at hand is then given back with its checkpoint."""
    if context.invoked_subcommand is None:
        start(read_settings(), celery_queues(queues), f"{name}@{socket.gethostname()}")


@worker.command()
@_name
def health(name: str) -> None:
    """Ask the worker of this name on this host whether it is well; exit code 0 if it is."""
    click.echo(examine(read_settings(), f"{name}@{socket.gethostname()}"))


def start(settings: Settings, queues: list[str], name: str) -> None:
    """Take a GPU, waiting for one if need be, and be a Celery worker until told to stop.

    Raises:
        MissingPart: Celery or TensorFlow is not installed, or NVIDIA's driver does not answer.
        InvalidSetting: no lock can be made in the setting `gpu_lock_dir`.
    """
    check_worker_is_installed()
    # As the first process of a container this one ignores the signal unless it asks for it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logging.basicConfig(level=settings.log_level, format="[%(asctime)s: %(levelname)s] %(message)s")
    log = logging.getLogger("quartet-worker")
    if PARENT_VARIABLE in os.environ:
        end_with_parent(int(os.environ[PARENT_VARIABLE]), settings.redis_address())
    from worker import gpu

    hold = gpu.take(settings, name, _announcer(settings, name, log))
    if hold is None:
        log.info("%s computes on the processor", name)
    else:
        log.info("%s holds GPU %s, %s (%s)", name, hold.card.index, hold.card.name, hold.card.uuid)
    from worker.app import app

    _end_even_without_redis(settings, log)
    # `hold` lives as long as this process, and the kernel frees its lock however that ends.
    app.worker_main(
        ["worker", "--without-mingle", "-E", "-Q", ",".join(queues), "-n", name, "-l", settings.log_level]
    )


def _end_even_without_redis(settings: Settings, log: logging.Logger) -> None:
    """See to it that a worker told to stop does so while Redis is away, when Celery heeds no signal.

    Its job cannot be given back then: it goes on from its last checkpoint once its lease has run out.
    """
    from billiard import active_children
    from celery import signals

    def watch() -> None:
        last_answer = time.monotonic()
        while time.monotonic() - last_answer < settings.stop_grace_seconds:
            time.sleep(1)
            if answers(settings.redis_address()):
                last_answer = time.monotonic()
        log.warning("told to stop, and Redis is away: the job at hand cannot be given back")
        for child in active_children():
            os.kill(child.pid, signal.SIGKILL)
        os._exit(1)

    signals.worker_shutting_down.connect(
        lambda **_: threading.Thread(target=watch, daemon=True).start(), weak=False
    )


def _announcer(settings: Settings, name: str, log: logging.Logger) -> Callable[[str], None]:
    """Says that the worker waits: in the log when the holders change, in the ledger all the while."""
    ledger = Ledger(settings.redis_address())
    said = ""
    announced = -ANNOUNCE_SECONDS

    def announce(why: str) -> None:
        nonlocal said, announced
        if why != said:
            log.info("%s waits for a GPU: %s", name, why)
        if why != said or time.monotonic() - announced > ANNOUNCE_SECONDS / 3:
            said, announced = why, time.monotonic()
            try:
                about = {"quartet": version("quartet"), WAITING: f"for a GPU: {why}"}
                ledger.announce_worker(name, about, ANNOUNCE_SECONDS)
            except RedisUnreachable as error:
                log.warning("%s", error)

    return announce


def examine(settings: Settings, name: str) -> str:
    """Say in a sentence that a worker is well: it answers, or it waits for a GPU as it should.

    Celery's own ping is what is asked: it passes through Redis and the loop that takes jobs, so it
    notices a worker that is cut off, frozen or stuck, which a look at its process would not.

    Raises:
        MissingPart: Celery is not installed.
        RedisUnreachable: there is no way to ask.
        QuartetError: it does not answer.
    """
    waits = Ledger(settings.redis_address()).workers().get(name, {}).get(WAITING)
    if waits:
        return f"{name} waits {waits}"
    try:
        from celery import Celery
    except ImportError:
        raise MissingPart("celery is not installed: a worker needs `pip install 'quartet[worker]'`") from None
    app = Celery("quartet-health")
    app.conf.update(celery_settings(settings.redis_address()))
    found = app.control.ping(destination=[name], timeout=PING_SECONDS, limit=1)
    if not found:
        raise QuartetError(f"{name} did not answer within {PING_SECONDS:g} seconds")
    return f"{name} answers"


def main() -> None:
    """Run the command line; every error is one sentence on standard error and an exit code."""
    try:
        sys.exit(worker.main(standalone_mode=False) or 0)
    except QuartetError as error:
        click.echo(f"quartet-worker: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"quartet-worker: {error.format_message()}", err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)


if __name__ == "__main__":
    main()
