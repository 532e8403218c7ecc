"""`python -m worker.dashboards.tensorboard FOLDER PORT`: the histories of finished trainings in TensorBoard.

What TensorBoard does better than a report is to lay many trainings over one another. So each `history.csv`
becomes a run of scalars, called `<model>/<job id>`. A training that still runs is shown by `quartet watch`.
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
from jobs.folder import JobFolder, Results

log = logging.getLogger(__name__)
LOOK_SECONDS = 10.0


def write_new(results: Results, events: Path, done: set[str]) -> None:
    """Write the histories of trainings that are not in `done` yet, as events, and add them to it."""
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
            log.warning("job %s: its history cannot be shown (%s)", job_id, error)


def write(folder: JobFolder, events: Path) -> None:
    """Write one training's history; nothing for a job that trained nothing.

    An epoch's time is reckoned back from the job's end by what the epochs took.
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


def _keep_looking(results: Results, events: Path) -> None:
    done: set[str] = set()
    while True:
        write_new(results, events, done)
        time.sleep(LOOK_SECONDS)


def main(folder: Path, port: int) -> None:
    """Serve until ended."""
    events = Path(tempfile.mkdtemp(prefix="events-"))
    threading.Thread(target=_keep_looking, args=(Results(folder), events), daemon=True).start()
    server = program.TensorBoard()
    options = {"logdir": events, "port": port, "host": "0.0.0.0", "load_fast": "false"}
    options |= {"reload_interval": int(LOOK_SECONDS)}
    server.configure(argv=["tensorboard", *(f"--{name}={value}" for name, value in options.items())])
    sys.exit(server.main())


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]))
