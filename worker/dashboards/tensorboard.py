"""`python -m worker.dashboards.tensorboard FOLDER`: finished training jobs in TensorBoard.

TensorBoard overlays many training runs, which a report cannot. Each `history.csv` becomes a run of scalars
called `<model>/<job id>`. To follow a job that is still running, use `quartet watch`.
"""

import argparse
import logging
import socket
import sys
import tempfile
import threading
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from a2wsgi import WSGIMiddleware
from tensorboard import program
from tensorboard.summary import Writer

from jobs.cli import listening
from jobs.cli.usage import Command
from jobs.errors import DamagedFolder
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results
from jobs.wording import shown
from worker.dashboards import command_line
from worker.dashboards.connections import MOST_CONNECTIONS, serve

log = logging.getLogger(__name__)
LOOK_SECONDS = 10.0
"""Between two looks for new jobs."""


def write_new(results: Results, events: Path, done: set[str]) -> None:
    """Write the histories of jobs that are not in `done` as events, and add these jobs to it.

    Args:
        results: the results folder.
        events: the folder that TensorBoard reads.
        done: ids of the jobs whose histories have been written.
    """
    for job_id in results.ids():
        if job_id in done:
            continue
        folder = results.find(job_id)
        if folder is None:
            continue
        done.add(job_id)
        try:
            write(folder, events)
        except (DamagedFolder, ArithmeticError, KeyError, TypeError, ValueError) as error:
            log.warning("job %s: cannot show its history (%s)", job_id, error)


def write(folder: JobFolder, events: Path) -> None:
    """Write one job's history as events; nothing for a job that trained nothing.

    The time of each epoch is computed backwards from the job's end, by the seconds that the epochs took.

    Args:
        folder: of the job.
        events: the folder that TensorBoard reads.

    Raises:
        DamagedFolder: `job.json` or `history.csv` cannot be read.
        ArithmeticError, KeyError, TypeError, ValueError: one of them lacks something or holds something else.
    """
    history, job = folder.history, folder.job
    if not history:
        return
    left = sum(row["seconds"] for row in history)
    finished = datetime.fromisoformat(job["times"]["finished"]).timestamp()
    model = str(job["spec"]["model"])
    if not model.isidentifier():
        raise ValueError(f"expected a model's name, got {shown(model)}")
    writer = Writer(str(events / model / folder.id))
    for row in history:
        left -= row["seconds"]
        for name, value in row.items():
            if name not in ("epoch", "seconds"):
                writer.add_scalar(name.replace("_", " "), value, int(row["epoch"]), wall_time=finished - left)
    writer.close()


def _watch(results: Results, events: Path) -> None:
    done: set[str] = set()
    while True:
        try:
            write_new(results, events, done)
        except Exception:  # the thread must outlive whatever one look at the folder raises
            log.exception("cannot read %s", results.root)
        time.sleep(LOOK_SECONDS)


class _Server(program.TensorBoardServer):  # type: ignore[misc] # TensorBoard is in the dashboards' image alone
    """Serves TensorBoard as the gallery is served: its own server waits for slow connections for ever."""

    def __init__(self, listener: socket.socket, application: Any, flags: argparse.Namespace) -> None:  # noqa: ARG002
        self.listener, self.application = listener, application

    def serve_forever(self) -> None:
        """Serve until a signal stops it."""
        # A thread for each connection: one that reads slowly holds its thread.
        serve(WSGIMiddleware(self.application, workers=MOST_CONNECTIONS), self.listener, {})

    def get_url(self) -> str:
        """Where it is."""
        return listening.shown_address(self.listener)


@click.command(cls=Command)
@click.argument("folder", type=click.Path(path_type=Path))
@listening.host_option
@listening.port_option(6006)
def tensorboard(folder: Path, host: str, port: int) -> None:
    """Show finished training jobs to browsers on this machine in TensorBoard, until stopped."""
    results = Results(command_line.check_folder(folder))
    listener = listening.listen(host, port)
    events = Path(tempfile.mkdtemp(prefix="events-"))
    threading.Thread(target=_watch, args=(results, events), daemon=True).start()
    board = program.TensorBoard(server_class=partial(_Server, listener))
    options = {"logdir": events, "load_fast": "false", "reload_interval": int(LOOK_SECONDS)}
    board.configure(argv=["tensorboard", *(f"--{name}={value}" for name, value in options.items())])
    sys.exit(board.main())


if __name__ == "__main__":
    command_line.run(tensorboard, "tensorboard")
