"""`python -m tests.engine.bare_worker`: a real Celery worker on our transport whose jobs need no TensorFlow.

A job writes its id and its process' into the file BARE_WORKER_FILE when it ends. Beside that file, `.running`
holds the id of the job that began last; while there is a `.hold`, a job runs on, and while there is a
`.pause`, no job is taken.
"""

import os
import time
from pathlib import Path

from celery import Celery

from jobs.ledger.messages import APP_NAME, QUEUES
from worker.engine import broker
from worker.engine.celery_settings import celery_settings

path = Path(os.environ["BARE_WORKER_FILE"])
hold, pause, running = (path.with_suffix(suffix) for suffix in (".hold", ".pause", ".running"))

app = Celery(APP_NAME)
app.conf.update(celery_settings(os.environ["BARE_WORKER_ADDRESS"]))
broker.pause_while(lambda: "the volume is full" if pause.exists() else None)


@app.task(name="bare.train")
def train(job_id: str) -> None:
    """Run while held, then note the end."""
    running.write_text(job_id)
    while hold.exists():
        time.sleep(0.05)
    with path.open("a") as file:
        file.write(f"{job_id} {os.getpid()}\n")


if __name__ == "__main__":
    arguments = ["worker", "--without-mingle", "--without-gossip", "-E", "-Q", ",".join(QUEUES.values())]
    app.worker_main([*arguments, "-n", "bare@test", "-l", "INFO"])
