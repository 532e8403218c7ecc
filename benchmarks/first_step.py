"""Seconds from accepting a training job to its first step, in a worker that has done such a job before.

Run: `python -m benchmarks.first_step [--short]`.
"""

from statistics import median

from benchmarks.data import OFFLINE, REAL, real_data_folder
from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders, wait, wait_for_first_step
from jobs.client import Client
from jobs.local.supervisor import temporary_service

RUNS = 7
MODELS = {"autoencoder": "images", "denoiser": "images", "textgen": "text", "sentiment": "reviews"}


def measure(row: Row) -> None:
    """Submit training jobs of each model to one worker, and cancel each after its first steps."""
    models, names = (["autoencoder"], OFFLINE) if row.short else (list(MODELS), REAL)
    slowest: list[float] = []
    folder = None if row.short else real_data_folder()
    with folders(folder) as settings, temporary_service(settings) as service:
        client = Client(service.settings)
        for model in models:
            seconds = []
            for number in range(2 if row.short else 2 + RUNS):
                # Another seed each time, so that no earlier result helps.
                job = client.submit(model, "train", data=names[MODELS[model]], seed=number, epochs=1_000)
                step = wait_for_first_step(client, job.id)
                client.cancel(job.id)
                seconds.append((step - wait(client, job.id, "cancelled").submitted) / 1000)
            row.figure(f"{model}, first job of the kind", "s", seconds[:1])
            later = seconds[1 if row.short else 2 :]
            row.figure(f"{model}, later ones", "s", later)
            slowest = max(slowest or later, later, key=median)
    row.judge("slowest model, from acceptance to the first step", slowest, "≤", 0.3, "s")
    row.note(
        "By Redis' clock: from the moment the ledger has the job to the first message that reports a step, "
        "which a worker sends at most five times a second. Starting the `quartet submit` process is a row of "
        "its own. The second job of a kind is not counted either: it may still compile."
    )


if __name__ == "__main__":
    run("first_step", "From submit to the first step, warm worker", measure)
