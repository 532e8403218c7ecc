import math

import pytest

from jobs.sweeps.decide import decide
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.median import stops
from jobs.sweeps.trials import Trials
from tests.sweeps.simulated import Simulation, constant, sweep_of, values

EPOCHS = 10


def cancelled(mine, others, state="succeeded", **rest):
    """What is stopped where one trial runs with this history among others with theirs."""
    early = {"type": "median", "min_iter": rest.pop("min_iter", 2)}
    sweep = sweep_of(
        {"x": values(*range(20)), "epochs": constant(EPOCHS)}, "grid", early_terminate=early, **rest
    )
    entries = [Entry(i, 0, None, f"j{i}", {"x": i}, 0) for i in range(len(others) + 1)]
    outcomes = {f"j{i}": Outcome(state, history=history) for i, history in enumerate(others, 1)}
    return stops(Trials(sweep, entries, {**outcomes, "j0": Outcome("running", history=mine)}))


def test_a_trial_worse_than_the_median_at_its_epoch_is_stopped_and_says_why():
    (stop,) = cancelled({3: 1.5, 4: 1.92}, [{4: 1.6}, {4: 1.71}, {4: 1.8}, {4: 1.70}, {4: 1.9}, {3: 0.1}])

    assert stop.job == "j0"
    assert stop.why == "validation nats 1.92 after epoch 4 is worse than the median 1.71 of 5 trials"


def test_the_direction_counts():
    goal = {"name": "accuracy", "goal": "maximize"}

    assert cancelled({4: 0.5}, [{4: 0.6}] * 3, metric=goal)
    assert not cancelled({4: 0.7}, [{4: 0.6}] * 3, metric=goal)


@pytest.mark.parametrize(
    ("mine", "others"),
    [
        ({4: 1.0}, [{4: 1.0}] * 3),
        ({4: 2.0}, [{4: 1.0}] * 2),
        ({1: 2.0}, [{1: 1.0}] * 3),
        ({EPOCHS: 2.0}, [{EPOCHS: 1.0}] * 3),
        ({4: 2.0}, [{3: 1.0}] * 9),
        ({}, [{4: 1.0}] * 3),
    ],
    ids=[
        "as good",
        "too few others",
        "before min_iter",
        "about to end",
        "others not so far",
        "nothing known",
    ],
)
def test_a_trial_is_left_alone(mine, others):
    assert not cancelled(mine, others)


def test_a_diverged_trial_is_the_worst_of_all():
    (stop,) = cancelled({4: math.nan}, [{4: 1.0}, {4: math.inf}, {4: 2.0}])

    assert "validation nats nan after epoch 4" in stop.why


def test_running_failed_and_stopped_trials_count_as_others():
    for state in ("running", "failed", "cancelled"):
        assert cancelled({4: 2.0}, [{4: 1.0}] * 3, state)[0].job == "j0"


def test_close_numbers_are_told_apart():
    (stop,) = cancelled({4: 1.00001}, [{4: 1.0}] * 3)

    assert "1.00001 after epoch 4 is worse than the median 1 of" in stop.why


def test_stopped_trials_count_as_no_failures_and_are_not_run_again():
    sweep = sweep_of(
        {"x": values(*range(12)), "epochs": constant(EPOCHS)},
        "grid",
        early_terminate={"type": "median", "min_iter": 1},
        max_failures=1,
        then=({"action": "evaluate"},),
    )
    late = lambda entry, epochs: epochs + entry.trial  # noqa: E731
    run = Simulation(sweep, lambda p, _, e: p["x"] + 1 / e, 3, late).run()

    stopped = [job for job, outcome in run.outcomes.items() if outcome.stopped]
    assert stopped
    assert run.why == "all 12 trials have ended"
    assert [entry.trial for entry in run.entries if entry.then is not None] == [0]
    assert decide(sweep, run.entries, run.outcomes, 3)[0].why == run.why
