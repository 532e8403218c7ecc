"""What the options of `quartet sweep MODEL ACTION` mean."""

from pathlib import Path
from typing import Any

import pytest

from jobs.errors import InvalidSweep
from jobs.models import parameters_of
from jobs.sweeps.one_line import description_of
from jobs.sweeps.sweep_spec import Goal, Halving, SweepSpec
from tests.sweeps.describing import describer

MODEL = "textgen"


def described(
    parameters: dict[str, tuple[str, ...]], action: str = "train", model: str = MODEL, **fields: Any
) -> SweepSpec:
    found = describer().describe_options(model, action, parameters, fields).made
    assert isinstance(found, SweepSpec)
    return found


def written(action: str, fields: dict[str, Any] | None = None, **parameters: tuple[str, ...]) -> Any:
    return description_of(parameters_of(MODEL, action), parameters, fields or {})["parameters"]


def test_commas_separate_the_values_of_a_grid() -> None:
    found = described(
        {"learning_rate": ("1e-3,2e-3, 4e-3",), "units": ("64..66,128",), "epochs": ("2",)},
        seed=("0..2", "7"),
        data=("pydoc",),
        then=("evaluate",),
    )
    assert {name: each.values for name, each in found.parameters.items()} == {
        "learning_rate": (1e-3, 2e-3, 4e-3),
        "units": (64, 65, 66, 128),
        "epochs": (2,),
    }
    assert (found.method, found.seeds, found.data, found.run_cap) == ("grid", (0, 1, 2, 7), "pydoc", None)
    assert found.varied == ["learning_rate", "units"]
    assert [then.action for then in found.then] == ["evaluate"]


def test_a_range_is_chosen_from_by_the_other_methods() -> None:
    parameters = {"learning_rate": ("log:1e-4..1e-2",), "units": ("64..256",), "layers": ("log:1..8",)}
    found = described(parameters, method="tpe", run_cap="9", data=("pydoc",)).parameters
    assert [(each.distribution, each.min, each.max, each.q) for each in found.values()] == [
        ("log_uniform_values", 1e-4, 1e-2, None),
        ("int_uniform", 64, 256, None),
        ("log_uniform_values", 1, 8, 1),
    ]
    assert described({"learning_rate": ("0.1..1",)}, method="random", run_cap="9").parameters[
        "learning_rate"
    ].distribution == ("uniform")


def test_a_text_is_never_split_and_may_be_given_several_times() -> None:
    assert written("generate", prompt=("Hi, you..there",)) == {"prompt": {"value": "Hi, you..there"}}
    assert written("generate", prompt=("a,b", "c")) == {"prompt": {"values": ["a,b", "c"]}}


def test_choices_are_split() -> None:
    assert written("generate", on_unknown=("error,drop",)) == {"on_unknown": {"values": ["error", "drop"]}}


def test_a_parameter_of_several_values_has_them_at_once_if_given_several_times() -> None:
    assert written("generate", temperature=("0.5,1",)) == {"temperature": {"values": ["0.5", "1"]}}
    assert written("generate", temperature=("0.5", "1")) == {"temperature": {"value": ["0.5", "1"]}}


def test_data_is_split_unless_it_is_a_path_with_a_comma(tmp_path: Path) -> None:
    path = tmp_path / "a,b.txt"
    path.write_text("some text\n" * 100)
    found = described({"units": ("32,64",)}, data=(str(path),))
    assert found.data == str(path)
    found = described({}, data=("pydoc,shakespeare",))
    assert found.parameters["data"].values == ("pydoc", "shakespeare")


def test_the_other_options_are_the_keys_of_a_file() -> None:
    found = described(
        {"units": ("32,64",), "epochs": ("8",)},
        name="mine",
        metric="training_nats",
        goal="minimize",
        early_terminate="halving",
        min_iter="2",
        eta="2",
        parallel="3",
        max_failures="4",
        time_limit="60",
        priority="low",
        fresh=True,
    )
    assert (found.name, found.metric) == ("mine", Goal(name="training_nats", goal="minimize"))
    assert found.early_terminate == Halving(min_iter=2, eta=2)
    assert (found.parallel, found.max_failures, found.time_limit) == (3, 4, 60)
    assert (found.priority, found.fresh) == ("low", True)


MISTAKES: dict[str, tuple[dict[str, tuple[str, ...]], dict[str, Any], str]] = {
    "nothing varies": ({"units": ("64",)}, {}, "options: expected several values of one, got none"),
    "a range in a grid": ({"learning_rate": ("1e-4..1e-2",)}, {}, "learning_rate: expected values, each of which a grid runs"),
    "a range among values": ({"learning_rate": ("1e-3,log:1e-4..1e-2",)}, {}, "learning_rate: expected a number, got 'log:1e-4..1e-2'"),
    "too many integers": ({"units": ("1..4000",)}, {}, "units: expected a range of at most 1,000 integers, got '1..4000'"),
    "integers in the wrong order": ({"units": ("4..1",)}, {}, "units: expected a range from the lower integer to the higher one, got '4..1'"),
    "too many seeds": ({}, {"seed": ("0..20000",)}, "seed: expected a range of at most 1,000 integers, got '0..20000'"),
    "seeds in the wrong order": ({}, {"seed": ("1,2..0",)}, "seed: expected a range from the lower integer to the higher one, got '2..0'"),
    "an empty piece": ({"units": ("64,,128",)}, {}, "units: expected an integer, got ''"),
    "the same twice": ({"units": ("64,64",)}, {}, "units: expected values that differ, got 64"),
    "a seed": ({}, {"seed": ("0,x",)}, "seed: expected an integer from 0 to 4,294,967,295, got 'x'"),
    "a count": ({"units": ("1,2",)}, {"parallel": "many"}, "parallel: expected an integer from 1 to 10,000, got 'many'"),
    "a metric": ({"units": ("1,2",)}, {"metric": "loss"}, "metric: expected a number that a textgen train job has"),
    "a goal": ({"units": ("1,2",)}, {"metric": "best_epoch"}, "goal: expected minimize or maximize, got none"),
    "a rule": ({"units": ("1,2",)}, {"early_terminate": "stop"}, "early_terminate: expected one of halving, median, hyperband, got 'stop'"),
    "no rule": ({"units": ("1,2",)}, {"min_iter": "2"}, "early_terminate: expected halving, median or hyperband, got none"),
    "what follows": ({"units": ("1,2",)}, {"then": ("train",)}, "then: expected one of evaluate, generate, got 'train'"),
    "data": ({}, {"data": ("pydoc,imdb",)}, "data: expected shakespeare, pydoc or a .txt file, got 'imdb', which holds reviews"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_by_its_option(name: str) -> None:
    parameters, fields, sentence = MISTAKES[name]
    with pytest.raises(InvalidSweep) as error:
        described(parameters, **fields)
    assert str(error.value.problems[0]).startswith(sentence)
    assert len(error.value.problems) == 1


def test_values_that_are_refused_need_not_differ() -> None:
    with pytest.raises(InvalidSweep) as error:
        described({"units": ("64,,",)})
    assert [str(each) for each in error.value.problems] == ["units: expected an integer, got ''"] * 2


def test_a_goal_alone_is_that_of_the_headline() -> None:
    found = described({"units": ("32,64",)}, goal="minimize")
    assert found.metric == Goal(name="validation_nats", goal="minimize")


@pytest.mark.parametrize(
    ("parameters", "fields", "hint"),
    [
        ({"units": ("1,2",), "epochs": ("1",)}, {"early_terminate": "halving"}, "`--epochs N` sets how many"),
        ({"learning_rate": ("1e-4..1e-3",)}, {}, "the methods random, sobol and tpe take ranges"),
        ({"units": ("1..200",), "batch_size": ("1..200",)}, {}, "`--run-cap` runs the first so many, and `--method random` draws"),
        ({"units": ("1,2",)}, {"early_terminate": "median", "metric": "best_epoch", "goal": "maximize"}, "median stopping compares running trials; `--early-terminate halving` does"),
    ],
)  # fmt: skip
def test_a_hint_names_options_and_not_the_keys_of_a_file(
    parameters: dict[str, tuple[str, ...]], fields: dict[str, Any], hint: str
) -> None:
    with pytest.raises(InvalidSweep) as error:
        described(parameters, **fields)
    assert str(error.value.problems[0].hint).startswith(hint)
