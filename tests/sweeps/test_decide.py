"""What a sweep does next: whatever happens to its jobs, in whatever order."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.sweeps.actions import Ask, End
from jobs.sweeps.decide import decide
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.points import point_key
from tests.sweeps.simulated import Simulation, constant, integers, sweep_of, uniform, values

EVALUATE, GENERATE = {"action": "evaluate"}, {"action": "generate"}


def by_x(point, seed, epoch):
    return float(point["x"]) + seed / 100 + 1 / epoch


def grid(count, **rest):
    return sweep_of({"x": values(*range(count)), "epochs": constant(4)}, "grid", **rest)


def trials_of(run):
    return [entry for entry in run.entries if entry.then is None]


DESCRIBED = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["grid", "random", "sobol"]),
        "seeds": st.sampled_from([(0,), (3, 1), (0, 1, 2)]),
        "run_cap": st.integers(1, 20),
        "early_terminate": st.sampled_from(
            [None, {"type": "halving", "eta": 2, "min_iter": 1}, {"type": "median", "min_iter": 1}]
        ),
        "parallel": st.none() | st.integers(1, 5),
        "then": st.sampled_from([(), (EVALUATE,), (EVALUATE, GENERATE)]),
        "each": st.booleans(),
        "max_failures": st.none() | st.integers(1, 4),
    }
)


@settings(max_examples=60, deadline=None)
@given(described=DESCRIBED, workers=st.integers(1, 4), chance=st.integers(0, 10**6))
def test_every_sweep_ends_with_each_trial_run_once(described, workers, chance):
    """Trials fail by chance, take any time, and whatever advances the sweep dies between any two actions; that
    no two jobs have the same key, and that an end finds nothing running, is asserted by the simulation.
    """
    rng = random.Random(chance)
    curve = lambda p, s, e: None if random.Random(f"{p} {s} {e} {chance}").random() < 0.05 else by_x(p, s, e)  # noqa: E731
    run = Simulation(
        sweep_of({"x": values(*range(9)), "epochs": constant(4)}, **described),
        curve,
        workers,
        seconds=lambda *_: rng.random(),
        survives=lambda: rng.random() < 0.8,
        order=lambda entries: rng.sample(entries, len(entries)),
    ).run()
    sweep, trials = run.sweep, trials_of(run)

    most = sweep.parallel or 2 * workers + 2
    assert all(unfinished <= most for _, unfinished in run.rounds)
    assert {entry.trial: entry.seed for entry in trials} == {
        entry.trial: sweep.seeds[entry.trial % len(sweep.seeds)] for entry in trials
    }
    points = {entry.trial // len(sweep.seeds): point_key(entry.point) for entry in trials}
    assert len(set(points.values())) == len(points)
    if "max_failures" not in run.why:
        expected = sweep.most_points() if sweep.method == "grid" else min(9, sweep.most_points())
        assert sorted({entry.trial for entry in trials}) == list(range(expected * len(sweep.seeds)))
    for entry in run.entries:
        if entry.then is not None:
            last = max((e for e in trials if e.trial == entry.trial), key=lambda e: e.rung)
            assert run.outcomes[last.job].state == "succeeded"
            assert (entry.rung, entry.point) == (last.rung, last.point)


@settings(max_examples=30, deadline=None)
@given(described=DESCRIBED, chance=st.integers(0, 10**6))
def test_the_order_of_entries_and_outcomes_changes_nothing(described, chance):
    """Of a sweep that has come some way, some jobs are missing, as nobody has asked for them yet."""
    rng = random.Random(chance)
    described = {**described, "method": "random", "max_failures": None}
    run = Simulation(sweep_of({"x": integers(1, 40), "epochs": constant(4)}, **described), by_x, 3)
    for _ in range(rng.randrange(20)):
        if run.why is None:
            run.advance()
            run.step()
    entries = [entry for entry in run.entries if rng.random() < 0.8]
    shuffled = dict(rng.sample(list(run.outcomes.items()), len(run.outcomes)))

    once = decide(run.sweep, entries, run.outcomes, 8)

    assert decide(run.sweep, rng.sample(entries, len(entries)), shuffled, 8) == once


@pytest.mark.parametrize(
    ("rest", "workers", "expected"),
    [
        ({"parallel": 2}, 8, 2),
        ({}, 3, 8),
        ({}, 0, 4),
        ({"method": "tpe", "run_cap": 50}, 3, 4),
        ({"method": "tpe", "run_cap": 50}, 0, 2),
        ({"method": "tpe", "run_cap": 50, "parallel": 7}, 3, 7),
    ],
)
def test_so_many_are_queued_at_once(rest, workers, expected):
    sweep = sweep_of({"x": values(*range(50))}, **{"method": "grid", **rest})

    asks = decide(sweep, [], {}, workers)

    assert [ask.trial for ask in asks] == list(range(expected))
    assert all(isinstance(ask, Ask) for ask in asks)


def test_jobs_that_follow_take_no_place():
    entries = [Entry(0, 0, None, "a", {"x": 0}, 0), Entry(0, 0, 0, "b", {"x": 0}, 0)]
    outcomes = {"a": Outcome("succeeded", 1.0), "b": Outcome("running")}
    sweep = grid(9, parallel=2, then=(EVALUATE,), each=True)

    assert [ask.trial for ask in decide(sweep, entries, outcomes, 1)] == [1, 2]


def test_a_point_that_was_begun_is_run_with_all_seeds_first():
    entries = [Entry(t, 0, None, f"j{t}", {"x": t // 3}, t % 3) for t in (0, 2, 3)]

    asks = decide(grid(9, seeds=(0, 1, 2), parallel=6), entries, {}, 1)

    assert [(ask.trial, ask.point["x"], ask.seed) for ask in asks] == [(1, 0, 1), (4, 1, 1), (5, 1, 2)]


def test_each_trial_that_ran_whole_is_followed_as_soon_as_it_has():
    run = Simulation(grid(3, then=(EVALUATE, GENERATE), each=True, parallel=1), by_x, 1)
    run.advance()
    run.step()

    asks = [ask for ask in decide(run.sweep, run.entries, run.outcomes, 1) if ask.then is not None]
    assert [(ask.trial, ask.then, ask.source, ask.epochs) for ask in asks] == [
        (0, 0, "job-0", None),
        (0, 1, "job-0", None),
    ]
    run.run()
    assert len(run.entries) == 9


def test_with_halving_only_what_came_to_its_last_rung_is_followed():
    early = {"type": "halving", "eta": 2, "min_iter": 1}
    run = Simulation(grid(8, then=(EVALUATE,), each=True, early_terminate=early), by_x).run()

    tops = {entry.trial for entry in run.entries if entry.epochs == 4}
    assert {entry.trial for entry in run.entries if entry.then is not None} == tops


def test_the_best_trial_of_the_best_point_is_followed_at_the_end():
    curve = lambda p, seed, _: {0: [0.0, 9.0], 1: [3.0, 2.0], 2: [4.0, 4.0]}[p["x"]][seed]  # noqa: E731
    run = Simulation(grid(3, seeds=(0, 1), then=(EVALUATE, GENERATE)), curve).run()

    assert [(e.trial, e.then) for e in run.entries if e.then is not None] == [(3, 0), (3, 1)]
    assert [entry.then for entry in run.entries[-2:]] == [0, 1]


def test_what_follows_the_best_follows_no_point_that_lost_a_seed():
    curve = lambda p, seed, _: None if p["x"] == 0 and seed else by_x(p, seed, 4)  # noqa: E731
    run = Simulation(grid(3, seeds=(0, 1, 2), then=(EVALUATE,)), curve).run()

    assert [e.point for e in run.entries if e.then is not None] == [{"x": 1}]


def test_failed_trials_end_a_sweep_where_so_many_may_not_fail():
    run = Simulation(grid(20, max_failures=2, then=(EVALUATE,), parallel=1), lambda *_: None).run()

    assert run.why == "2 trials failed, and max_failures is 2"
    assert len(run.entries) == 2


def test_what_runs_when_too_many_have_failed_is_left_to_end():
    entries = [Entry(t, 0, None, f"j{t}", {"x": t}, 0) for t in range(2)]
    outcomes = {"j0": Outcome("failed"), "j1": Outcome("running")}

    assert decide(grid(9, max_failures=1), entries, outcomes, 4) == []
    outcomes["j1"] = Outcome("succeeded", 1.0)
    assert decide(grid(9, max_failures=1), entries, outcomes, 4) == [
        End("1 trial failed, and max_failures is 1")
    ]


def test_cancelled_and_deleted_trials_are_no_failures():
    entries = [Entry(t, 0, None, f"j{t}", {"x": t}, 0) for t in range(3)]
    outcomes = {"j0": Outcome("cancelled"), "j1": Outcome("gone"), "j2": Outcome("succeeded", 1.0)}

    assert decide(grid(3, max_failures=1), entries, outcomes, 4) == [End("all 3 trials have ended")]


def test_a_sweep_ends_although_all_failed():
    run = Simulation(grid(3, then=(EVALUATE,)), lambda *_: None).run()

    assert run.why == "all 3 trials have ended, 3 failed"
    assert Simulation(grid(1), by_x).run().why == "its one trial has ended"


def test_a_search_among_few_points_ends_once_it_has_had_them_all():
    run = Simulation(sweep_of({"x": values(1, 2)}, "tpe", run_cap=50), by_x, 1).run()

    assert sorted(entry.point["x"] for entry in run.entries) == [1, 2]


@pytest.mark.parametrize("method", ["random", "sobol", "tpe"])
def test_an_extended_sweep_goes_on_where_it_ended(method):
    described = {"x": uniform(0, 1), "epochs": constant(4)}
    run = Simulation(sweep_of(described, method, run_cap=13), by_x, 1).run()
    run.sweep, run.why = sweep_of(described, method, run_cap=16), None
    whole = Simulation(run.sweep, by_x, 1).run()

    assert [entry.point for entry in run.run().entries] == [entry.point for entry in whole.entries]


def test_values_added_to_a_grid_are_run_alone():
    run = Simulation(sweep_of({"x": values(1, 3), "y": values(1, 2)}, "grid"), by_x).run()
    run.sweep, run.why = sweep_of({"x": values(1, 2, 3), "y": values(1, 2)}, "grid"), None

    added = run.run().entries[4:]

    assert [(e.trial, e.point) for e in added] == [(4, {"x": 2, "y": 1}), (5, {"x": 2, "y": 2})]
    assert run.why == "all 6 trials have ended"
