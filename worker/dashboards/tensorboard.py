"""`python -m worker.dashboards.tensorboard FOLDER PORT`: finished training jobs in TensorBoard.

TensorBoard overlays many training runs, which a report cannot. Each `history.csv` becomes a run of scalars
called `<model>/<job id>`. To follow a job that is still running, use `quartet watch`.
"""

import logging
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

from tensorboard import program
from tensorboard.summary import Writer

from jobs.errors import DamagedFolder
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results

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
        except (DamagedFolder, KeyError, TypeError, ValueError) as error:
            log.warning("job %s: cannot show its history (%s)", job_id, error)


def write(folder: JobFolder, events: Path) -> None:
    """Write one job's history as events; nothing for a job that trained nothing.

    The time of each epoch is computed backwards from the job's end, by the seconds that the epochs took.

    Args:
        folder: of the job.
        events: the folder that TensorBoard reads.

    Raises:
        DamagedFolder: `job.json` or `history.csv` cannot be read.
        KeyError, TypeError, ValueError: one of them lacks something, or holds something else.
    """
    history, job = folder.history, folder.job
    if not history:
        return
    left = sum(row["seconds"] for row in history)
    finished = datetime.fromisoformat(job["times"]["finished"]).timestamp()
    writer = Writer(str(events / job["spec"]["model"] / folder.id))
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


def main(folder: Path, port: int) -> None:
    """Serve until stopped.

    Args:
        folder: the results folder.
        port: to listen on, on all interfaces.
    """
    events = Path(tempfile.mkdtemp(prefix="events-"))
    threading.Thread(target=_watch, args=(Results(folder), events), daemon=True).start()
    server = program.TensorBoard()
    options = {"logdir": events, "port": port, "host": "0.0.0.0", "load_fast": "false"}
    options |= {"reload_interval": int(LOOK_SECONDS)}
    server.configure(argv=["tensorboard", *(f"--{name}={value}" for name, value in options.items())])
    sys.exit(server.main())


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
