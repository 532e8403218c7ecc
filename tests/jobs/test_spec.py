"""A job is checked whole before anything is sent, and its JSON is stable."""

import json
from pathlib import Path

import pytest

from jobs.cli.command_line import command_line
from jobs.errors import InvalidJob
from jobs.models import all_parameters, model_names, parameters_of
from jobs.parameters import ACTIONS, Checked, number
from jobs.spec import JobSpec

ROOT = Path(__file__).parents[2]
ID = "20261123-221530-042-k7qd"


def make(model: str, action: str, **fields: object) -> JobSpec:
    source = {} if action == "train" else {"from": ID}
    return JobSpec.make(model, action, **{**source, **fields})


KINDS = [(model, action) for model in model_names() for action in ACTIONS]


def test_every_model_has_every_action() -> None:
    folders = [path.parent.name for path in (ROOT / "worker" / "tasks").glob("*/spec.py")]
    assert set(folders) <= set(model_names())
    assert [(kind.model, kind.action) for kind in all_parameters()] == KINDS


@pytest.mark.parametrize(("model", "action"), KINDS)
def test_the_json_of_a_job_reads_back_as_the_same_job(model: str, action: str) -> None:
    fields = {"parameters": {"text": ["good"]}} if (model, action) == ("sentiment", "generate") else {}
    spec = make(model, action, seed=7, name="Ünïcode <b>", **fields)
    assert JobSpec.from_json(spec.to_json()) == spec
    assert JobSpec.from_json(spec.to_json()).to_json() == spec.to_json()


@pytest.mark.parametrize(("model", "action"), KINDS)
def test_every_parameter_has_help_and_a_default(model: str, action: str) -> None:
    for name, field in parameters_of(model, action).model_fields.items():
        assert field.description, name
        assert not field.is_required(), name


def test_the_json_has_a_fixed_form() -> None:
    assert json.loads(make("autoencoder", "train").to_json()) == {
        "model": "autoencoder",
        "action": "train",
        "parameters": {"epochs": 20, "learning_rate": 0.003, "batch_size": 256},
        "data": None,
        "from": None,
        "seed": 0,
        "time_limit": None,
        "priority": "normal",
        "name": None,
    }


def test_the_command_does_the_job_again() -> None:
    spec = make(
        "textgen",
        "generate",
        seed=3,
        name="two words",
        parameters={"prompt": "-- O $HOME", "temperature": [0, 1]},
    )
    assert command_line(spec) == (
        "quartet submit textgen generate '--prompt=-- O $HOME' --temperature 0.0 --temperature 1.0 "
        f"--from {ID} --name 'two words' --seed 3"
    )


@pytest.mark.parametrize("text", ["", "{", "nul", '{"model": "denoiser", "action": "train"', b"\xff\xfe"])
def test_what_is_not_json_gets_one_sentence(text: str | bytes) -> None:
    with pytest.raises(InvalidJob) as caught:
        JobSpec.from_json(text)
    assert (caught.value.field, caught.value.expected, caught.value.hint) == ("job", "JSON", None)
    assert caught.value.given.startswith(f"{text!r} (")


def test_a_job_that_is_nested_too_deep_is_not_json_that_can_be_read() -> None:
    with pytest.raises(InvalidJob) as caught:
        JobSpec.from_json("[" * 100_000)
    assert caught.value.expected == "JSON"
    assert len(str(caught.value)) < 200


def test_the_parameters_of_another_job_are_refused() -> None:
    with pytest.raises(InvalidJob) as caught:
        JobSpec.make("denoiser", "train", parameters=parameters_of("textgen", "train")())
    assert (caught.value.field, caught.value.expected) == ("parameters", "parameters of denoiser train")


def test_neither_true_nor_false_is_a_number_or_a_text() -> None:
    class Numbers(Checked):
        whole: int = number(1, "a number")
        part: float = number(1.0, "a number")
        text: str = "x"

    for name in Numbers.model_fields:
        for value in (True, False):
            with pytest.raises(ValueError, match="neither true nor false"):
                Numbers.model_validate({name: value})
