"""The JSON Schema accepts what is accepted, refuses what is refused, and has every key of every model."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from jobs.models import all_parameters
from jobs.specs.validation_messages import schema_of
from jobs.sweeps.file_schema import file_schema
from jobs.sweeps.wandb_keys import SWEEP_KEYS
from jobs.sweeps.yaml_tree import read_yaml
from tests.sweeps.describing import BASE, EXAMPLES, WITH_ALL_KEYS, mistakes_in

SCHEMA = file_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def test_it_is_a_schema_with_every_key_and_every_parameter() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    properties = SCHEMA["$defs"]["description"]["properties"]
    assert list(properties) == list(SWEEP_KEYS)
    assert all(each["description"] for each in properties.values())
    for kind in all_parameters():
        parameters = SCHEMA["$defs"][f"{kind.model}-{kind.action}"]["properties"]
        assert {*parameters} == {*schema_of(kind), *(["data"] if kind.takes_data() else [])}
        for name, field in schema_of(kind).items():
            assert parameters[name]["description"].startswith(field["description"])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_accepts_the_examples(path: Path) -> None:
    for node in read_yaml(path.read_bytes()):
        assert [error.message for error in VALIDATOR.iter_errors(node.plain())] == []


def test_it_accepts_all_keys_and_a_list() -> None:
    assert VALIDATOR.is_valid([{**BASE, **WITH_ALL_KEYS, "tags": ["a"]}, BASE])
    generation = {"model": "sentiment", "action": "generate", "from": "latest", "data": "reviews.csv"}
    assert VALIDATOR.is_valid({**generation, "parameters": {"threshold": 0.5}})


WRONG: list[dict[str, Any]] = [
    {"model": None},
    {"model": "textgn"},
    {"action": "trian"},
    {"methd": "grid"},
    {"method": "bohb"},
    {"run_cap": None},
    {"program": "train.py"},
    {"from": "latest"},
    {"metric": {"goal": "minimize"}},
    {"seeds": []},
    {"fresh": 1},
    {"parameters": {"unitz": {"values": [1, 2]}}},
    {"parameters": {"units": {"values": [64, "many"]}}},
    {"parameters": {"units": {"values": [64, 0]}}},
    {"parameters": {"units": {"min": 1}}},
    {"parameters": {"units": {"distribution": "normal", "min": 1, "max": 2}}},
    {"parameters": {"noise": {"values": [0.1, 0.5]}}},
    {"early_terminate": {"type": "halving", "max_iter": 9}},
    {"then": ["train"]},
    {"then": [{"action": "generate", "parameters": {"temprature": 1}}]},
    {"then": [{"action": "generate", "parameters": {"top_p": 2}}]},
    {"then": {"best": ["generate"]}},
]


@pytest.mark.parametrize("changes", WRONG, ids=str)
def test_it_refuses_what_the_reader_refuses(changes: dict[str, Any]) -> None:
    description = {name: value for name, value in {**BASE, **changes}.items() if value is not None}
    assert mistakes_in(description)
    assert not VALIDATOR.is_valid(description)
