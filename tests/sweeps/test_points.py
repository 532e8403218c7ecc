from itertools import islice

import pytest

from jobs.sweeps.points import first_points, new_points, point_key, random_point
from tests.sweeps.simulated import constant, integers, log_uniform, sweep_of, uniform, values

GRID = {"a": values(1, 2), "epochs": constant(5), "b": values("x", "y", "z")}


def test_a_grid_is_the_product_in_the_order_of_the_description():
    points = first_points(sweep_of(GRID, "grid"))

    assert [(p["a"], p["b"]) for p in points] == [(a, b) for a in (1, 2) for b in "xyz"]


def test_run_cap_cuts_a_grid_at_whole_points():
    assert len(first_points(sweep_of(GRID, "grid", run_cap=5, seeds=(0, 1)))) == 2


def test_a_grid_with_equal_values_has_each_point_once():
    assert len(first_points(sweep_of({"a": values(1, 2, 1, 1.0)}, "grid"))) == 2


def test_a_huge_grid_is_cut_without_being_listed():
    huge = {name: values(*range(1000)) for name in "abcdef"}

    assert len(first_points(sweep_of(huge, "grid", run_cap=3))) == 3


def test_nothing_that_varies_is_one_point():
    for method in ("grid", "random", "sobol", "tpe"):
        assert first_points(sweep_of({"epochs": constant(5)}, method)) == [{}]


@pytest.mark.parametrize("method", ["random", "sobol", "tpe"])
def test_points_depend_on_the_seed_and_their_number_alone(method):
    varied = {"rate": log_uniform(1e-4, 1e-1), "units": integers(1, 500)}
    points = first_points(sweep_of(varied, method, run_cap=10))

    assert first_points(sweep_of(dict(reversed(varied.items())), method, run_cap=5)) == points[:5]
    assert [next(new_points(sweep_of(varied, method), points[:n])) for n in range(10)] == points
    assert not [p for p in first_points(sweep_of(varied, method, run_cap=10, seed=1)) if p in points]


def test_random_points_are_the_same_on_any_platform():
    assert random_point({"rate": log_uniform(1e-4, 1e-1), "b": values("x", "y", "z")}, 3, 7) == {
        "rate": 0.03440955,
        "b": "x",
    }


def test_sobol_points_cover_the_space_more_evenly_than_random_ones():
    def most_in_a_cell(method):
        points = first_points(sweep_of({"a": uniform(0, 1), "b": uniform(0, 1)}, method, run_cap=64))
        cells = [(int(p["a"] * 8), int(p["b"] * 8)) for p in points]
        return max(cells.count(cell) for cell in cells)

    assert most_in_a_cell("sobol") == 1
    assert most_in_a_cell("random") > 1


def test_sobol_gives_listed_values_equal_shares():
    points = first_points(sweep_of({"a": values(*"abcd"), "b": uniform(0, 1)}, "sobol", run_cap=64))

    assert sorted(p["a"] for p in points) == sorted("abcd" * 16)


@pytest.mark.parametrize("method", ["random", "sobol"])
def test_a_small_space_is_drawn_whole_and_no_point_twice(method):
    points = first_points(sweep_of({"a": values(*range(7)), "b": integers(1, 9)}, method, run_cap=1000))

    assert len(points) == len({point_key(p) for p in points}) == 63


@pytest.mark.parametrize("method", ["grid", "random", "sobol"])
def test_an_extended_sweep_gets_only_points_that_it_lacks(method):
    before = first_points(sweep_of({"a": values(1, 3), "b": values("x", "y")}, method, run_cap=4))
    wider = sweep_of({"a": values(1, 2, 3), "b": values("x", "y")}, method, run_cap=100)

    added = list(new_points(wider, before))

    assert sorted((p["a"], p["b"]) for p in added) == [(2, "x"), (2, "y")]


def test_points_that_a_description_no_longer_has_do_not_end_it():
    narrower = sweep_of({"a": values(2, 3)}, "random", run_cap=100)

    assert [p["a"] for p in sorted(new_points(narrower, [{"a": 1}, {"a": 2}]), key=str)] == [3]


def test_a_raised_run_cap_keeps_the_points_that_are_there():
    varied = {"a": uniform(0, 1)}
    few, more = (first_points(sweep_of(varied, "sobol", run_cap=cap)) for cap in (70, 100))

    assert more[:70] == few
    assert list(islice(new_points(sweep_of(varied, "sobol", run_cap=100), few), 30)) == more[70:]
