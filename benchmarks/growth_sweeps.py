"""What sweeps cost when they have many trials: to submit one, to advance it, to show it, to draw its page."""

import statistics
import time
from collections.abc import Sequence
from random import Random

from benchmarks.ended_sweep import begin, end_next, end_queued, leave_one_at_a_time
from benchmarks.growth_curve import Curve
from benchmarks.service import folders, redis_alone
from benchmarks.whole_command import whole_command
from jobs.client import Client
from jobs.sweeps.sweep_folder import sweep_folder
from worker.report.compare_page import FILE, write_sweep_page

SWEEP, EPOCHS, TURNS = "growth", 10, 7
PANEL = "trials"


def measure_sweeps(sizes: Sequence[int]) -> list[Curve]:
    """Run a random search of each size, whose trials end at once, and look at it.

    Args:
        sizes: numbers of trials, ascending.
    """
    names = (
        "submit all trials of a sweep",
        "advance a sweep by a trial",
        "`quartet sweeps show`",
        "page of a sweep",
    )
    curves = [Curve(name, PANEL) for name in names]
    for trials in sizes:
        with folders(None) as settings, redis_alone(settings) as found:
            client, rng = Client(found), Random(0)
            began = time.perf_counter()
            advancer, sweep = begin(client, SWEEP, method="random", trials=trials, more=TURNS, epochs=EPOCHS)
            submitted = time.perf_counter() - began
            leave_one_at_a_time(client, sweep)
            end_queued(client, rng, EPOCHS)
            advanced = []
            for _ in range(TURNS):
                began = time.perf_counter()
                advancer.advance_all()
                advanced.append(time.perf_counter() - began)
                end_next(client, rng, EPOCHS)
            shown = min(whole_command(found, "sweeps", "show", SWEEP).seconds for _ in range(2))
            drawn = min(_draw_page(client) for _ in range(2))  # the first one loads libraries
        took = submitted, statistics.median(advanced), shown, drawn
        for curve, seconds in zip(curves, took, strict=True):
            curve.add(trials, seconds)
    return curves


def _draw_page(client: Client) -> float:
    record = client.ledger.sweep(SWEEP)
    assert record is not None
    began = time.perf_counter()
    write_sweep_page(client.results, record, sweep_folder(client.results, SWEEP) / FILE)
    return time.perf_counter() - began
