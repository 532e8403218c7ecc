"""A sweep whose trials end at once, without running anything."""

from random import Random

from benchmarks.ended_jobs import end
from jobs.client import Client
from jobs.sweeps.advance import Advancer
from jobs.sweeps.sweep import Sweep


def begin(
    client: Client, name: str, *, method: str, trials: int, more: int, epochs: int
) -> tuple[Advancer, Sweep]:
    """Begin a sweep and have so many of its trials queued.

    Args:
        client: of a Redis without workers.
        name: of the sweep.
        method: by which it chooses points.
        trials: that are queued at once.
        more: that the sweep has beside them.
        epochs: of each trial.

    Returns:
        What has advanced the sweep so far, and the sweep.
    """
    rates = {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1}
    sweep = client.sweep(
        "autoencoder",
        parameters={"learning_rate": rates, "batch_size": [32, 64, 128, 256], "epochs": epochs},
        method=method,
        data="digits",
        name=name,
        run_cap=trials + more,
        parallel=trials,
    )
    advancer = Advancer(client.ledger, client.results)
    while len(client.ledger.ids("queued")) < trials:
        advancer.advance_all()
    return advancer, sweep


def end_queued(client: Client, rng: Random, epochs: int) -> None:
    """Let all trials that are queued succeed, each with a random loss."""
    for job_id in client.ledger.ids("queued"):
        end(client, job_id, {"validation_bce": rng.random()}, epochs)


def end_next(client: Client, rng: Random, epochs: int) -> None:
    """Let the one trial that is queued succeed, with a random loss."""
    [job_id] = client.ledger.ids("queued")
    end(client, job_id, {"validation_bce": rng.random()}, epochs)


def leave_one_at_a_time(client: Client, sweep: Sweep) -> None:
    """Have the trials that are still to come queued one after the other."""
    client.create_sweep(sweep.spec.model_copy(update={"parallel": 1}))
