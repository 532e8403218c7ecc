"""Trials are ordinary jobs: what a sweep asks for is trained, resumed and stopped as any job is."""

import numpy as np
import pytest

from jobs.client import Client
from jobs.settings import Settings
from jobs.sweeps.advance import Advancer
from jobs.sweeps.sweep import Sweep
from worker.engine import background
from worker.engine.attempt import execute
from worker.images.network import load_network


def run_here(client: Client, settings: Settings, sweep: Sweep, most_rounds: int = 50) -> Sweep:
    """Advance a sweep and do its jobs in this process, until it has ended."""
    advancer = Advancer(client.ledger, client.results)
    for _ in range(most_rounds):
        advancer.advance_all()
        if sweep.refresh().state != "running":
            return sweep
        for job_id in sorted(client.ledger.ids("queued")):
            execute(job_id, settings, "w1@here")
        background.wait()
    raise AssertionError(f"{sweep} does not end")


@pytest.mark.quality
def test_a_promoted_trial_has_the_bits_of_one_that_was_trained_in_one_go(
    client: Client, settings: Settings
) -> None:
    sweep = client.sweep(
        "autoencoder",
        name="halving",
        data="digits",
        parameters={"epochs": 4, "learning_rate": [1e-4, 1e-2]},
        seeds=[3],
        early_terminate={"type": "halving", "eta": 2, "min_iter": 1},
        then=["evaluate"],
    )
    run_here(client, settings, sweep)
    assert sweep.why == "all 2 trials have ended"
    rungs = [(each.trial, each.rung, each.epochs) for each in sweep.jobs]
    assert rungs == [(0, 0, 1), (1, 0, 1), (1, 1, 2), (1, 2, 4)]
    [first, second, third] = [each for each in sweep.jobs if each.trial == 1]
    assert (client.job(second.job).continues, client.job(third.job).continues) == (first.job, second.job)
    assert "resumed from epoch 3" in [each["text"] for each in client.timeline(third.job)]

    fields = {"data": "digits", "seed": 3, "epochs": 4, "learning_rate": 1e-2}
    control = client.submit("autoencoder", "train", fresh=True, **fields)
    execute(control.id, settings, "w1@here")
    background.wait()
    promoted, whole = client.folder(third.job), client.folder(control.id)
    for one, other in zip(
        load_network(promoted).get_weights(), load_network(whole).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    rows = [
        [{k: v for k, v in row.items() if k != "seconds"} for row in f.history] for f in (promoted, whole)
    ]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 4
    assert third.value == whole.metrics["validation_bce"]

    [evaluation] = sweep.following
    assert client.job(evaluation.job).spec.source == third.job
    assert promoted.job["sweep"]["entry"] == sweep.entries[3].as_dict()
    assert client.job(third.job).name == "halving-1"


def test_a_point_that_no_model_takes_fails_before_anything_is_queued(client: Client) -> None:
    with pytest.raises(Exception, match="learning_rate"):
        client.sweep("autoencoder", data="digits", parameters={"learning_rate": [0.1, 7.0]})
    assert client.ledger.sweep_names() == []
