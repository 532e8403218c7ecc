"""Bytes of the page that compares a sweep of 200 trials, and what `quartet compare --page` takes to write it.

Run: `python -m benchmarks.compare_page [--short]`.
"""

from random import Random

from benchmarks.ended_jobs import end
from benchmarks.measuring import Row
from benchmarks.row_command import run
from benchmarks.service import folders, redis_alone
from benchmarks.whole_command import whole_command
from jobs.client import Client
from jobs.sweeps.advance import Advancer

TRIALS, RUNS, EPOCHS = 200, 5, 50
SWEEP = "page"


def measure(row: Row) -> None:
    """End the trials of a sweep over three parameters, and write its page repeatedly."""
    trials = 20 if row.short else TRIALS
    seconds, processor = [], []
    with folders(None) as settings, redis_alone(settings) as found:
        client = Client(found)
        _end_sweep(client, trials)
        for turn in range(2 if row.short else 1 + RUNS):
            done = whole_command(found, "compare", "--sweep", SWEEP, "--page")
            if turn:
                seconds.append(done.seconds)
                processor.append(done.processor)
        size = (found.state_dir / "compare.html").stat().st_size / 1e6
    row.figure(f"the page of {trials:,} runs of {EPOCHS} epochs", "MB", [size])
    row.figure("`quartet compare --sweep … --page`, two whole processes", "s", seconds)
    row.figure("the same, time of the processor", "s", processor)
    row.judge("the page", [size], "≤", 3.0, "MB")
    row.note("With the importance of each parameter, which a random forest estimates.")


def _end_sweep(client: Client, trials: int) -> None:
    """Run a random search, each trial of which ends at once."""
    rates = {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1}
    client.sweep(
        "autoencoder",
        parameters={"learning_rate": rates, "batch_size": [32, 64, 128, 256], "epochs": EPOCHS},
        method="random",
        data="digits",
        name=SWEEP,
        run_cap=trials,
        parallel=trials,
    )
    advancer, rng = Advancer(client.ledger, client.results), Random(0)
    while client.ledger.sweep_states()[SWEEP] == "running":
        advancer.advance_all()
        for job_id in client.ledger.ids("queued"):
            end(client, job_id, {"validation_bce": 0.1 + rng.random() / 10, "training_bce": 0.1}, EPOCHS)


if __name__ == "__main__":
    run("compare_page", "The page of a comparison", measure)
