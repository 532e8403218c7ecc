"""A field's JSON schema in words, for errors and for the command line's help."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field

from jobs.models import all_parameters
from jobs.parameters import Parameters, number
from jobs.specs.validation_messages import in_words, schema_of


class Fields(BaseModel):
    """One of each kind of field."""

    whole: int = number(1, "x", "epochs", ge=1, le=1_000_000)
    open_whole: int = number(1, "x", ge=1)
    part: float = number(0.5, "x", gt=0, lt=1)
    upper: float = number(0.5, "x", le=0.25)
    free: float = 0.0
    maybe: float | None = number(None, "x", "std", ge=0, le=5)
    text: str = Field("x", min_length=1, max_length=10_000)
    any_text: str = ""
    choice: Literal["low", "high"] = "low"
    several: tuple[float, ...] = number((1.0,), "x", "odds")
    aliased: int = Field(1, alias="from")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("whole", "an integer from 1 to 1,000,000 (epochs)"),
        ("open_whole", "an integer ≥ 1"),
        ("part", "a number > 0 and < 1"),
        ("upper", "a number ≤ 0.25"),
        ("free", "a number"),
        ("maybe", "a number from 0 to 5 (std)"),
        ("text", "text of 1 to 10,000 characters"),
        ("any_text", "text"),
        ("choice", "low, high"),
        ("several", "one or more of: a number (odds)"),
        ("from", "an integer"),
    ],
)
def test_a_field_says_what_it_accepts(name: str, words: str) -> None:
    assert in_words(schema_of(Fields)[name]) == words


@pytest.mark.parametrize("kind", list(all_parameters()), ids=lambda kind: f"{kind.model} {kind.action}")
def test_every_parameter_can_be_put_into_words(kind: type[Parameters]) -> None:
    for name, schema in schema_of(kind).items():
        assert in_words(schema) not in ("", "a value", "an object"), name
