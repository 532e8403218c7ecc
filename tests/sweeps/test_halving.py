"""Successive halving without rounds, against the plain one that waits for each round."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.sweeps.actions import Ask
from jobs.sweeps.decide import decide
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.halving import rung_epochs, top_epochs
from jobs.sweeps.scores import best_point, scores
from tests.sweeps.simulated import Simulation, constant, integers, sweep_of, uniform, values

HALVING = {"type": "halving", "eta": 3, "min_iter": 1}


def halved(points, epochs=9, method="grid", **rest):
    parameters = {"x": values(*points), "epochs": constant(epochs)}
    return sweep_of(parameters, method, **{"early_terminate": HALVING, **rest})


def reached(run):
    """Rung -> the x of the points that got there."""
    found = {}
    for entry in run.entries:
        found.setdefault(entry.rung, set()).add(entry.point["x"])
    return found


def synchronous(points, curve, epochs, eta=3):
    """Successive halving (Jamieson and Talwalkar 2016): all wait for all at each rung. Rung -> its points."""
    rungs, now = {0: list(points)}, 1
    while now < epochs and len(rungs[len(rungs) - 1]) >= eta:
        last = rungs[len(rungs) - 1]
        rungs[len(rungs)] = sorted(last, key=lambda x: curve({"x": x}, 0, now))[: len(last) // eta]
        now *= eta
    return {rung: set(each) for rung, each in rungs.items()}


def falling(point, _, epoch):
    """Curves that do not cross."""
    return point["x"] + 1 / epoch


@pytest.mark.parametrize(
    ("epochs", "min_iter", "eta", "expected"),
    [
        (9, 1, 3, [1, 3, 9]),
        (10, 2, 3, [2, 6, 10]),
        (2, 2, 3, [2]),
        (1, 5, 3, [1]),
        (16, 1, 2, [1, 2, 4, 8, 16]),
    ],
)
def test_each_rung_has_eta_times_the_epochs_and_the_last_one_all(epochs, min_iter, eta, expected):
    sweep = halved([1], epochs, early_terminate={"type": "halving", "min_iter": min_iter, "eta": eta})

    assert rung_epochs(sweep, {"x": 1}) == expected


def test_epochs_may_vary_or_be_the_models_own():
    assert top_epochs(sweep_of({"epochs": values(4, 8)}, "grid"), {"epochs": 8}) == 8
    assert top_epochs(sweep_of({"seed_text": constant("a")}, "grid", model="textgen"), {}) > 1


@pytest.mark.quality
@settings(max_examples=15, deadline=None)
@given(st.permutations(range(18)), st.integers(1, 6))
def test_the_winner_is_that_of_rounds_where_curves_do_not_cross(points, workers):
    run = Simulation(halved(points), falling, workers).run()

    expected = synchronous(points, falling, 9)
    assert all(expected[rung] <= reached(run)[rung] for rung in expected)
    assert best_point(scores(run.sweep, run.entries, run.outcomes)).point == {"x": 0}


@pytest.mark.quality
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 5), st.sampled_from([2, 3, 4]))
def test_each_promotion_is_of_the_best_part_of_those_that_finished(seed, count, workers, eta):
    """Algorithm 2 of Li et al., replayed: at its time each promoted point was among the best n // eta of its
    rung. Exempt are those after which nothing else could come.
    """
    noise = lambda p, _, epoch: random.Random(f"{seed} {p['x']} {epoch}").random()  # noqa: E731
    run = Simulation(halved(range(count), early_terminate={**HALVING, "eta": eta}), noise, workers)
    while run.why is None:
        before = dict(run.outcomes)
        entries = list(run.entries)
        run.advance()
        for ask in (each for each in run.rounds[-1][0] if isinstance(each, Ask) and each.rung):
            finished = [e for e in entries if e.rung == ask.rung - 1 and before[e.job].state == "succeeded"]
            ranked = sorted(finished, key=lambda e: (before[e.job].value, e.trial))
            best = [e.trial for e in ranked[: len(ranked) // eta]]
            alone = all(each.ended for each in before.values()) and len(run.rounds[-1][0]) == 1
            assert ask.trial in best or alone
        run.step()
    last = max(entry.rung for entry in run.entries)
    assert rung_epochs(run.sweep, {"x": 0})[last] == 9, "none ran whole"
    for rung in range(last):
        finished = sorted((run.outcomes[e.job].value, e.trial) for e in run.entries if e.rung == rung)
        promoted = {e.trial for e in run.entries if e.rung == rung + 1}
        assert {trial for _, trial in finished[: len(finished) // eta]} <= promoted


def test_a_promotion_goes_before_a_new_point_and_resumes():
    entries = [Entry(t, 0, None, f"j{t}", {"x": t}, 0, 1) for t in range(3)]
    outcomes = {f"j{t}": Outcome("succeeded", float(-t)) for t in range(3)}

    (ask,) = decide(halved(range(9), parallel=1), entries, outcomes, 1)

    assert (ask.trial, ask.rung, ask.epochs, ask.continues, ask.point) == (2, 1, 3, "j2", {"x": 2})


def test_no_worker_waits_for_a_round():
    """One trial is slow: with rounds, nothing would be promoted before it has ended."""
    slow = lambda entry, epochs: epochs * (100 if entry.trial == 0 else 1)  # noqa: E731
    run = Simulation(halved(range(1, 10)), falling, 3, slow)
    while run.now < 99:
        run.advance()
        run.step()

    assert {entry.rung for entry in run.entries} >= {0, 1}
    assert any(e.rung == 1 and run.outcomes[e.job].state == "succeeded" for e in run.entries)


def test_far_fewer_epochs_are_trained_than_without():
    run = Simulation(halved(range(27), 27), falling, 4).run()

    trained = sum(e.epochs - (e.epochs // 3 if e.rung else 0) for e in run.entries)
    assert trained < 27 * 27 / 5


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_few_points_too_end_with_one_that_ran_whole(count):
    run = Simulation(halved(range(count)), falling).run()

    assert reached(run)[2] == {0}


def test_points_are_judged_by_the_mean_of_their_seeds_and_promoted_with_all():
    curve = lambda p, seed, _: p["x"] + (10 if p["x"] == 0 and seed == 1 else 0)  # noqa: E731
    run = Simulation(halved(range(3), seeds=(0, 1)), curve).run()

    assert reached(run) == {0: {0, 1, 2}, 1: {1}, 2: {1}}
    assert [(e.seed, e.epochs) for e in run.entries if e.rung == 2] == [(0, 9), (1, 9)]


def test_a_seed_that_failed_stays_behind():
    curve = lambda p, seed, _: None if seed == 1 else p["x"]  # noqa: E731
    run = Simulation(halved(range(3), seeds=(0, 1)), curve).run()

    assert [e.seed for e in run.entries if e.rung == 1] == [0]


def test_a_point_that_lost_a_seed_is_not_promoted_before_one_that_lost_none():
    curve = lambda p, seed, _: None if seed == 1 and p["x"] == 0 else p["x"]  # noqa: E731
    run = Simulation(halved(range(3), seeds=(0, 1)), curve, 1).run()

    assert reached(run) == {0: {0, 1, 2}, 1: {1}, 2: {1}}


def test_if_the_best_fails_on_its_way_the_next_goes_on():
    curve = lambda p, _, epoch: None if p["x"] == 0 and epoch > 1 else p["x"]  # noqa: E731
    run = Simulation(halved(range(3)), curve).run()

    assert reached(run) == {0: {0, 1, 2}, 1: {0, 1}, 2: {1}}
    assert run.why == "all 3 trials have ended, 1 failed"


def test_what_diverged_is_not_promoted():
    run = Simulation(halved(range(6)), lambda *_: math.nan).run()

    assert reached(run) == {0: set(range(6))}


def test_each_points_own_epochs_are_its_top():
    sweep = sweep_of({"x": uniform(0, 1), "epochs": integers(1, 30)}, run_cap=30, early_terminate=HALVING)
    run = Simulation(sweep, falling, 3).run()

    assert all(entry.epochs <= entry.point["epochs"] for entry in run.entries)
    assert any(entry.rung and entry.epochs == entry.point["epochs"] for entry in run.entries)


def test_more_points_are_compared_with_those_that_are_there():
    run = Simulation(halved(range(9)), falling).run()
    run.sweep, run.why = halved([*range(9), -1, -2, -3]), None
    run.run()

    assert -3 in reached(run)[2]
    assert len({entry.key for entry in run.entries}) == len(run.entries)
