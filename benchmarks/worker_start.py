"""Seconds from starting a worker's process to the start of its first training job, with TensorFlow loaded.

Run: `python -m benchmarks.worker_start [--short]`.
"""

import subprocess
import sys
import time

from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders, redis_alone, reported, wait, wait_for_first_step
from jobs.client import Client
from jobs.local.supervisor import end_workers, start_worker
from jobs.settings import Settings

RUNS = 5


def measure(row: Row) -> None:
    """Queue a job, start a worker, and measure when it is ready to train and when it has made a step."""
    imports, ready, stepped = [], [], []
    with folders(None) as settings, redis_alone(settings) as found:
        runs = 1 if row.short else 1 + RUNS
        for _ in range(runs):
            imports.append(_import_seconds())
            seconds = _start(found)
            ready.append(seconds[0])
            stepped.append(seconds[1])
    counted = slice(None if row.short else 1, None)  # the first one reads TensorFlow from the disk
    row.figure("a process that imports TensorFlow and ends", "s", imports[counted])
    row.figure("a worker, until its first job is prepared", "s", ready[counted])
    row.figure("a worker, until that job has made a step", "s", stepped[counted])
    row.judge("start to ready for the first step", ready[counted], "≤", 3.5, "s")
    row.limit(
        "a worker", min(imports[counted]), "s", "the quickest `import tensorflow` in a process of its own"
    )
    row.note(
        "A job is waiting when the worker's process is started, so the time ends when the job reports. "
        "Ready: the worker has started, has claimed the job, and TensorFlow and the task are loaded."
    )


def _import_seconds() -> float:
    began = time.perf_counter()
    command = [sys.executable, "-c", "import tensorflow"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def _start(settings: Settings) -> tuple[float, float]:
    client = Client(settings)
    job = client.submit("autoencoder", "train", data="digits", epochs=1, fresh=True)
    with (settings.state_dir / "worker.log").open("ab") as log:
        began = time.time() * 1000
        worker = start_worker(settings, settings.redis_address(), "bench", log)
        try:
            step = wait_for_first_step(client, job.id)
            wait(client, job.id)
        finally:
            end_workers([worker], 30)
    # If the worker does not report that it prepares the job, its first step is the upper bound.
    prepared = [moment for moment, values in reported(client, job.id) if values.get("stage") == "preparing"]
    return ((prepared or [step])[0] - began) / 1000, (step - began) / 1000


if __name__ == "__main__":
    run("worker_start", "Start of a worker", measure)
