"""What the command line shows of workers."""

import sys
from collections.abc import Sequence

from jobs.cli.columns import GAP, Column, lines
from jobs.escape_control import escape_line
from jobs.moments import ago
from jobs.showing.terminal import line_width, styled
from jobs.wording import alternatives
from jobs.worker_view import WorkerView

COLOURS = {"idle": "green", "running": "blue", "waiting": "yellow", "draining": "magenta"}
LONGEST_CELL = 200
"""Characters of a text; what a worker waits for has fewer, but not what a stranger wrote into Redis."""


def show_workers(workers: Sequence[WorkerView]) -> None:
    """Print a line for each worker."""
    columns = [
        Column("WORKER", [escape_line(worker.name) for worker in workers], most=LONGEST_CELL),
        Column("STATE", [escape_line(_state(worker)) for worker in workers], least=16, most=LONGEST_CELL),
        Column(
            "DEVICE", [escape_line(worker.device or "") for worker in workers], least=3, most=40, leaves=2
        ),
        Column("SINCE", [ago(worker.since) if worker.since else "" for worker in workers], leaves=3),
        Column(
            "VERSION",
            [escape_line(worker.kind or worker.version) for worker in workers],
            least=7,
            most=20,
            leaves=1,
        ),
    ]
    header, *rows = lines(columns, line_width())
    sys.stdout.write(styled((" " * GAP).join(header).rstrip(), bold=True) + "\n")
    for worker, (name, state, *others) in zip(workers, rows, strict=True):
        sys.stdout.write(
            (" " * GAP).join([name, styled(state, fg=COLOURS[worker.state]), *others]).rstrip() + "\n"
        )


def drain_text(worker: WorkerView) -> str:
    """What a worker does that was drained, as a line."""
    if not worker.jobs:
        return escape_line(f"{worker.name} stops")
    jobs = alternatives(list(worker.jobs), last="and")
    return escape_line(f"{worker.name} {_does(worker)} {jobs}, then stops")


def _does(worker: WorkerView) -> str:
    return "hands back" if worker.hand_back else "finishes"


def _state(worker: WorkerView) -> str:
    """`running JOB`, `waits for a GPU: …`, `draining: finishes JOB`."""
    jobs = ", ".join(worker.jobs)
    if worker.state == "draining":
        return f"draining: {_does(worker)} {jobs}" if jobs else "draining"
    if worker.waits is not None:
        return f"waits {worker.waits}" + (f"; runs {jobs}" if jobs else "")
    return f"running {jobs}" if jobs else "idle"
