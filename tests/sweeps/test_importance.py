import pytest

from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.importance import importance
from jobs.sweeps.points import random_point, varied_distributions
from tests.sweeps.simulated import constant, log_uniform, sweep_of, uniform, values

VARIED = {
    "much": log_uniform(1e-4, 1),
    "some": values("a", "b"),
    "none": uniform(0, 1),
    "one": values(3),
    "epochs": constant(5),
}


def of(
    count, parameters=VARIED, value=lambda p: 2 * p["much"] ** 0.25 + 0.6 * (p.get("some") == "a"), **rest
):
    sweep = sweep_of(parameters, run_cap=5000, **rest)
    points = [random_point(varied_distributions(sweep), 1, number) for number in range(count)]
    entries = [Entry(n, 0, None, f"j{n}", point, 0) for n, point in enumerate(points)]
    return importance(sweep, entries, {f"j{n}": Outcome("succeeded", value(p)) for n, p in enumerate(points)})


def test_shares_add_up_to_one_the_largest_first():
    shares = of(60)

    assert list(shares) == ["much", "some", "none"]
    assert abs(sum(shares.values()) - 1) < 1e-9
    assert shares["much"] > 0.5 > shares["some"] > shares["none"]
    assert of(60) == shares


@pytest.mark.quality
def test_a_parameter_on_a_log_scale_is_weighed_on_it():
    """Over the sweep's points `some` makes a quarter of the variance; on a linear scale it would be 0.4."""
    assert 0.15 < of(200)["some"] < 0.3


@pytest.mark.quality
def test_many_points_are_thinned_out():
    assert next(iter(of(450))) == "much"


def test_there_is_none_where_it_would_be_noise():
    assert of(19) is None
    assert of(30, {"much": VARIED["much"], "one": values(3)}) is None
    assert of(30, value=lambda _: 1.0) is None
    assert of(30, value=lambda p: float("nan") if p["some"] == "a" else p["much"]) is None


def test_with_halving_values_of_one_rung_are_compared():
    early = {"type": "halving", "eta": 3, "min_iter": 1}
    sweep = sweep_of({**VARIED, "epochs": constant(3)}, run_cap=100, early_terminate=early)
    entries, outcomes = [], {}
    for number in range(30):
        point = random_point(varied_distributions(sweep), 1, number)
        for rung in range(2 if number < 10 else 1):
            entries.append(Entry(number, rung, None, f"{number}.{rung}", point, 0, 3**rung))
            value = 100.0 if rung else point["much"]
            outcomes[f"{number}.{rung}"] = Outcome("succeeded", value)

    assert importance(sweep, entries, outcomes)["much"] > 0.8
