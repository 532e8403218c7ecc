"""A description is validated whole: every mistake is named, with its place, before anything is queued."""

import io
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from jobs.errors import InvalidSweep
from jobs.sweeps.sweep_spec import Goal, Halving, Median, SweepSpec, Then
from jobs.sweeps.wandb_keys import SWEEP_KEYS
from tests.sweeps.describing import (
    BASE,
    MODEL,
    WITH_ALL_KEYS,
    describer,
    mistakes,
    mistakes_in,
    notes,
    plain_job,
    sweep,
)


def test_data_is_checked_as_the_parameters_beside_it_say(tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number}.png").write_bytes(png_of(number) if number else b"")
    described = {"model": "autoencoder", "method": "grid", "data": str(tmp_path)}
    epochs = {"epochs": {"values": [1, 2]}}
    [found] = mistakes_in({**described, "parameters": epochs})
    assert "got an empty file" in found
    for skip in ("skip", {"value": "skip"}):
        described["parameters"] = {**epochs, "on_bad_row": skip}
        assert isinstance(describer().describe(described).made, SweepSpec)


def png_of(number: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (28, 28), number).save(file, "PNG")
    return file.getvalue()


def test_every_key_comes_into_the_sweep() -> None:
    found = sweep(**WITH_ALL_KEYS)
    assert found.metric == Goal(name="training_nats", goal="minimize")
    assert found.early_terminate == Halving(eta=2, min_iter=2)
    assert found.then == (
        Then(action="evaluate"),
        Then(action="generate", parameters={"temperature": [0.2, 1.0]}),
    )
    assert (found.seeds, found.each, found.fresh, found.seed, found.parallel) == ((3, 1), True, True, 7, 4)
    assert (found.run_cap, found.max_failures, found.time_limit, found.priority) == (8, 5, 60, "low")


def test_a_sweep_is_stored_and_read_again_as_it_was() -> None:
    found = sweep(**WITH_ALL_KEYS)
    assert SweepSpec.parse(found.model_dump(mode="json", by_alias=True)) == found


def test_what_is_left_out_has_its_default() -> None:
    found = sweep(name=None)
    assert found.name.startswith(f"{MODEL}-20")
    assert found.metric == Goal(name="validation_nats", goal="minimize")
    assert (found.action, found.seeds, found.early_terminate, found.then) == ("train", (0,), None, ())
    assert sweep(seeds=3).seeds == (0, 1, 2)


def test_what_wandb_calls_otherwise_is_taken_for_ours_and_a_note_says_so() -> None:
    changes = {"method": "bayes", "early_terminate": {"type": "hyperband", "max_iter": 27, "s": 2}}
    found = sweep(**changes)
    assert (found.method, found.early_terminate) == ("tpe", Halving(eta=3, min_iter=3))
    assert notes(**changes) == (
        "method: bayes is taken for tpe",
        "early_terminate: hyperband is taken for halving",
    )


def test_without_a_method_and_with_one_value_each_it_is_a_plain_job() -> None:
    found = plain_job(
        model=MODEL,
        data="pydoc",
        name="writer",
        priority="high",
        parameters={"epochs": 2, "units": {"value": 64}},
        then=["evaluate", {"action": "generate", "parameters": {"prompt": "a, b"}}],
    )
    assert (found.spec.name, found.spec.data, found.spec.priority) == ("writer", "pydoc", "high")
    assert found.spec.parameters.model_dump(exclude_unset=True) == {"epochs": 2, "units": 64}
    job_id = "20261127-071500-000-k7qd"
    evaluation, generation = found.following(job_id)
    assert [evaluation.action, generation.action] == ["evaluate", "generate"]
    assert evaluation.source == generation.source == job_id
    assert dict(generation.parameters)["prompt"] == "a, b"


def test_jobs_that_follow_a_plain_job_have_its_fields() -> None:
    found = plain_job(
        model=MODEL, priority="low", time_limit=60, seed=3, tags=["a"], fresh=True, then=["evaluate"]
    )
    [evaluation] = found.following("20261127-071500-000-k7qd")
    assert found.fresh
    for spec in (found.spec, evaluation):
        assert (spec.priority, spec.time_limit, spec.seed, spec.tags) == ("low", 60, 3, ("a",))


def test_data_may_be_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("some text\n" * 100)
    assert sweep(data=path).data == str(path)


def test_data_can_vary_like_a_parameter() -> None:
    parameters = {**BASE["parameters"], "data": {"values": ["pydoc", "shakespeare"]}}
    found = sweep(data=None, parameters=parameters)
    assert found.parameters["data"].values == ("pydoc", "shakespeare")
    assert list(found.parameters) == ["epochs", "units", "data"]
    assert mistakes(parameters=parameters) == ["data: expected data here or in parameters, got both"]
    assert mistakes(data=None, parameters={"data": {"values": ["pydoc", "mnist"]}}) == [
        "parameters.data.values[1]: expected shakespeare, pydoc or a .txt file, got 'mnist', which holds images"
    ]


def test_a_seed_alone_may_vary() -> None:
    assert sweep(method="grid", parameters=None, run_cap=None, seeds=4).most_points() == 1


HALVING = {"type": "halving"}
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no model": ({"model": None}, "model: expected one of autoencoder, denoiser, sentiment, textgen, got none"),
    "a misspelled model": ({"model": "textgn"}, "model: expected one of autoencoder, denoiser, sentiment, textgen, got 'textgn'"),
    "a model that is a list": ({"model": ["textgen"]}, "model: expected one of autoencoder, denoiser, sentiment, textgen, got ['textgen']"),
    "a misspelled action": ({"action": "trian"}, "action: expected one of train, evaluate, generate, got 'trian'"),
    "no such data": ({"data": "digits"}, "data: expected shakespeare, pydoc or a .txt file, got 'digits', which holds images"),
    "a list of data": ({"data": ["pydoc"]}, "data: expected shakespeare, pydoc or a .txt file, got ['pydoc']"),
    "from of a training job": ({"from": "latest"}, "from: expected nothing, since textgen train starts from scratch, got 'latest'"),
    "a name that leads out of its folder": ({"name": "../a"}, "name: expected 1 to 64 letters, digits, dots"),
    "no method": ({"method": None}, "method: expected grid, random, sobol, tpe or bayes, got none"),
    "a method of others": ({"method": "bohb"}, "method: expected one of grid, random, sobol, tpe, bayes, got 'bohb'"),
    "no end": ({"run_cap": None}, "run_cap: expected how many trials, since random has no end of its own, got none"),
    "no whole point": ({"seeds": 9}, "run_cap: expected at least 9, since each point has 9 seeds, got 6"),
    "seeds twice": ({"seeds": [1, 1]}, "seeds[1]: expected seeds that differ, got 1"),
    "a seed that is true": ({"seeds": [True]}, "seeds[0]: expected an integer from 0 to 4,294,967,295, got true"),
    "no seeds": ({"seeds": []}, "seeds: expected how many, from 1 to 1,000, or a list of so many seeds, got []"),
    "an unknown metric": ({"metric": {"name": "validation_nat"}}, "metric.name: expected a number that a textgen train job has, such as validation_nats or training_nats, got 'validation_nat'"),
    "a metric without a name": ({"metric": {"goal": "minimize"}}, "metric.name: expected a number that a textgen train job has"),
    "a metric as text": ({"metric": "validation_nats"}, "metric: expected a mapping such as {name: validation_nats, goal: minimize}, got"),
    "a metric with a target": ({"metric": {"name": "validation_nats", "target": 1}}, "metric.target: expected nothing, got 1, and 'target' of W&B has no meaning here"),
    "a metric without a direction": ({"metric": {"name": "best_epoch"}}, "metric.goal: expected minimize or maximize, got none"),
    "a goal of neither": ({"metric": {"name": "validation_nats", "goal": "min"}}, "metric.goal: expected one of minimize, maximize, got 'min'"),
    "program": ({"program": "train.py"}, "program: expected `model:` instead, which names one of ours, got program: 'train.py'"),
    "command": ({"command": ["python"]}, "command: expected nothing, got ['python'], and 'command' of W&B has no meaning here"),
    "entity": ({"entity": "me"}, "entity: expected nothing, got 'me', and 'entity' of W&B has no meaning here"),
    "a misspelled key": ({"sedes": 3}, "sedes: expected one of name, description, model, action"),
    "no mapping of parameters": ({"parameters": ["epochs"]}, "parameters: expected a mapping of each parameter's name to its values, got"),
    "an unknown parameter": ({"parameters": {"epochs": {"value": 2}, "unitz": {"values": [1, 2]}}}, "parameters.unitz: expected one of epochs, learning_rate, batch_size, window, layers, units, got 'unitz'"),
    "a range in a grid": ({"method": "grid", "parameters": {"units": {"min": 1, "max": 9}}}, "parameters.units: expected values, each of which a grid runs, got int_uniform from 1 to 9"),
    "an endless grid": ({"method": "grid", "run_cap": None, "parameters": {name: {"values": list(range(1, 201))} for name in ("units", "batch_size")}}, "parameters: expected a grid of at most 10,000 trials, got 40000"),
    "stopping early by no rule": ({"early_terminate": {"min_iter": 1}}, "early_terminate.type: expected halving, median or hyperband, got none"),
    "stopping after all epochs": ({"early_terminate": {**HALVING, "min_iter": 9}}, "early_terminate.min_iter: expected fewer epochs than the 9 that a trial has, got 9"),
    "two ways to say when": ({"early_terminate": {**HALVING, "min_iter": 1, "max_iter": 9, "s": 1}}, "early_terminate: expected either min_iter, or max_iter with s, got both"),
    "half a way": ({"early_terminate": {**HALVING, "max_iter": 9}}, "early_terminate.s: expected max_iter and s together, or min_iter alone, got none"),
    "too many brackets": ({"early_terminate": {**HALVING, "max_iter": 9, "s": 3}}, "early_terminate.s: expected so few brackets that max_iter / 3^s ≥ 1, got 3"),
    "a key of the other rule": ({"early_terminate": {"type": "median", "eta": 3}}, "early_terminate.eta: expected one of type, min_iter, got 'eta'"),
    "a median without a history": ({"early_terminate": {"type": "median"}, "metric": {"name": "training_nats"}}, "metric: expected validation_nats, which has a value after each epoch, got training_nats"),
    "following by training": ({"then": ["train"]}, "then[0]: expected one of evaluate, generate, got 'train'"),
    "following by nothing": ({"then": []}, "then: expected a list of evaluate and generate, or {each: [evaluate]}, got []"),
    "following each and more": ({"then": {"each": ["evaluate"], "best": ["generate"]}}, "then.best: expected each, got 'best'"),
    "a parameter of what follows": ({"then": [{"action": "generate", "parameters": {"temprature": 1}}]}, "then[0].parameters.temprature: expected one of prompt, length, temperature"),
    "a value of what follows": ({"then": [{"action": "generate", "parameters": {"top_p": 2}}]}, "then[0].parameters.top_p: expected a number ≤ 1, got 2"),
    "values of what follows": ({"then": [{"action": "generate", "parameters": {"top_p": {"values": [1, 0.5]}}}]}, "then[0].parameters.top_p: expected one value, as of any single job, got a categorical distribution"),
    "data of what reads none": ({"then": [{"action": "generate", "data": "pydoc"}]}, "then[0].data: expected nothing, since textgen generate reads none, got 'pydoc'"),
    "tags that are no list": ({"tags": "x"}, "tags: expected a list of at most 20 tags, got 'x'"),
    "a tag of two words": ({"tags": ["a", "b c"]}, "tags[1]: expected 1 to 40 printable characters, no space or comma"),
    "too many tags": ({"tags": [f"a{number}" for number in range(21)]}, "tags: expected at most 20 tags, got 21"),
    "a number for a flag": ({"fresh": 1}, "fresh: expected true or false, got 1"),
    "a flag for how many seeds": ({"seeds": True}, "seeds: expected how many, from 1 to 1,000, or a list of so many seeds, got true"),
    "a flag for a number": ({"parallel": True}, "parallel: expected an integer from 1 to 10,000, got true"),
    "a priority of its own": ({"priority": "urgent"}, "priority: expected one of low, normal, high, got 'urgent'"),
    "a negative limit": ({"time_limit": -1}, "time_limit: expected an integer ≥ 1, got -1"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_in_one_sentence(name: str) -> None:
    changes, sentence = MISTAKES[name]
    [found] = mistakes(**changes)
    assert found.startswith(sentence), found


def test_a_job_that_would_be_refused_is_refused_before_anything_is_queued() -> None:
    [found] = mistakes_in({"model": "sentiment", "data": "toy-reviews", "then": ["generate"]})
    assert found == "then[0].parameters.text: expected either --text or --data, got none"
    [found] = mistakes_in({"model": MODEL, "data": "pydoc", "name": "latest"})
    assert found == "name: expected a name that is neither `latest` nor like a job id, got 'latest'"


def test_all_mistakes_are_named_at_once_each_with_the_nearest_name() -> None:
    changed = {
        "name": "a b",
        "methd": "grid",
        "seeds": 0,
        "parameters": {"epochs": {"value": 0}, "unitz": {"value": 3}, "window": {"values": [5, 1, "x"]}},
        "early_terminate": {"type": "halvin"},
        "then": ["evaluat"],
    }
    with pytest.raises(InvalidSweep) as error:
        describer().describe({**BASE, **changed})
    found = {problem.field: problem.hint for problem in error.value.problems}
    assert found == {
        "name": None,
        "methd": "did you mean 'method'?",
        "seeds": None,
        "parameters.epochs.value": None,
        "parameters.unitz": "did you mean 'units'?",
        "parameters.window.values[1]": None,
        "parameters.window.values[2]": None,
        "early_terminate.type": "did you mean 'halving'?",
        "then[0]": "did you mean 'evaluate'?",
    }
    assert str(error.value).count("\n") == len(found) - 1
    assert "parameters.unitz: expected one of epochs" in str(error.value)


def test_a_goal_that_a_metric_has_not_is_noted() -> None:
    assert notes(metric={"name": "validation_nats", "goal": "maximize"}) == (
        "metric: validation_nats is better when lower, and the goal is to maximize",
    )
    [note] = notes(metric={"name": "perplexity"})
    assert note.startswith("metric: a training job may lack perplexity")


def test_median_stopping_is_read() -> None:
    assert sweep(early_terminate={"type": "median", "min_iter": 3}).early_terminate == Median(min_iter=3)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(
        ["grid", "evaluate", "generate", "value", "each", "halving", "data", "pydoc", "min_iter"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["value", "values", "min", "max", "q", "distribution", "each", "action", "type", "units"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(
    changes=st.dictionaries(
        st.sampled_from([key for key in SWEEP_KEYS if key != "from"]), ANYTHING, max_size=3
    )
)
def test_whatever_is_written_makes_a_sweep_or_a_job_or_is_refused(changes: dict[str, Any]) -> None:
    with suppress(InvalidSweep):
        describer().describe({**BASE, **changes})


WRONG_ALL_OVER: dict[str, Any] = {
    "name": "a/b",
    "method": "gird",
    "metric": {"name": "val_loss", "goal": "best"},
    "seeds": "none",
    "run_cap": 0,
    "parameters": {"optimizer": "adam", "epochs": {"value": -1}, "units": {"values": [64]}},
    "then": ["evaluat"],
    "early_terminate": {"type": "bad"},
    "unknown": 1,
}
PLACES = {
    "name", "method", "metric.name", "metric.goal", "seeds", "run_cap", "parameters.optimizer",
    "parameters.epochs.value", "then[0]", "early_terminate.type", "unknown",
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ({"model": MODEL}, set()),
        ({"model": "textgn"}, {"model"}),
        ({"model": "zzz"}, {"model"}),
        ({"model": None}, {"model"}),
        ({"model": MODEL, "action": "trian"}, {"action"}),
        ({"model": None, "program": "train.py"}, {"program"}),
    ],
    ids=str,
)
def test_every_mistake_is_named_at_once_whatever_else_is_wrong(kind: dict[str, Any], wrong: set[str]) -> None:
    found = {each.split(":")[0] for each in mistakes(**WRONG_ALL_OVER, **kind)}
    assert found == PLACES | wrong


def test_what_one_model_takes_is_no_mistake_while_the_model_is_not_known() -> None:
    assert mistakes(model="zzz") == [
        "model: expected one of autoencoder, denoiser, sentiment, textgen, got 'zzz'"
    ]
    assert mistakes(model=None, parameters={"optimizer": "adam"}, metric={"name": "val_loss"})[1:] == [
        "parameters.optimizer: expected a parameter of one of the models, got 'optimizer'",
        "metric.name: expected a number that one of the models reports, got 'val_loss'",
    ]


def test_a_job_that_reads_no_data_is_told_so_in_the_words_of_a_file() -> None:
    metric = {"name": "written_characters", "goal": "maximize"}
    [problem] = [
        each
        for each in mistakes(action="generate", data="pydoc", metric=metric, parameters=None)
        if each.startswith("data")
    ]
    assert problem == "data: expected nothing, since textgen generate reads none, got 'pydoc'"
