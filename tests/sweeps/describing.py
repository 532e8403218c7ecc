"""What the tests of descriptions share."""

from pathlib import Path
from typing import Any

import pytest

from jobs.errors import InvalidSweep
from jobs.sweeps.describer import Describer
from jobs.sweeps.plain_jobs import PlainJob
from jobs.sweeps.sweep_spec import SweepSpec

MODEL = "textgen"
BASE: dict[str, Any] = {
    "name": "a",
    "model": MODEL,
    "data": "pydoc",
    "method": "random",
    "run_cap": 6,
    "parameters": {"epochs": {"value": 9}, "units": {"values": [64, 128]}},
}
"""A sweep without mistakes."""

WITH_ALL_KEYS: dict[str, Any] = {
    "name": "all-keys",
    "description": "a sweep",
    "method": "tpe",
    "metric": {"name": "training_nats", "goal": "minimize"},
    "seeds": [3, 1],
    "run_cap": 8,
    "early_terminate": {"type": "halving", "eta": 2, "min_iter": 2},
    "parallel": 4,
    "then": {"each": ["evaluate", {"action": "generate", "parameters": {"temperature": [0.2, 1]}}]},
    "max_failures": 5,
    "seed": 7,
    "fresh": True,
    "time_limit": 60,
    "priority": "low",
}
"""Changes that set every other key but `from`, `action` and `tags`."""

EXAMPLES = sorted((Path(__file__).parents[2] / "examples" / "sweeps").glob("*.yaml"))


def describer() -> Describer:
    return Describer(redis_is_optional=True)


def sweep(**changes: Any) -> SweepSpec:
    """The sweep of the base with some keys changed; None leaves a key out."""
    made = describer().describe(changed(**changes)).made
    assert isinstance(made, SweepSpec)
    return made


def plain_job(**keys: Any) -> PlainJob:
    made = describer().describe(keys).made
    assert isinstance(made, PlainJob)
    return made


def notes(**changes: Any) -> tuple[str, ...]:
    return describer().describe(changed(**changes)).notes


def changed(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**BASE, **changes}.items() if value is not None}


def mistakes(**changes: Any) -> list[str]:
    """The sentences about the base with some keys changed."""
    return mistakes_in(changed(**changes))


def mistakes_in(description: Any) -> list[str]:
    with pytest.raises(InvalidSweep) as error:
        describer().describe(description)
    assert error.value.exit_code == 2
    assert error.value.problems
    return [str(problem) for problem in error.value.problems]


def with_parameter(written: Any, name: str = "units") -> dict[str, Any]:
    """The `parameters` of the base with one that is written so."""
    return {"parameters": {**BASE["parameters"], name: written}}
