import math
from statistics import stdev

import pytest

from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.scores import best_point, scores
from tests.sweeps.simulated import constant, sweep_of, values

FAILED, RUNNING = Outcome("failed"), Outcome("running", history={1: 0.0})


def scored(results, seeds=(0,), **rest):
    """Scores of points with these outcomes of each trial, or of each trial at each rung."""
    sweep = sweep_of({"x": values(*range(50)), "epochs": constant(9)}, "grid", seeds=seeds, **rest)
    entries, outcomes = [], {}
    for trial, rungs in enumerate(results):
        for rung, outcome in enumerate(rungs if isinstance(rungs, list) else [rungs]):
            job = f"{trial}.{rung}"
            entries.append(Entry(trial, rung, None, job, {"x": trial // len(seeds)}, 0, 3**rung))
            outcomes[job] = outcome if isinstance(outcome, Outcome) else Outcome("succeeded", outcome)
    return scores(sweep, entries, outcomes)


def test_points_are_ranked_by_the_mean_of_their_seeds():
    ranked = scored([3.0, 5.0, 1.0, 2.0, 0.5, FAILED], seeds=(0, 1))

    assert [each.number for each in ranked] == [1, 0, 2]
    first, second, third = ranked
    assert (second.mean, second.deviation, second.n, second.best_trial) == (4.0, stdev([3.0, 5.0]), 2, 0)
    assert (first.mean, first.n, first.best_trial) == (1.5, 2, 2)
    assert (third.mean, third.deviation, third.n, third.seeds, third.whole) == (0.5, None, 1, 2, True)
    assert best_point(ranked) == first


@pytest.mark.parametrize("lost", [FAILED, Outcome("cancelled"), Outcome("gone")], ids=lambda each: each.state)
def test_a_point_that_lost_a_seed_is_the_best_only_where_there_is_no_whole_one(lost):
    ranked = scored([0.1, lost, lost, 2.0, 2.0, 2.0, 3.0, 3.0, lost], seeds=(0, 1, 2))

    assert [(each.number, each.n) for each in ranked] == [(1, 3), (0, 1), (2, 2)]
    assert best_point(ranked).number == 1
    without = [each for each in ranked if each.number != 1]
    assert best_point(without).number == 0
    assert best_point(scored([0.1, lost, math.nan, math.nan], seeds=(0, 1))).number == 0


def test_seeds_stopped_at_different_epochs_are_compared_after_the_last_one_that_all_did():
    early = {"type": "median", "min_iter": 1}
    short = Outcome("cancelled", history={1: 0.8, 2: 0.6}, stopped=True)
    longer = Outcome("cancelled", history={1: 0.9, 2: 0.4, 3: 0.1}, stopped=True)
    whole = Outcome("succeeded", 0.05, {epoch: 1 / epoch for epoch in range(1, 10)})
    ranked = scored([short, longer, short, whole, whole, whole], seeds=(0, 1), early_terminate=early)

    assert [(each.number, each.mean, each.epochs) for each in ranked] == [
        (2, 0.05, 9),
        (0, pytest.approx(0.5), 2),
        (1, pytest.approx(0.55), 2),
    ]


def test_the_direction_counts():
    ranked = scored([0.1, 0.9, 0.5], metric={"name": "accuracy", "goal": "maximize"})

    assert [each.number for each in ranked] == [1, 2, 0]


def test_points_without_a_value_come_last_and_diverged_ones_before_them():
    ranked = scored([FAILED, math.nan, 1.0, RUNNING, Outcome("gone"), Outcome("succeeded")])

    assert [each.number for each in ranked] == [2, 1, 5, 0, 3, 4]
    assert [each.mean for each in ranked] == [1.0, math.inf, math.inf, None, None, None]
    assert best_point(ranked[1:]) is None


def test_a_point_of_which_one_seed_diverged_has_diverged():
    diverged, fine = scored([1.0, math.inf, 2.0, 2.0], seeds=(0, 1))[::-1]

    assert fine.mean == 2.0
    assert (diverged.mean, diverged.deviation, diverged.n) == (math.inf, None, 2)


def test_a_point_with_a_seed_that_runs_is_ranked_and_not_yet_the_best():
    ranked = scored([1.0, RUNNING, 2.0, 2.0], seeds=(0, 1))

    assert [(each.number, each.n, each.whole) for each in ranked] == [(0, 1, False), (1, 2, True)]
    assert best_point(ranked).number == 1


def test_higher_rungs_come_first():
    halving = {"type": "halving", "eta": 3, "min_iter": 1}
    ranked = scored(
        [[0.1], [0.2, 0.9, 0.8], [0.3, 0.05], [0.4, FAILED], [0.15, RUNNING]], early_terminate=halving
    )

    assert [(each.number, each.rung) for each in ranked] == [(1, 2), (2, 1), (0, 0), (4, 0), (3, 0)]
    assert [each.mean for each in ranked] == [0.8, 0.05, 0.1, 0.15, 0.4]
    assert best_point(ranked).number == 1


def test_a_stopped_point_has_its_last_value_and_comes_after_those_that_ran_whole():
    stopped = Outcome("cancelled", history={1: 0.9, 2: 0.2}, stopped=True)
    ranked = scored([stopped, 0.5, Outcome("cancelled", history={1: 0.1})])

    assert [(each.number, each.mean) for each in ranked] == [(1, 0.5), (0, 0.2), (2, None)]
