"""Seconds from the death of a worker in mid-training to the start of the next attempt elsewhere.

Run: `python -m benchmarks.recovery [--short]`.
"""

import os
import random
import signal
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import SECONDS_ALLOWED, folders, redis_alone, wait, wait_for_first_step
from jobs.client import Client
from jobs.local.supervisor import LocalWorker, end_workers

JOBS = 2
"""In training at once; as many more workers wait for work."""

DEATHS = 10
"""Of each job's worker."""


def measure(row: Row) -> None:
    """Kill the workers of some training jobs again and again."""
    jobs, deaths = (1, 1) if row.short else (JOBS, DEATHS)
    with folders(None) as settings, redis_alone(settings) as found:
        chosen = found.model_copy(
            update={"max_lost_workers": 100}
            | ({"lease_seconds": 3.0, "heartbeat_seconds": 0.5, "sweep_seconds": 0.5} if row.short else {})
        )
        names = [f"recovery-{number}" for number in range(2 * jobs)]
        workers = {
            name: LocalWorker(chosen, chosen.redis_address(), name, settings.state_dir / f"{name}.log")
            for name in names
        }
        try:
            with ThreadPoolExecutor(jobs) as pool:
                found_in = [
                    pool.submit(_recoveries, Client(chosen), workers, deaths, number)
                    for number in range(jobs)
                ]
                seconds = [each for future in found_in for each in future.result()]
        finally:
            end_workers([worker.process for worker in workers.values()], 10)
    row.figure("killed worker, until the job runs elsewhere", "s", seconds)
    if not row.short:
        row.judge("95th percentile", statistics.quantiles(seconds, n=20)[-1], "≤", 45, "s")
    row.note(
        "SIGKILL to a worker and its child at a random moment of a training run, by default settings: a "
        "lease of 30 s, a round every 5 s. Another worker is idle; the time ends with its claim."
    )


def _recoveries(client: Client, workers: dict[str, LocalWorker], deaths: int, number: int) -> list[float]:
    """Train, and kill whichever worker has the job; seconds until another has it."""
    rng = random.Random(number)
    job = client.submit("autoencoder", "train", data="digits", seed=number, epochs=1_000_000)
    wait_for_first_step(client, job.id)
    seconds = []
    for _ in range(deaths):
        time.sleep(rng.uniform(2, 8))
        before = client.job(job.id)
        worker = workers[str(before.worker).partition("@")[0]]
        os.killpg(worker.process.pid, signal.SIGKILL)
        began = time.monotonic()
        worker.process.wait()
        worker.restart()
        while client.job(job.id).attempt == before.attempt:
            if time.monotonic() - began > SECONDS_ALLOWED:
                raise RuntimeError(f"job {job.id} has not been claimed again after {SECONDS_ALLOWED} s")
            time.sleep(0.02)
        seconds.append(time.monotonic() - began)
    client.cancel(job.id)
    wait(client, job.id, "cancelled")
    return seconds


if __name__ == "__main__":
    run("recovery", "From a killed worker to the next attempt", measure)
