"""A job is checked whole before anything is sent, and its JSON is stable."""

import json

import pytest

from jobs.command import command_line
from jobs.errors import InvalidJob
from jobs.spec import ACTIONS, MODELS, PARAMETERS, JobSpec

ID = "20261123-221530-042-k7qd"


def make(model: str, action: str, **fields: object) -> JobSpec:
    source = {} if action == "train" else {"from": ID}
    return JobSpec.make(model, action, **{**source, **fields})


KINDS = [(model, action) for model in MODELS for action in ACTIONS]


def test_every_model_has_every_action() -> None:
    assert MODELS == ("autoencoder", "denoiser", "textgen", "sentiment")
    assert sorted(PARAMETERS) == sorted(KINDS)


@pytest.mark.parametrize(("model", "action"), KINDS)
def test_the_json_of_a_job_reads_back_as_the_same_job(model: str, action: str) -> None:
    fields = {"parameters": {"text": ["good"]}} if (model, action) == ("sentiment", "generate") else {}
    spec = make(model, action, seed=7, name="Ünïcode <b>", **fields)
    assert JobSpec.from_json(spec.to_json()) == spec
    assert JobSpec.from_json(spec.to_json()).to_json() == spec.to_json()


@pytest.mark.parametrize(("model", "action"), KINDS)
def test_every_parameter_has_help_and_a_default(model: str, action: str) -> None:
    for name, field in PARAMETERS[model, action].model_fields.items():
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


TRAIN = {"model": "denoiser", "action": "train"}
WRONG = [
    (None, "job: None is not a job; allowed: an object with model, action and parameters"),
    ([], "job: [] is not a job; allowed: an object with model, action and parameters"),
    ("train", "job: 'train' is not a job; allowed: an object with model, action and parameters"),
    ({}, "model: is missing; allowed: text"),
    ({"model": "denoiser"}, "action: is missing; allowed: train, evaluate, generate"),
    (
        {"model": "denoisr", "action": "train"},
        "model 'denoisr' is unknown; did you mean 'denoiser'? allowed: autoencoder, denoiser, textgen, sentiment",
    ),
    ({"model": 3, "action": "train"}, "model: 3 is not allowed; allowed: text"),
    ({"model": ["denoiser"], "action": "train"}, "model: ['denoiser'] is not allowed; allowed: text"),
    (
        {"model": "denoiser", "action": "delete"},
        "action: 'delete' is not allowed; allowed: train, evaluate, generate",
    ),
    ({**TRAIN, "action": None}, "action: None is not allowed; allowed: train, evaluate, generate"),
    (
        {**TRAIN, "colour": "red"},
        "field of a job 'colour' is unknown; allowed: model, action, parameters, data, from, seed, time_limit, priority, name",
    ),
    ({**TRAIN, "parameters": [1]}, "parameters: [1] is not allowed; allowed: an object of parameters"),
    ({**TRAIN, "parameters": None}, "parameters: None is not allowed; allowed: an object of parameters"),
    ({**TRAIN, "parameters": "x"}, "parameters: 'x' is not allowed; allowed: an object of parameters"),
    (
        {**TRAIN, "parameters": {"epoch": 1}},
        "parameter of denoiser train 'epoch' is unknown; did you mean 'epochs'? "
        "allowed: epochs, learning_rate, batch_size, noise",
    ),
    (
        {**TRAIN, "parameters": {"epochs": 0}},
        "epochs: 0 is not allowed; allowed: a whole number from 1 to 1000000 (epochs)",
    ),
    (
        {**TRAIN, "parameters": {"epochs": -5}},
        "epochs: -5 is not allowed; allowed: a whole number from 1 to 1000000 (epochs)",
    ),
    (
        {**TRAIN, "parameters": {"epochs": 1.5}},
        "epochs: 1.5 is not allowed; allowed: a whole number from 1 to 1000000 (epochs)",
    ),
    (
        {**TRAIN, "parameters": {"epochs": 10**30}},
        "epochs: 1000000000000000000000000000000 is not allowed; allowed: a whole number",
    ),
    (
        {**TRAIN, "parameters": {"epochs": "many"}},
        "epochs: 'many' is not allowed; allowed: a whole number from 1 to 1000000 (epochs)",
    ),
    (
        {**TRAIN, "parameters": {"epochs": None}},
        "epochs: None is not allowed; allowed: a whole number from 1 to 1000000 (epochs)",
    ),
    ({**TRAIN, "parameters": {"epochs": True}}, "epochs: True: true and false are not allowed here"),
    (
        {**TRAIN, "parameters": {"batch_size": 0}},
        "batch_size: 0 is not allowed; allowed: a whole number from 1 to 65536 (examples)",
    ),
    (
        {**TRAIN, "parameters": {"learning_rate": 0}},
        "learning_rate: 0 is not allowed; allowed: a number above 0 up to 1",
    ),
    (
        {**TRAIN, "parameters": {"learning_rate": 2}},
        "learning_rate: 2 is not allowed; allowed: a number above 0 up to 1",
    ),
    ({**TRAIN, "parameters": {"learning_rate": float("nan")}}, "learning_rate: nan is not allowed"),
    ({**TRAIN, "parameters": {"learning_rate": float("inf")}}, "learning_rate: inf is not allowed"),
    (
        {**TRAIN, "parameters": {"noise": -0.1}},
        "noise: -0.1 is not allowed; allowed: a number from 0 to 5 (std)",
    ),
    (
        {**TRAIN, "parameters": {"noise": "0.5x"}},
        "noise: '0.5x' is not allowed; allowed: a number from 0 to 5 (std)",
    ),
    ({**TRAIN, "seed": -1}, "seed: -1 is not allowed; allowed: a whole number from 0 to 4294967295"),
    (
        {**TRAIN, "seed": 2**32},
        "seed: 4294967296 is not allowed; allowed: a whole number from 0 to 4294967295",
    ),
    ({**TRAIN, "seed": "x"}, "seed: 'x' is not allowed; allowed: a whole number from 0 to 4294967295"),
    ({**TRAIN, "seed": True}, "seed: True"),
    ({**TRAIN, "name": ""}, "name: '' is not allowed; allowed: text of 1 to 80 characters"),
    ({**TRAIN, "name": "n" * 81}, "name: 'nnnnn"),
    ({**TRAIN, "name": "a\nb"}, "name: 'a\\nb': a name has printable characters and no space around it"),
    ({**TRAIN, "name": "\x1b[31mred"}, "name: '\\x1b[31mred': a name has printable characters"),
    ({**TRAIN, "name": " x"}, "name: ' x': a name has printable characters and no space around it"),
    ({**TRAIN, "name": "latest"}, "name: 'latest': a name may not be `latest` or look like a job id"),
    ({**TRAIN, "name": ID}, f"name: '{ID}': a name may not be `latest` or look like a job id"),
    ({**TRAIN, "data": 3}, "data: 3 is not allowed; allowed: text of 1 to 4096 characters"),
    ({**TRAIN, "data": ""}, "data: '' is not allowed; allowed: text of 1 to 4096 characters"),
    ({**TRAIN, "from": ID}, "from: denoiser train starts from nothing; allowed: no --from here"),
    (
        {"model": "denoiser", "action": "evaluate"},
        "from: denoiser evaluate needs the training whose model it uses; allowed: a training of denoiser",
    ),
    (
        {"model": "denoiser", "action": "evaluate", "from": "../../etc"},
        "from: '../../etc': this is not a job id; one looks like 20261123-221530-042-k7qd",
    ),
    (
        {"model": "denoiser", "action": "evaluate", "from": ID, "parameters": {"baseline": "/etc"}},
        "baseline: '/etc': this is not a job id",
    ),
    (
        {"model": "autoencoder", "action": "generate", "from": ID, "parameters": {"first_digit": 10}},
        "first_digit: 10 is not allowed; allowed: a whole number from 0 to 9",
    ),
    (
        {"model": "textgen", "action": "generate", "from": ID, "parameters": {"temperature": []}},
        "temperature: [] is not allowed; allowed: one or more of: a number from 0 to 10",
    ),
    (
        {"model": "textgen", "action": "generate", "from": ID, "parameters": {"temperature": [1, -1]}},
        "temperature: -1 is not allowed; allowed: one or more of: a number from 0 to 10",
    ),
    (
        {"model": "textgen", "action": "generate", "from": ID, "parameters": {"prompt": ""}},
        "prompt: '' is not allowed; allowed: text of 1 to 10000 characters",
    ),
    (
        {"model": "textgen", "action": "generate", "from": ID, "parameters": {"on_unknown": "ignore"}},
        "on_unknown: 'ignore' is not allowed; allowed: error, drop",
    ),
    (
        {"model": "sentiment", "action": "evaluate", "from": ID, "parameters": {"target_recall": 1}},
        "target_recall: 1 is not allowed; allowed: a number above 0 and below 1",
    ),
]


@pytest.mark.parametrize(("value", "sentence"), WRONG)
def test_a_wrong_job_gets_one_sentence(value: object, sentence: str) -> None:
    with pytest.raises(InvalidJob) as caught:
        JobSpec.parse(value)
    said = str(caught.value)
    assert said.startswith(sentence)
    assert "\n" not in said
    assert len(said) < 400


@pytest.mark.parametrize("text", ["", "{", "nul", '{"model": "denoiser", "action": "train"', b"\xff\xfe"])
def test_what_is_not_json_gets_one_sentence(text: str | bytes) -> None:
    with pytest.raises(InvalidJob, match="job: not JSON"):
        JobSpec.from_json(text)
