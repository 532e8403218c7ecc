"""Seconds that a worker takes to advance a sweep by TPE of which 500 trials have ended.

Run: `python -m benchmarks.advance_sweep [--short]`.
"""

import time
from random import Random

from benchmarks.ended_jobs import end
from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders, redis_alone
from jobs.client import Client
from jobs.sweeps.advance import Advancer

TRIALS, RUNS = 500, 7
SWEEP = "advance"


def measure(row: Row) -> None:
    """End all trials at once; then ask for one after the other, and end each."""
    trials, runs = (20, 2) if row.short else (TRIALS, RUNS)
    with folders(None) as settings, redis_alone(settings) as found:
        client, rng = Client(found), Random(0)
        _end_all(client, trials, 1 + runs, rng)
        advancer = Advancer(client.ledger, client.results)
        took = [_advance(client, advancer, rng) for _ in range(1 + runs)]
    taken_over, *later = took
    seconds, processor = zip(*later, strict=True)
    row.figure(f"after a trial has ended, of {trials:,} that have", "s", seconds)
    row.figure("the same, time of the processor", "s", processor)
    row.figure("by a worker that takes over, which reads all folders", "s", [taken_over[0]])
    row.figure("the same, time of the processor", "s", [taken_over[1]])
    row.judge("after a trial has ended", seconds, "≤", 1.0, "s")
    row.note(
        "Each asks TPE, rebuilt from all trials, for a point, and submits its job. A thread of a worker's "
        "main process does so, while the worker's job runs in another process."
    )


def _end_all(client: Client, trials: int, more: int, rng: Random) -> None:
    """Begin a sweep, end so many trials of it at once, and leave `more` of them for one after the other."""
    rates = {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1}
    sweep = client.sweep(
        "autoencoder",
        parameters={"learning_rate": rates, "batch_size": [32, 64, 128, 256], "epochs": 2},
        method="tpe",
        data="digits",
        name=SWEEP,
        run_cap=trials + more,
        parallel=trials,
    )
    advancer = Advancer(client.ledger, client.results)
    while len(client.ledger.ids("queued")) < trials:
        advancer.advance_all()
    for job_id in client.ledger.ids("queued"):
        end(client, job_id, {"validation_bce": rng.random()}, 2)
    client.create_sweep(sweep.spec.model_copy(update={"parallel": 1}))


def _advance(client: Client, advancer: Advancer, rng: Random) -> tuple[float, float]:
    """Have the next job queued, and end it; the seconds of the former, and those of the processor."""
    began, used = time.perf_counter(), time.process_time()
    advancer.advance_all()
    took = time.perf_counter() - began, time.process_time() - used
    [job_id] = client.ledger.ids("queued")
    end(client, job_id, {"validation_bce": rng.random()}, 2)
    return took


if __name__ == "__main__":
    run("advance_sweep", "Advancing a sweep", measure)
