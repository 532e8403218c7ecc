"""What fills a machine best where many short trainings wait: workers, threads, or networks stacked as one.

Run: `python -m benchmarks.many_at_once [--short]`.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.data import prepared, real_data_folder
from benchmarks.measuring import Row, pairs
from benchmarks.row_command import run
from benchmarks.service import folders, wait
from benchmarks.sides import started
from jobs.client import Client
from jobs.local.supervisor import temporary_service

NETWORKS, SHORT_NETWORKS = 8, 4
WORTH_BUILDING = 1.5
"""What a way must gain before it is worth a second way to train."""

WAYS = {
    "in_turn": "one after the other",
    "by_threads": "by two threads",
    "stacked": "stacked, half on each core",
}
KINDS = (("digits", 30, 2), ("mnist", 8, 10))
"""Data, jobs and epochs."""

WORKERS = (1, 2)


def measure(row: Row) -> None:
    """Train bare networks in each way, in turns; then whole jobs by one worker and by two, in turns."""
    _bare_networks(row)
    _whole_jobs(row)


def _bare_networks(row: Row) -> None:
    networks = SHORT_NETWORKS if row.short else NETWORKS
    for data, offline, epochs in (("digits", True, 12), ("mnist", False, 4)):
        if row.short and not offline:
            continue
        with prepared("images", short=offline) as arrays, ExitStack() as stack:
            side = started(stack, ["benchmarks.quartet.many"], data=arrays, count=networks)["quartet"]
            seconds: dict[str, list[float]] = {way: [] for way in WAYS}
            for epoch in range(2 if row.short else epochs):
                for way, measured in seconds.items():
                    taken = side.ask(way)["seconds"]
                    if epoch:  # the first one compiles
                        measured.append(taken)
        for way, words in WAYS.items():
            row.figure(f"{networks} networks, an epoch on {data}, {words}", "s", seconds[way])
        for way in ("by_threads", "stacked"):
            gains = pairs(seconds["in_turn"], seconds[way])
            row.figure(f"gain on {data}, {WAYS[way]}", "×", gains)


def _whole_jobs(row: Row) -> None:
    folder = None if row.short else real_data_folder()
    kinds, turns = ((("digits", 2, 1),), 1) if row.short else (KINDS, 3)
    seconds: dict[tuple[str, int], list[float]] = {}
    with ExitStack() as stack:
        clients = {workers: _warm_client(stack, folder, workers, kinds) for workers in WORKERS}
        for turn in range(turns):
            for data, jobs, epochs in kinds:
                for workers, client in clients.items():
                    taken = _run(client, data, jobs, epochs, 1_000 * turn)
                    seconds.setdefault((data, workers), []).append(taken)
    for data, jobs, epochs in kinds:
        name = f"{jobs} jobs of {epochs} epochs on {data}"
        for workers in WORKERS:
            row.figure(f"{name}, workers: {workers}", "s", seconds[data, workers])
        row.figure(f"{name}, gain by a second worker", "×", pairs(seconds[data, 1], seconds[data, 2]))
    row.note(
        "The autoencoder, each network and job with a seed of its own. Bare networks learn from each batch "
        "what a job learns. Whole jobs: from the first submit to the last end, with warm workers."
    )
    row.note(
        f"Stacked networks would be a second way to train, worth its code from {WORTH_BUILDING:g} × in whole "
        "jobs. It gains less: on MNIST the products of one network fill both cores already, and of a short "
        "job the training is the smaller part."
    )


def _warm_client(
    stack: ExitStack, folder: Path | None, workers: int, kinds: Sequence[tuple[str, int, int]]
) -> Client:
    """A service's client, once each of its workers has what the jobs need."""
    settings = stack.enter_context(folders(folder))
    client = Client(stack.enter_context(temporary_service(settings, workers)).settings)
    for data, _, _ in kinds:
        for turn in range(2 if folder else 1):  # with other seeds, since an equal job would be reused
            _run(client, data, 2 * workers, 1, 900_000 + 1_000 * turn)
    return client


def _run(client: Client, data: str, jobs: int, epochs: int, first_seed: int) -> float:
    """Seconds from the first submit to the last end."""
    submitted = [
        client.submit("autoencoder", "train", data=data, epochs=epochs, seed=first_seed + number)
        for number in range(jobs)
    ]
    records = [wait(client, job.id) for job in submitted]
    finished = [record.finished for record in records if record.finished is not None]
    return (max(finished) - records[0].submitted) / 1000


if __name__ == "__main__":
    run("many_at_once", "Many trainings at once", measure)
