"""What a trial of a sweep costs beyond the bare training: 30 trials of 2 epochs, one worker.

Run: `python -m benchmarks.sweep_trials [--short]`.
"""

import time

from benchmarks.measuring import Row
from benchmarks.processor import session_seconds
from benchmarks.row_command import run
from benchmarks.service import folders, wait
from jobs.client import Client
from jobs.local.supervisor import temporary_service

TRIALS, EPOCHS, RUNS = 30, 2, 3
SECONDS_ALLOWED = 600
"""The time limit of one sweep."""


def measure(row: Row) -> None:
    """Train once, so that the worker has what this model needs; then run sweeps, one after the other."""
    trials, runs = (3, 1) if row.short else (TRIALS, RUNS)
    costs, bare, processor = [], [], []
    with folders(None) as settings, temporary_service(settings) as service:
        client = Client(service.settings)
        session = service.workers[0].process.pid
        wait(client, client.submit("autoencoder", "train", data="digits", epochs=EPOCHS, seed=1_000).id)
        for turn in range(runs):
            used = session_seconds(session)
            whole, training = _run_sweep(client, f"trials-{turn}", trials, turn)
            costs.append((whole - training) / trials)
            bare.append(training / trials)
            now = session_seconds(session)
            if used is not None and now is not None:
                processor.append((now - used) / trials)
    row.figure(f"beyond bare training, a trial of {trials}", "s", costs)
    row.figure("bare training, a trial", "s", bare)
    if processor:
        row.figure("time of the processor, a trial with its training", "s", processor)
    row.judge("beyond bare training", costs, "≤", 0.25, "s")
    row.note(
        f"autoencoder, {EPOCHS} epochs on digits, random learning rates; from the sweep's beginning to its "
        f"last trial's end, less {EPOCHS} times each trial's quicker epoch. The rest: the sweep's advance, "
        "reading the data, the network, the checkpoint, the report, publishing."
    )


def _run_sweep(client: Client, name: str, trials: int, seed: int) -> tuple[float, float]:
    """Run a sweep.

    Returns:
        Its seconds, and those of its trials' bare training.
    """
    rates = {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1}
    began = client.ledger.now()
    client.sweep(
        "autoencoder",
        parameters={"learning_rate": rates, "epochs": EPOCHS},
        method="random",
        data="digits",
        name=name,
        run_cap=trials,
        seed=seed,
    )
    deadline = time.monotonic() + SECONDS_ALLOWED
    while (sweep := client.find_sweep(name)).state == "running":
        if time.monotonic() > deadline:
            raise RuntimeError(f"the sweep has not ended after {SECONDS_ALLOWED} seconds")
        time.sleep(0.2)
    records = client.ledger.records([trial.job for trial in sweep.trials])
    finished = [record.finished for record in records if record.finished and record.state == "succeeded"]
    if len(finished) < trials:
        raise RuntimeError(f"{trials - len(finished)} of {trials} trials did not succeed")
    epochs = [client.folder(record.id).history for record in records]
    training = sum(len(rows) * min(row["seconds"] for row in rows) for rows in epochs)
    return (max(finished) - began) / 1000, training


if __name__ == "__main__":
    run("sweep_trials", "Trials of a sweep", measure)
