"""What the tenth job of a kind costs beyond its own computing, in one worker: alone, and with nine others.

Run: `python -m benchmarks.tenth_job [--short]`.
"""

import time
from statistics import median

from benchmarks.data import real_data_folder
from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders, wait
from benchmarks.sides import Side
from jobs.client import Client
from jobs.local.supervisor import temporary_service
from jobs.wording import counted

JOBS = 10
LAST = 4
"""The seventh to the tenth count as tenths: one alone would be one measurement."""

ROUNDS = 6
"""Of jobs submitted at once, each followed by their task alone: the machine's speed changes by the minute."""

MOST_SECONDS = 0.15
"""The most that one of them may cost."""

KINDS = (
    ("autoencoder", "mnist", 2),
    ("denoiser", "mnist", 2),
    ("textgen", "pydoc", 1),
    ("sentiment", "toy-reviews", 2),
)
"""Model, data and epochs: so few that the costs show beside the noise of the training."""


def measure(row: Row) -> None:
    """Let a worker do one job after the other, in turn with its task alone; then jobs submitted at once."""
    kinds = (("autoencoder", "digits", 3),) if row.short else KINDS
    folder = None if row.short else real_data_folder()
    with folders(folder) as settings, temporary_service(settings) as service:
        client = Client(service.settings)
        for model, data, epochs in kinds:
            jobs = 2 if row.short else JOBS
            whole, reports, bare, tasks = [], [], [], []
            with Side("benchmarks.quartet.task", model=model, name=data, folder=folder) as task:
                for number in range(jobs):
                    job = client.submit(model, "train", data=data, seed=number, epochs=epochs)
                    record = wait(client, job.id)
                    assert record.finished is not None
                    ended = 1000 * time.time()
                    whole.append((ended - record.submitted) / 1000)
                    reports.append((ended - record.finished) / 1000)
                    history = client.folder(job.id).history
                    bare.append(len(history) * median(epoch["seconds"] for epoch in history))
                    tasks.append(task.ask("train", epochs=epochs, seed=number))
                in_a_row, own = [], []
                for turn in range(1 if row.short else ROUNDS):
                    in_a_row.append(_in_a_row(client, model, data, epochs, jobs, turn))
                    own.append(median(task.ask("train", epochs=epochs, seed=each) for each in range(LAST)))
            name = f"{model}, {counted(epochs, 'epoch')} on {data}"
            row.figure(f"{name}: its own computing", "s", tasks[-LAST:])
            row.figure(f"{name}: of that, its epochs", "s", bare[-LAST:])
            row.figure(f"{name}: first job, whole", "s", whole[:1])
            row.figure(f"{name}: tenth job, whole", "s", whole[-LAST:])
            row.figure(f"{name}: of that, report and publishing", "s", reports[-LAST:])
            row.figure(f"{name}: each of {jobs} in a row, whole", "s", in_a_row)
            ways = (("alone", whole[-LAST:], tasks[-LAST:]), ("in a row", in_a_row, own))
            for how, jobs_took, tasks_took in ways:
                beyond = [a - b for a, b in zip(jobs_took, tasks_took, strict=True)]
                row.judge(f"{name}, {how}, beyond its own computing", beyond, "≤", MOST_SECONDS, "s")
    row.note(
        "Its own computing: the same training, from the data to the model's files, called directly in a "
        "process that has done it before. Of that its epochs, each at the median of their times; the rest: "
        "reading data, building the network, the losses after each epoch, checkpoints and other files. "
        f"Tenth: the last {LAST} of {JOBS}, in turn with that process, which also follows each round of jobs "
        "in a row."
    )
    row.note(
        "Beyond it: waiting for the worker, the records in Redis, the report, publishing, and up to 0.02 s "
        "until it is seen. In a row: submitted at once, from the first one's acceptance to the last one's "
        "end, divided by their number. While the report of one is drawn, the next one computes, and they "
        "share the cores."
    )


def _in_a_row(client: Client, model: str, data: str, epochs: int, jobs: int, turn: int) -> float:
    """Submit jobs at once; the seconds of each, on average."""
    first = JOBS * (turn + 1)  # the jobs before had the seeds from 0
    seeds = range(first, first + jobs)
    submitted = [client.submit(model, "train", data=data, seed=seed, epochs=epochs) for seed in seeds]
    ended = [wait(client, job.id) for job in submitted]
    return (time.time() - ended[0].submitted / 1000) / jobs


if __name__ == "__main__":
    run("tenth_job", "The tenth job of a kind", measure)
