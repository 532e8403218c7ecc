"""Seconds that a worker takes to advance a sweep by TPE of which 500 trials have ended.

Run: `python -m benchmarks.advance_sweep [--short]`.
"""

import time
from random import Random

from benchmarks.ended_sweep import begin, end_next, end_queued, leave_one_at_a_time
from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders, redis_alone
from jobs.client import Client
from jobs.sweeps.advance import Advancer

TRIALS, RUNS, EPOCHS = 500, 7, 2
SWEEP = "advance"


def measure(row: Row) -> None:
    """End all trials at once; then ask for one after the other, and end each."""
    trials, runs = (20, 2) if row.short else (TRIALS, RUNS)
    with folders(None) as settings, redis_alone(settings) as found:
        client, rng = Client(found), Random(0)
        _, sweep = begin(client, SWEEP, method="tpe", trials=trials, more=1 + runs, epochs=EPOCHS)
        end_queued(client, rng, EPOCHS)
        leave_one_at_a_time(client, sweep)
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


def _advance(client: Client, advancer: Advancer, rng: Random) -> tuple[float, float]:
    """Have the next job queued, and end it; the seconds of the former, and those of the processor."""
    began, used = time.perf_counter(), time.process_time()
    advancer.advance_all()
    took = time.perf_counter() - began, time.process_time() - used
    end_next(client, rng, EPOCHS)
    return took


if __name__ == "__main__":
    run("advance_sweep", "Advancing a sweep", measure)
