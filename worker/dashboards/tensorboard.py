"""What `quartet tensorboard` runs: training jobs in TensorBoard, those that run as far as they have got.

TensorBoard overlays many training runs, which a report cannot, and compares the trials of sweeps in its tab
HParams. A process of its own, since nothing in `jobs` imports what watches.
"""

import argparse
import logging
import shutil
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
from a2wsgi import WSGIMiddleware
from tensorboard import program

from jobs.cli import listening
from jobs.cli.usage import PROGRAM, Command
from jobs.errors import QuartetError
from jobs.settings import read_settings
from jobs.store.open_results import open_results
from worker.dashboards import command_line
from worker.dashboards.connections import MOST_CONNECTIONS, serve
from worker.dashboards.job_runs import JobRuns

log = logging.getLogger(__name__)
LOOK_SECONDS = 5.0
"""Between two looks at the jobs, and between two of TensorBoard's at what was written of them."""


def _watch(runs: JobRuns, stopping: threading.Event) -> None:
    said = ""
    while not stopping.is_set():
        try:
            runs.write_new()
            said = ""
        except (QuartetError, OSError) as error:
            if str(error) != said and not stopping.is_set():
                log.warning("%s", error)
            said = str(error)
        except Exception:  # the thread must outlive whatever one look raises
            log.exception("the jobs could not be looked at; the next look tries again")
        stopping.wait(LOOK_SECONDS)


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
@listening.host_option
@listening.port_option(6006)
def tensorboard(host: str, port: int) -> None:
    """Show training jobs to browsers on this machine in TensorBoard, until stopped."""
    results = open_results(read_settings())
    listener = listening.listen(host, port)
    scratch = Path(tempfile.mkdtemp(prefix="quartet-tensorboard-"))
    events = scratch / "events"
    stopping = threading.Event()
    threading.Thread(target=_watch, args=(JobRuns(results, events), stopping), daemon=True).start()
    board = program.TensorBoard(server_class=partial(_Server, listener))
    options = {"logdir": events, "load_fast": "false", "reload_interval": int(LOOK_SECONDS)}
    board.configure(argv=["tensorboard", *(f"--{name}={value}" for name, value in options.items())])
    try:
        sys.exit(board.main())
    finally:
        stopping.set()
        # A look may go on, and adds nothing to a folder that has another name.
        with suppress(OSError):
            shutil.rmtree(scratch.rename(scratch.with_suffix(".old")))


if __name__ == "__main__":
    command_line.run(tensorboard, PROGRAM)
