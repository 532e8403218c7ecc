"""Empty jobs a second through two workers, beside tasks through Celery alone.

Run: `python -m benchmarks.queue_cost [--short]`.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median

from celery import Celery

from benchmarks.empty_models import announced, know_unpublished
from benchmarks.measuring import Row, pairs
from benchmarks.row_command import run
from benchmarks.service import folders, redis_alone
from benchmarks.sides import ROOT
from jobs.client import Client
from jobs.ids import new_job_id
from jobs.ledger.messages import QUEUES
from jobs.local.supervisor import PARENT_VARIABLE, end_workers
from jobs.settings import Settings
from jobs.spec import JobSpec

JOBS, RUNS, WORKERS = 1_000, 5, 2

SECONDS_ALLOWED = 300

LISTED_JOB = re.compile(r'"id":"([^"]+)"')


def measure(row: Row) -> None:
    """Send whole jobs, the ledger's part of them, and both kinds of Celery tasks, in turn."""
    jobs, runs = (20, 1) if row.short else (JOBS, RUNS)
    ways: dict[str, Callable[[Settings, int], float]] = {
        "Celery alone": _celery_alone,
        "Celery alone, its tasks publish the folder of an empty job": _celery_and_folder,
        "Quartet, the queue alone: claimed, held, ended": _queue_alone,
        "Quartet, whole jobs: folder, report and index published": _whole_jobs,
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    with (
        announced(),
        folders(None) as settings,
        redis_alone(settings) as found,
        _workers(found, "benchmarks.empty_worker", QUEUES["short"]),
        _workers(found, "benchmarks.celery_worker", "bench"),
    ):
        know_unpublished()
        for way in ways.values():
            way(found, 2 * WORKERS)  # every process has loaded what it needs
        for _ in range(runs):
            for name, way in ways.items():
                rates[name].append(jobs / way(found, jobs))
    for name, values in rates.items():
        row.figure(f"{name} ({jobs:,} through {WORKERS} workers)", "jobs/s", values)
    celery, celery_folder, queue, whole = rates.values()
    row.judge("the queue alone, beside Celery's empty tasks", pairs(queue, celery), "≥", 0.5)
    row.judge(
        "whole jobs, beside Celery's tasks that publish the same", pairs(whole, celery_folder), "≥", 0.5
    )
    row.limit("the queue alone", max(celery), "jobs/s", "the quickest run of Celery's empty tasks")
    row.limit(
        "whole jobs", max(celery_folder), "jobs/s", "the quickest run of Celery's that publish the same"
    )
    row.note(
        "From the first one sent to the last one done, sending included: jobs by `Client.submit_spec`, tasks "
        "by Celery's `send_task`. What has a folder is done when the index lists it. Two worker processes "
        "for Celery's tasks and two for jobs share the settings and Redis (in memory)."
    )
    of_celery, of_whole = median(pairs(celery_folder, celery)), median(pairs(whole, celery))
    row.note(
        "A folder costs more than any queue: beside Celery's empty tasks, its own that publish one make "
        f"{of_celery:.2f} of their rate, and whole jobs {of_whole:.2f}."
    )


@contextmanager
def _workers(settings: Settings, app: str, queue: str) -> Iterator[None]:
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        app,
        "worker",
        "--without-mingle",
        "-E",
        "-Q",
        queue,
    ]
    environment = os.environ | settings.environment() | {PARENT_VARIABLE: str(os.getpid())}
    with (settings.state_dir / "workers.log").open("ab") as log:
        workers = [
            subprocess.Popen(
                [*command, "--hostname", f"{queue}-{number}@%h", "--loglevel", "WARNING"],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            for number in range(WORKERS)
        ]
    try:
        yield
    finally:
        end_workers(workers, 30)


def _celery_alone(settings: Settings, count: int) -> float:
    began = time.perf_counter()
    _send(settings, count, "benchmarks.celery_alone")
    redis = Client(settings).ledger.redis
    # Acknowledged early: what is in neither place is done, or is the last one that a worker does.
    _until(lambda: not redis.llen("bench") and not redis.hlen("unacked"))
    return time.perf_counter() - began


def _celery_and_folder(settings: Settings, count: int) -> float:
    began = time.perf_counter()
    _until_listed(settings, _send(settings, count, "benchmarks.celery_and_folder"))
    return time.perf_counter() - began


def _queue_alone(settings: Settings, count: int) -> float:
    began = time.perf_counter()
    _submit(settings, count, "unpublished")
    return time.perf_counter() - began


def _whole_jobs(settings: Settings, count: int) -> float:
    began = time.perf_counter()
    _until_listed(settings, _submit(settings, count, "empty"))
    return time.perf_counter() - began


def _send(settings: Settings, count: int, task: str) -> set[str]:
    """Send tasks through Celery; return their ids, which are job ids as well."""
    app = Celery("bench", broker=settings.redis_address().replace("unix://", "redis+socket://"))
    ids = [new_job_id() for _ in range(count)]
    for job_id in ids:
        app.send_task(task, (job_id,), queue="bench")
    return set(ids)


def _submit(settings: Settings, count: int, model: str) -> set[str]:
    """Submit jobs and wait until the ledger says that all have succeeded; return their ids."""
    client, spec = Client(settings), JobSpec.make(model, "generate")
    before = len(client.ledger.ids("succeeded"))
    submitted = {client.submit_spec(spec, fresh=True).id for _ in range(count)}
    _until(lambda: client.ledger.redis.zcard("quartet:state:succeeded") == before + count)
    return submitted


def _until_listed(settings: Settings, ids: set[str]) -> None:
    def listed() -> set[str]:
        scripts = (settings.results_dir / "index").glob("*-*.js")
        return set(LISTED_JOB.findall("".join(path.read_text(encoding="utf-8") for path in scripts)))

    _until(lambda: (settings.results_dir / "index.html").exists() and ids <= listed())


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_ALLOWED
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"empty jobs were not done within {SECONDS_ALLOWED} seconds")
        time.sleep(0.005)


if __name__ == "__main__":
    run("queue_cost", "The queue's cost", measure)
