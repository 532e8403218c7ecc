"""`python -m worker.dashboards.flower PASSWORD_FILE`: Flower, behind the user `quartet` and a password.

Read-only: Flower would revoke tasks behind the back of the ledger, which alone decides about jobs.
"""

import os
from functools import partial
from pathlib import Path

import click
from celery import Celery
from tornado.httpserver import HTTPServer

from jobs.cli import listening
from jobs.cli.usage import Command
from jobs.errors import InvalidInput
from jobs.ledger.messages import APP_NAME
from jobs.settings import read_settings
from jobs.wording import shown
from worker.dashboards import command_line
from worker.engine.celery_settings import celery_settings

LIMITS = {"idle_connection_timeout": 10.0, "body_timeout": 10.0, "max_header_size": 16 * 1024}
"""Tornado's, in seconds and bytes; by default it waits an hour for a request's head."""


@click.command(cls=Command)
@click.argument("password_file", type=click.Path(path_type=Path))
@click.option(
    "--history",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="keep what is known of tasks in this folder; without it, a restart forgets them",
)
@listening.host_option
@listening.port_option(5555)
def flower(password_file: Path, history: Path | None, host: str, port: int) -> None:
    """Show workers and tasks to browsers on this machine, until stopped."""
    try:
        password = password_file.read_text().strip()
    except (OSError, ValueError):
        password = ""
    if not password:
        raise InvalidInput(
            "password_file", expected="a file that holds a password", given=shown(str(password_file))
        )
    # Not on the command line, which everyone on the host can read.
    os.environ["FLOWER_BASIC_AUTH"] = f"quartet:{password}"
    app = Celery(APP_NAME)
    app.conf.update(celery_settings(read_settings().redis_address()))
    HTTPServer.configure(None, **LIMITS)
    # Flower opens the port itself; this is to refuse a wrong one in a sentence.
    with listening.listen(host, port) as listener:
        address, free = listener.getsockname()[:2]
    _require_the_password_for_metrics()
    if history is not None:
        _keep_history(history)
    options = ["--read_only=True", "--enable_events=False"]
    app.start(["flower", f"--address={address}", f"--port={free}", *options])


def _keep_history(folder: Path) -> None:
    """Have Flower know after a restart what it knew.

    Raises:
        InvalidInput: the folder cannot be written to.
    """
    import flower.app

    from worker.dashboards.task_history import KeptEvents, TaskHistory

    try:
        kept = TaskHistory(folder)
    except OSError as error:
        given = f"{shown(str(folder))} ({error.strerror})"
        raise InvalidInput("history", expected="a folder that can be written to", given=given) from None
    flower.app.Events = partial(KeptEvents, history=kept)


def _require_the_password_for_metrics() -> None:
    """Flower answers `/metrics` to everyone, whoever may see the rest; it names every worker and task."""
    from flower.views.monitor import Metrics
    from tornado.web import authenticated

    Metrics.get = authenticated(Metrics.get)


if __name__ == "__main__":
    command_line.run(flower, "flower")
