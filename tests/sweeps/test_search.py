"""The search that learns, rebuilt from what it was told."""

import math
import random
from dataclasses import replace

import pytest

from jobs.sweeps.distributions import Distribution
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.points import RANDOM_STARTS, random_point, varied_distributions
from jobs.sweeps.search import Search, asked_again, results_now
from jobs.sweeps.spread import has_point
from jobs.sweeps.trials import Trials
from tests.sweeps.simulated import Simulation, constant, integers, log_uniform, sweep_of, uniform, values

VARIED = {
    "rate": log_uniform(1e-4, 1e-1),
    "units": integers(1, 128),
    "kind": values("a", "b"),
    "widths": values((8, 8), (16,), 3),
    "part": uniform(0, 1, q=0.25),
    "batch": Distribution(distribution="log_uniform_values", min=8, max=512, q=8),
}


def bowl(point, seed, epoch):
    near = (math.log10(point["rate"]) + 2.5) ** 2 + (point["units"] / 64 - 1) ** 2 + (point["kind"] == "a")
    return near + 0.01 * seed + 1 / epoch


def told(values, seeds=(0,), **rest):
    """A search's trials after random points with these values; None failed, "running" is."""
    sweep = sweep_of(VARIED, "tpe", run_cap=1000, seeds=seeds, **rest)
    entries, outcomes = [], {}
    for trial, value in enumerate(values):
        point = random_point(varied_distributions(sweep), 5, trial // len(seeds))
        entries.append(Entry(trial, 0, None, f"j{trial}", point, seeds[trial % len(seeds)]))
        outcomes[f"j{trial}"] = Outcome("running" if value == "running" else "succeeded", value)
        if value is None or value == "running":
            state = "failed" if value is None else "running"
            outcomes[f"j{trial}"] = Outcome(state)
    return Trials(sweep, entries, outcomes)


def asked(trials, number=None):
    number = len(trials.points) if number is None else number
    return Search(trials, results_now(trials)).ask(number)


_RNG = random.Random(1)
NUMBERS = [_RNG.random() for _ in range(24)]


def test_asked_points_are_points_of_the_sweep():
    trials = told(NUMBERS)
    search = Search(trials, results_now(trials))

    points = [search.ask(number) for number in range(24, 30)]

    assert all(has_point(trials.sweep.parameters, point) for point in points)
    assert len({str(point) for point in points}) == 6


def test_several_points_are_the_same_asked_one_by_one_by_rebuilt_searches():
    trials = told(NUMBERS)
    search = Search(trials, results_now(trials))
    at_once = [search.ask(number) for number in range(24, 28)]

    entries = [entry for rungs in trials.jobs.values() for entry in rungs.values()]
    for number, point in enumerate(at_once, 24):
        assert asked(Trials(trials.sweep, entries, trials._outcomes)) == point
        entries.append(Entry(number, 0, None, f"new-{number}", point, 0))


def test_the_order_in_which_parameters_are_written_changes_nothing():
    trials, reverse = told(NUMBERS), told(NUMBERS)
    turned = dict(reversed(reverse.sweep.parameters.items()))
    reverse.sweep = reverse.sweep.model_copy(update={"parameters": turned})

    assert asked(trials) == asked(reverse)


def test_the_search_is_random_until_enough_points_have_a_value():
    few = [*NUMBERS[: RANDOM_STARTS - 1], None, None]

    assert asked(told(few)) == asked(told([*[1 - each for each in few[:-2]], None, None]))
    assert asked(told(NUMBERS)) != asked(told([1 - each for each in NUMBERS]))


def test_the_direction_counts():
    maximize = {"name": "validation_accuracy", "goal": "maximize"}

    assert asked(told(NUMBERS)) != asked(told(NUMBERS, metric=maximize))
    assert asked(told(NUMBERS)) == asked(told([-each for each in NUMBERS], metric=maximize))


def test_diverged_trials_are_told_as_the_worst():
    huge, nan, inf = (asked(told([*NUMBERS, each])) for each in (1e300, math.nan, math.inf))

    assert huge == nan == inf == asked(told([*NUMBERS, -math.inf]))
    trials = told([*NUMBERS, math.nan])
    trials._outcomes["j24"] = Outcome("succeeded")  # without the metric, as nothing else is written
    assert asked(trials) == huge


def test_running_points_are_kept_away_from():
    assert asked(told([*NUMBERS, "running"])) != asked(told([*NUMBERS, None]))


def test_a_point_is_told_as_the_mean_of_its_seeds_once_all_have_ended():
    pairs = [value + shift for value in NUMBERS for shift in (-0.5, 0.5)]
    lone = [each for value in NUMBERS for each in (value, None)]
    alike = [value for value in NUMBERS for _ in range(2)]

    first, *others = (asked(told(each, seeds=(3, 4))) for each in (pairs, lone, alike))

    assert all(other == first for other in others)
    half = results_now(told([*pairs[:-1], "running"], seeds=(3, 4)))
    assert [each.number for each in half] == list(range(23))


def test_a_deleted_or_cancelled_trial_is_told_as_failed():
    trials = told([*NUMBERS, 0.1, 0.1])
    trials._outcomes["j24"] = Outcome("gone")
    trials._outcomes["j25"] = Outcome("cancelled")

    assert [each.number for each in results_now(trials) if each.failed] == [24, 25]


def test_a_stopped_trial_is_told_as_pruned_with_its_last_value():
    trials = told([*NUMBERS, 0.1])
    trials._outcomes["j24"] = Outcome("cancelled", history={1: 0.9, 2: 0.7}, stopped=True)

    assert trials.result(24, 0).value == 0.7
    assert trials.result(24, 0).epochs == 2
    frozen = Search(trials, results_now(trials))._trial(24)
    assert frozen.state.name == "PRUNED"
    assert frozen.intermediate_values == {2: 0.7}


@pytest.mark.quality
@pytest.mark.parametrize(
    "early", [None, {"type": "halving", "min_iter": 2}, {"type": "median", "min_iter": 2}]
)
def test_whatever_dies_each_point_is_what_a_rebuilt_search_asks_for(early):
    """Rounds are cut short between any two actions, entries are read in any order, trials fail."""
    rng = random.Random(7)
    given = {**VARIED, "epochs": constant(9)}
    sweep = sweep_of(given, "tpe", run_cap=40, seeds=(0, 1), early_terminate=early)
    fails = lambda point, seed, epoch: None if point["part"] == 0.5 and seed else bowl(point, seed, epoch)  # noqa: E731
    seconds = lambda entry, epochs: epochs + entry.trial * 7 % 5  # noqa: E731

    undisturbed = Simulation(sweep, fails, 3, seconds).run()
    killed = Simulation(
        sweep, fails, 3, seconds, lambda: rng.random() > 0.4, lambda each: rng.sample(each, len(each))
    ).run()

    strip = lambda run: {e.key: replace(e, job="") for e in run.entries}  # noqa: E731
    assert strip(killed) == strip(undisturbed)
    for entry in killed.entries[::3]:
        number = entry.trial // 2
        assert asked_again(sweep, killed.entries, killed.outcomes, number) == entry.point


def points_until(method, seed, wanted=14):
    """How many points a search asks for until so many lie in the better half of a bowl."""
    varied = {"x": uniform(-1, 1), "y": uniform(-1, 1)}
    middle = 2 / math.pi  # the share of the square within a circle of this squared radius is 1/2
    run = Simulation(
        sweep_of(varied, method, run_cap=200, seed=seed, parallel=4),
        lambda p, *_: (p["x"] - 0.3) ** 2 + (p["y"] + 0.2) ** 2,
        workers=4,
    )
    while sum(run.curve(entry.point, 0, 1) < middle for entry in run.entries) < wanted:
        run.advance()
        run.step()
    return len(run.entries)


@pytest.mark.quality
def test_the_search_finds_the_better_half_of_a_bowl_sooner_than_random():
    """In 20 repetitions it needs fewer points in at least 15: by chance 2 in 100 (sign test)."""
    pairs = [(points_until("tpe", seed), points_until("random", seed)) for seed in range(20)]

    assert sum(tpe < random for tpe, random in pairs) >= 15
    assert sum(tpe for tpe, _ in pairs) < 0.9 * sum(random for _, random in pairs)
