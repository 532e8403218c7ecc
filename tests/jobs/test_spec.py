"""A job is checked whole before anything is sent."""

import time
from pathlib import Path
from typing import Any

import pytest

from jobs.errors import InvalidJob
from jobs.models import all_parameters, model_names, parameters_of
from jobs.parameters import ACTIONS, Checked, number
from jobs.showing.command_line import command_line
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec

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
def test_every_parameter_has_help_and_a_default(model: str, action: str) -> None:
    for name, field in parameters_of(model, action).model_fields.items():
        assert field.description, name
        assert not field.is_required(), name


def test_the_command_does_the_job_again() -> None:
    spec = make(
        "textgen",
        "generate",
        seed=3,
        name="two words",
        parameters={"prompt": "-- O $HOME", "temperature": [0, 1]},
    )
    assert command_line(StoredSpec.of(spec)) == (
        "quartet submit textgen generate '--prompt=-- O $HOME' --temperature 0.0 --temperature 1.0 "
        f"--from {ID} --name 'two words' --seed 3"
    )


@pytest.mark.parametrize(
    ("texts", "given"),
    [
        (["x" * 60_000, "x" * 6_000], "65 kB"),
        (["é" * 30_000, "é" * 3_000], "65 kB"),
        (["\x01" * 11_000], "65 kB"),  # as JSON
    ],
)
def test_what_does_not_fit_64_kb_is_data(texts: list[str], given: str) -> None:
    make("textgen", "generate", parameters={"prompt": "\x00" * 10_000})
    with pytest.raises(InvalidJob) as caught:
        make("sentiment", "generate", parameters={"text": texts})
    error = caught.value
    assert (error.field, error.expected, error.given) == ("parameters", "at most 64 kB in all", given)
    assert error.hint == "put larger inputs into a file and give it as --data"


@pytest.mark.parametrize(
    "parameters",
    [
        {"text": ["x" * 60_000] * 1_000},
        {"text": ["é" * 60_000] * 1_000},
        {"text": ["x" * 1_000_000] * 600},
        {"text": ["x"] * 2_000_000},
        {"text": "x" * 100_000_000},
        {"text": ["x"], "threshold": "9" * 50_000_000},
        {"x" * 10_000_000: 1},
    ],
    ids=[
        "many",
        "not ASCII",
        "600 MB",
        "two million",
        "one of 100 MB",
        "a number of 50 MB",
        "a name of 10 MB",
    ],
)
def test_far_too_much_is_refused_within_seconds(parameters: dict[str, Any]) -> None:
    before = time.process_time()
    with pytest.raises(InvalidJob) as caught:
        make("sentiment", "generate", parameters=parameters)
    assert time.process_time() - before < 5
    assert len(str(caught.value)) < 400


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
