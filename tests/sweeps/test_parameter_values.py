"""What is written for a parameter becomes the distribution that W&B means by it, or is refused."""

from typing import Any

import pytest

from jobs.sweeps.distributions import Distribution
from tests.sweeps.describing import mistakes, notes, sweep, with_parameter


@pytest.mark.parametrize(
    ("name", "written", "distribution"),
    [
        ("units", {"value": 64}, {"distribution": "constant", "values": (64,)}),
        ("units", 64, {"distribution": "constant", "values": (64,)}),
        ("units", {"value": 64, "distribution": "constant"}, {"distribution": "constant", "values": (64,)}),
        ("units", {"values": [64, "128"]}, {"distribution": "categorical", "values": (64, 128)}),
        ("units", {"min": 8, "max": 64}, {"distribution": "int_uniform", "min": 8, "max": 64}),
        ("learning_rate", {"min": 0.001, "max": 1}, {"distribution": "uniform", "min": 0.001, "max": 1}),
        ("learning_rate", {"values": ["1e-3", 1]}, {"distribution": "categorical", "values": (0.001, 1.0)}),
        (
            "learning_rate",
            {"min": 0.02, "max": 0.1, "q": 0.02},
            {"distribution": "uniform", "min": 0.02, "max": 0.1, "q": 0.02},
        ),
        (
            "learning_rate",
            {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-2},
            {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-2},
        ),
        (
            "units",
            {"distribution": "q_log_uniform_values", "min": 16, "max": 512, "q": 16},
            {"distribution": "log_uniform_values", "min": 16, "max": 512, "q": 16},
        ),
        (
            "units",
            {"distribution": "q_uniform", "min": 16, "max": 512},
            {"distribution": "uniform", "min": 16, "max": 512, "q": 1},
        ),
    ],
)
def test_the_keys_of_wandb_mean_what_they_do_there(name: str, written: Any, distribution: Any) -> None:
    found = sweep(**with_parameter(written, name)).parameters[name]
    assert found == Distribution(**distribution)
    assert [type(value) for value in found.values] == [
        type(value) for value in distribution.get("values", ())
    ]


def test_the_bounds_of_log_uniform_are_exponents_which_a_note_says() -> None:
    written = {"distribution": "log_uniform", "min": -8, "max": -4}
    found = sweep(**with_parameter(written, "learning_rate")).parameters["learning_rate"]
    assert found.log
    assert (found.min, found.max) == (pytest.approx(3.35463e-4, 1e-4), pytest.approx(0.0183156, 1e-4))
    [note] = notes(**with_parameter(written, "learning_rate"))
    assert note == "learning_rate: the bounds of log_uniform are exponents of e: 0.000335463 to 0.0183156"


@pytest.mark.parametrize(
    ("kind", "made"), [("uniform", "int_uniform"), ("log_uniform_values", "log_uniform_values")]
)
def test_a_range_of_numbers_gives_integers_to_a_parameter_that_takes_these(kind: str, made: str) -> None:
    written = {"distribution": kind, "min": 15.5, "max": 512}
    found = sweep(**with_parameter(written)).parameters["units"]
    assert (found.distribution, found.min, found.max) == (made, 16, 512)
    assert found.whole or found.q == 1
    assert notes(**with_parameter(written)) == (f"units: takes integers, so values of {kind} are rounded",)


RANGE = "the distribution `uniform`"
WORKING = (
    "one of constant, categorical, int_uniform, uniform, q_uniform, log_uniform_values, "
    "q_log_uniform_values, log_uniform"
)


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        ({"distribution": "normal", "mu": 1, "sigma": 2}, f".distribution: expected {WORKING}, got 'normal'"),
        ({"values": [64, 0]}, ".values[1]: expected an integer ≥ 1, got 0"),
        ({"values": [64, 64.0]}, ".values[1]: expected values that differ, got 64"),
        ({"values": [True]}, ".values[0]: expected an integer, got true"),
        ({"values": [None]}, ".values[0]: expected an integer, got null"),
        ({"values": []}, ".values: expected a list of values, got []"),
        ({"values": 5}, ".values: expected a list of values, got 5"),
        ({"values": list(range(1, 1002))}, ".values: expected at most 1,000 values, got 1001"),
        ({"value": 1.5}, ".value: expected an integer, got 1.5"),
        ({"value": 10**5000}, ".value: expected an integer ≤ 4,096, got an integer of more than 4,000 digits"),
        ([64, 128], ": expected an integer, got [64, 128]"),
        ({"min": 1}, ".max: expected a number, got none"),
        ({"min": 5, "max": 5}, ": expected min < max, got 5 and 5"),
        ({"min": 0, "max": 5}, ".min: expected an integer ≥ 1, got 0"),
        ({"min": 1, "max": 10**6}, ".max: expected an integer ≤ 4,096, got 1000000"),
        ({"min": "x", "max": 5}, ".min: expected a number, got 'x'"),
        ({"min": 1, "max": 10**400}, ".max: expected a number, got 1000"),
        ({"min": -1, "max": 5, "distribution": "log_uniform_values"}, ".min: expected a number > 0, since"),
        ({"min": -999, "max": 5, "distribution": "log_uniform"}, ".min: expected an exponent of e, got -999"),
        ({"min": 1, "max": 5, "q": 0, "distribution": "q_uniform"}, ".q: expected a number > 0, got 0"),
        ({"min": 1, "max": 5, "q": 0.5, "distribution": "q_uniform"}, ".q: expected an integer, since"),
        ({"min": 3, "max": 5, "q": 7, "distribution": "q_uniform"}, ".q: expected a step with a multiple"),
        ({"min": 1, "max": 5, "mu": 3}, ".mu: expected min and max alone for what is taken for `int_uniform`"),
        ({"value": 1, "values": [2]}, ".values: expected value alone for what is taken for `constant`, got"),
        ({"min": 1, "max": 9, "q": 2, "distribution": "uniform"}, f".q: expected min and max alone for {RANGE}"),
        ({"vaule": 3}, ".vaule: expected one of value, values, distribution, min, max, q, got 'vaule'"),
        ({}, ": expected a value, or a mapping with one of value, values or min and max, got none"),
        (None, ": expected a value, or a mapping with one of value, values or min and max, got none"),
    ],
)  # fmt: skip
def test_what_the_model_would_refuse_later_is_refused_at_once(written: Any, mistake: str) -> None:
    [found] = mistakes(**with_parameter(written))
    assert found.startswith(f"parameters.units{mistake}"), found


GENERATION = {
    "action": "generate",
    "data": None,
    "method": "grid",
    "metric": {"name": "known_words", "goal": "maximize"},
}


def generation_mistakes(**parameters: Any) -> list[str]:
    """Of a sweep that generates, without the one about the model that it does not name."""
    [source, *others] = mistakes(**GENERATION, parameters=parameters)
    assert source.startswith("from: expected a textgen train job (its id, its name or `latest`), got none")
    return others


def test_a_text_has_no_range() -> None:
    [found] = generation_mistakes(prompt={"min": 1, "max": 2})
    assert found == "parameters.prompt: expected value or values, since this is no number, got 'int_uniform'"


def test_values_that_do_not_go_together_are_refused_where_they_are_written() -> None:
    [found] = generation_mistakes(samples={"value": 1_000}, length={"values": [10, 1_000_000]})
    assert found.startswith(
        "parameters.length.values[1]: expected a value with which samples is at most 20,0"
    )


def test_a_list_is_one_value_of_a_parameter_that_takes_several() -> None:
    assert generation_mistakes(temperature={"values": [0.5, [0.2, 1.0]]}) == []
