"""Seconds that `quartet compare` takes as a whole process for 500 jobs.

Run: `python -m benchmarks.compare_jobs [--short]`.
"""

from benchmarks.ended_jobs import end
from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders, redis_alone
from benchmarks.whole_command import whole_command
from jobs.client import Client
from jobs.settings import Settings

JOBS, RUNS, SEEDS, EPOCHS = 500, 7, 2, 20


def measure(row: Row) -> None:
    """Publish the folders of many training jobs, and compare them repeatedly."""
    count = 20 if row.short else JOBS
    seconds, processor = [], []
    with folders(None) as settings, redis_alone(settings) as found:
        _publish(found, count)
        for turn in range(2 if row.short else 1 + RUNS):
            done = whole_command(found, "compare", "--last", str(count))
            if turn:
                seconds.append(done.seconds)
                processor.append(done.processor)
    lines = done.printed.partition("\n\n")[2].splitlines()[1:]
    row.figure(f"`quartet compare` of {count:,} jobs ({len(lines):,} lines)", "s", seconds)
    row.figure("the same, time of the processor", "s", processor)
    row.judge("the whole process", seconds, "≤", 1.5, "s")
    row.note(
        f"Training jobs with {SEEDS} seeds for each learning rate, each with a folder as a worker writes it: "
        f"job.json, metrics.json and a history of {EPOCHS} epochs, all of which are read."
    )


def _publish(settings: Settings, count: int) -> None:
    client = Client(settings)
    for number in range(count):
        rate = 1e-3 * (1 + number // SEEDS)
        job = client.submit(
            "autoencoder", "train", data="digits", seed=number % SEEDS, epochs=EPOCHS, learning_rate=rate
        )
        numbers = {"validation_bce": 0.1 + number / 1e5, "training_bce": 0.1 + number / 2e5}
        end(client, job.id, numbers, EPOCHS)


if __name__ == "__main__":
    run("compare_jobs", "`quartet compare`", measure)
