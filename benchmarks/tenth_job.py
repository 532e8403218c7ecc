"""What the tenth job of a kind costs beyond the bare training, in one worker: alone, and with nine others.

Run: `python -m benchmarks.tenth_job [--short]`.
"""

import time
from statistics import median

from benchmarks.data import real_data_folder
from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders, wait
from jobs.client import Client
from jobs.local.supervisor import temporary_service

JOBS = 10
LAST = 4
"""The seventh to the tenth count as tenths: one alone would be one measurement."""

MOST_SECONDS = 0.15
"""The most that one of them may cost."""

KINDS = (
    ("autoencoder", "mnist", 10),
    ("denoiser", "mnist", 10),
    ("textgen", "pydoc", 3),
    ("sentiment", "toy-reviews", 5),
)
"""Model, data and epochs. Real data where an epoch is short, so that costs show beside them."""


def measure(row: Row) -> None:
    """Submit one job after the other, then all at once; their seconds, less their epochs at the median."""
    kinds = (("autoencoder", "digits", 3),) if row.short else KINDS
    folder = None if row.short else real_data_folder()
    with folders(folder) as settings, temporary_service(settings) as service:
        client = Client(service.settings)
        for model, data, epochs in kinds:
            jobs = 2 if row.short else JOBS
            bare, costs, reports = [], [], []
            for number in range(jobs):
                job = client.submit(model, "train", data=data, seed=number, epochs=epochs)
                record = wait(client, job.id)
                assert record.finished is not None
                ended = 1000 * time.time()
                history = client.folder(job.id).history
                training = len(history) * median(epoch["seconds"] for epoch in history)
                bare.append(training)
                costs.append((ended - record.submitted) / 1000 - training)
                reports.append((ended - record.finished) / 1000)
            at_once = _all_at_once(client, model, data, epochs, jobs) - median(bare[-LAST:])
            name = f"{model}, {epochs} epochs on {data}"
            row.figure(f"{name}: bare training", "s", bare[-LAST:])
            row.figure(f"{name}: first job, beyond that", "s", costs[:1])
            row.figure(f"{name}: tenth job, beyond that", "s", costs[-LAST:])
            row.figure(f"{name}: of that, report and publishing", "s", reports[-LAST:])
            row.figure(f"{name}: each of {jobs} submitted at once, beyond that", "s", [at_once])
            row.judge(f"{name}, beyond bare training", costs[-LAST:], "≤", MOST_SECONDS, "s")
    row.note(
        "Beyond bare training: waiting for the worker, reading data, building and compiling, the losses "
        "after each epoch, the report, publishing, and up to 0.02 s until it is seen. Bare training is the "
        "job's own epochs, each at the median of their times, so that compiling in the first one counts as a "
        f"cost. Tenth: the last {LAST} of {JOBS}."
    )
    row.note(
        "Submitted at once: from the first one's acceptance to the last one's end, divided by their number. "
        "While the report of one is drawn, the next one begins, and they share the cores."
    )


def _all_at_once(client: Client, model: str, data: str, epochs: int, jobs: int) -> float:
    """Submit jobs at once; the seconds of each, on the average."""
    submitted = [
        client.submit(model, "train", data=data, seed=JOBS + number, epochs=epochs) for number in range(jobs)
    ]
    ended = [wait(client, job.id) for job in submitted]
    return (time.time() - ended[0].submitted / 1000) / jobs


if __name__ == "__main__":
    run("tenth_job", "The tenth job of a kind", measure)
