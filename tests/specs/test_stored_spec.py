"""A stored job outlives the code that wrote it: it is read without its model, and migrated when it is run."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import models
from jobs.errors import InvalidInput, InvalidJob, InvalidModel
from jobs.models import all_parameters, model_names, parameters_of
from jobs.parameters import ACTIONS, Parameters, Training, number
from jobs.showing.command_line import command_line
from jobs.spec import JobSpec
from jobs.specs.stored_spec import DEEPEST, SCHEMA, StoredSpec

ID = "20261123-221530-042-k7qd"
OTHER = "20261124-221530-042-k7qd"
KINDS = [(model, action) for model in model_names() for action in ACTIONS]
SENT = {"text": ["good", "bad"]}


def make(model: str, action: str, /, **fields: Any) -> JobSpec:
    parameters = SENT if (model, action) == ("sentiment", "generate") else {}
    source = {} if action == "train" else {"from": ID}
    return JobSpec.make(model, action, **{"parameters": parameters, **source, **fields})


def first_edition(spec: JobSpec) -> dict[str, Any]:
    """A job as Quartet 0.1 stored it: every parameter, no schema."""
    return spec.model_dump(mode="json", by_alias=True)


@st.composite
def specs(draw: st.DrawFn) -> JobSpec:
    """A job of any model, with some of its parameters set to their defaults or to other valid values."""
    model, action = draw(st.sampled_from(KINDS))
    set_values: dict[str, Any] = dict(SENT) if (model, action) == ("sentiment", "generate") else {}
    for name, field in parameters_of(model, action).model_fields.items():
        if draw(st.booleans()) and name not in set_values:
            set_values[name] = list(field.default) if isinstance(field.default, tuple) else field.default
    if draw(st.booleans()) and "epochs" in parameters_of(model, action).model_fields:
        set_values["epochs"] = draw(st.integers(1, 1_000_000))
    fields = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "seed": st.integers(0, 2**32 - 1),
                "time_limit": st.none() | st.integers(1, 10**9),
                "priority": st.sampled_from(["low", "normal", "high"]),
                "name": st.none() | st.sampled_from(["mine", "Ünïcode <b>", "$(touch x)", "🎻"]),
            },
        )
    )
    try:
        return make(model, action, parameters=set_values, **fields)
    except InvalidInput:
        return make(model, action, **fields)


@settings(max_examples=200, deadline=None)
@given(specs())
def test_a_job_that_is_stored_reads_back_as_the_same_job(spec: JobSpec) -> None:
    stored = StoredSpec.of(spec)
    again = StoredSpec.from_json(stored.to_json())
    assert again == stored
    assert again.parse() == spec
    assert StoredSpec.of(again.parse()) == stored
    assert set(stored.parameters) == spec.parameters.model_fields_set
    assert (again.kind, again.name, again.seed) == (f"{spec.model} {spec.action}", spec.name, spec.seed)
    assert (again.priority, again.time_limit, again.source) == (spec.priority, spec.time_limit, spec.source)


@settings(max_examples=100, deadline=None)
@given(specs())
def test_a_job_of_the_first_edition_loses_its_defaults_and_nothing_else(spec: JobSpec) -> None:
    read = StoredSpec.from_json(json.dumps(first_edition(spec)))
    assert read.schema == 1
    parsed = read.parse()
    assert parsed == spec
    changed = {
        name for name, field in parameters_fields(spec).items() if getattr(spec.parameters, name) != field
    }
    assert set(StoredSpec.of(parsed).parameters) == changed


def parameters_fields(spec: JobSpec) -> dict[str, Any]:
    return {name: field.default for name, field in type(spec.parameters).model_fields.items()}


def test_only_what_was_set_is_stored() -> None:
    assert json.loads(StoredSpec.of(make("autoencoder", "train")).to_json()) == {
        "schema": SCHEMA,
        "model": "autoencoder",
        "action": "train",
        "parameters": {},
    }
    set_to_default = make("autoencoder", "train", parameters={"epochs": 20}, seed=0)
    assert StoredSpec.of(set_to_default).parameters == {"epochs": 20}


class Renamed(Training):
    """The autoencoder of a next version: `learning_rate` is `step_size`, and two parameters are gone."""

    step_size: float = number(0.5, "a new default", gt=0, le=1)

    @classmethod
    def migrated(cls, values: dict[str, Any], schema: int) -> dict[str, Any]:
        assert schema in (1, 2)
        if "learning_rate" in values:
            values["step_size"] = values.pop("learning_rate")
        for gone in ("batch_size", "on_bad_row"):
            values.pop(gone, None)
        return values


Renamed.model = "autoencoder"


PLAIN = make("autoencoder", "train")
OTHERS = make("autoencoder", "train", parameters={"learning_rate": 0.25, "epochs": 3})
BEFORE = {
    "unset, 0.1": json.dumps(first_edition(PLAIN)),
    "unset": StoredSpec.of(PLAIN).to_json(),
    "set, 0.1": json.dumps(first_edition(OTHERS)),
    "set": StoredSpec.of(OTHERS).to_json(),
}
"""Jobs as they were stored before the upgrade."""


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same installation after an upgrade that renamed a parameter."""

    def found(model: str, action: str) -> type[Parameters]:
        return Renamed if (model, action) == ("autoencoder", "train") else parameters_of(model, action)

    for module in ("jobs.spec", "jobs.specs.stored_spec", "jobs.specs.validation_messages"):
        monkeypatch.setattr(f"{module}.parameters_of", found)


@pytest.mark.usefixtures("next_version")
@pytest.mark.parametrize(
    ("name", "step_size"), [("unset, 0.1", 0.003), ("unset", 0.5), ("set, 0.1", 0.25), ("set", 0.25)]
)
def test_the_next_version_reads_jobs_that_set_a_renamed_parameter_and_jobs_that_did_not(
    name: str, step_size: float
) -> None:
    parsed = StoredSpec.from_json(BEFORE[name]).parse()
    assert isinstance(parsed.parameters, Renamed)
    assert parsed.parameters.step_size == step_size
    assert StoredSpec.of(parsed).parse() == parsed


def test_a_folder_is_read_with_the_values_that_it_ran_with(request: pytest.FixtureRequest) -> None:
    spec = make("autoencoder", "train", parameters={"epochs": 3})
    record = {"spec": {"schema": SCHEMA, **first_edition(spec)}, "set": ["epochs"]}
    old = {"spec": first_edition(spec)}
    request.getfixturevalue("next_version")
    for job in (record, old):
        ran = StoredSpec.as_it_ran(job).parameters
        assert isinstance(ran, Renamed)
        assert (ran.step_size, ran.epochs) == (0.003, 3), "the default of its day"
    assert StoredSpec.of_folder(record).parameters == {"epochs": 3}
    assert StoredSpec.of_folder(record).parse().parameters.model_dump() == {
        "epochs": 3,
        "learning_rate": 4e-3,
        "step_size": 0.5,
    }
    assert command_line(StoredSpec.of_folder(record)) == "quartet submit autoencoder train --epochs 3"


def test_a_removed_parameter_that_nobody_set_is_missed_by_nobody() -> None:
    job = {"spec": {"schema": SCHEMA, **first_edition(make("autoencoder", "train"))}, "set": []}
    job["spec"]["parameters"]["gone"] = 3
    assert StoredSpec.as_it_ran(job) == make("autoencoder", "train")
    with pytest.raises(InvalidJob, match="parameter of autoencoder train"):
        StoredSpec.as_it_ran({**job, "set": ["gone"]})


def test_a_wing_whose_migration_is_broken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def migrated(*_: Any) -> dict[str, Any]:
        raise KeyError("learning_rate")

    monkeypatch.setattr(parameters_of("denoiser", "train"), "migrated", migrated)
    with pytest.raises(InvalidModel) as caught:
        StoredSpec.of(make("denoiser", "train")).parse()
    assert caught.value.field == "model denoiser, spec.py"


UNKNOWN = [
    ({"model": "vae", "action": "train"}, "model"),
    ({"model": "../x", "action": "train"}, "model"),
    ({"model": "autoencoder", "action": "distil"}, "action"),
    (
        {"model": "autoencoder", "action": "train", "parameters": {"gone": 3}},
        "parameter of autoencoder train",
    ),
    ({"model": "autoencoder", "action": "train", "parameters": {"epochs": "many"}}, "epochs"),
    ({"model": "autoencoder", "action": "train", "tenant": "x"}, "field of a job"),
    ({"model": "autoencoder", "action": "train", "priority": "urgent"}, "priority"),
    ({"schema": SCHEMA + 1, "model": "autoencoder", "action": "train"}, "schema"),
]


@pytest.mark.parametrize(("value", "field"), UNKNOWN)
def test_a_job_that_this_version_does_not_understand_is_shown_and_not_run(
    value: dict[str, Any], field: str
) -> None:
    value = {"schema": SCHEMA, **value}
    stored = StoredSpec.from_json(json.dumps(value))
    assert stored.kind == f"{value['model']} {value['action']}"
    assert stored.complete()["parameters"] == value.get("parameters", {})
    assert command_line(stored).startswith("quartet submit ")
    assert json.loads(stored.to_json()) == {"parameters": {}, **value}
    with pytest.raises(InvalidJob) as caught:
        stored.parse()
    assert caught.value.field == field


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


BASE = {"model": "autoencoder", "action": "train"}
HOSTILE: list[Any] = [
    None, 3, "x", [], nested(100_000), {}, {"model": "autoencoder"}, {**BASE, "model": 3}, {**BASE, "action": None},
    {**BASE, "model": nested(5_000)}, {**BASE, "parameters": [1]}, {**BASE, "parameters": "x"},
    {**BASE, "parameters": {"epochs": nested(DEEPEST + 1)}}, {**BASE, "parameters": {"epochs": float("inf")}},
    {**BASE, "parameters": {"x": [float("nan")]}}, {**BASE, "name": 3}, {**BASE, "name": ["x"]},
    {**BASE, "data": {"x": 1}}, {**BASE, "from": 7}, {**BASE, "priority": 3}, {**BASE, "seed": "x"},
    {**BASE, "seed": True}, {**BASE, "seed": 0.5}, {**BASE, "time_limit": "soon"}, {**BASE, "time_limit": False},
    {**BASE, "schema": 0}, {**BASE, "schema": True}, {**BASE, "schema": "2"}, {**BASE, "schema": None},
    {**BASE, "schema": 1.0},
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_job_is_refused_in_one_sentence(value: Any) -> None:
    with pytest.raises(InvalidJob) as caught:
        StoredSpec.read(value)
    assert len(str(caught.value)) < 400
    with pytest.raises(InvalidJob):
        StoredSpec.of_folder({"spec": value})


@pytest.mark.parametrize(
    "text",
    ["", "{", "nul", b"\xff\xfe", "[" * 100_000, '{"model": "denoiser", "action": "train", "seed": NaN}',
     '{"model": "denoiser", "action": "train", "parameters": {"epochs": 1e999}}',
     '{"model": "denoiser", "action": "train", "seed": ' + "9" * 5_000 + "}"],
)  # fmt: skip
def test_what_is_not_json_gets_one_sentence(text: str | bytes) -> None:
    with pytest.raises(InvalidJob) as caught:
        StoredSpec.from_json(text)
    assert len(str(caught.value)) < 400


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
FIELDS = [
    "model",
    "action",
    "parameters",
    "data",
    "from",
    "seed",
    "time_limit",
    "priority",
    "name",
    "schema",
    "x",
]


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), json_values) | json_values, json_values)
def test_whatever_is_stored_is_refused_in_a_sentence_or_can_be_shown(value: Any, were_set: Any) -> None:
    job = {"spec": {**BASE, **value} if isinstance(value, dict) else value, "set": were_set}
    stored = outcome(lambda: StoredSpec.of_folder(job))
    if isinstance(stored, InvalidInput):
        return
    json.dumps(stored.complete(), allow_nan=False).encode()
    command_line(stored)
    assert StoredSpec.from_json(stored.to_json().encode()) == stored
    assert isinstance(stored.seed, int)
    outcome(stored.parse)
    outcome(lambda: StoredSpec.as_it_ran(job))


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or its error, which is one short sentence."""
    try:
        return call()
    except (InvalidJob, InvalidModel) as error:
        assert len(str(error)) < 1_000  # noqa: PT017 - both outcomes are right
        return error


def test_half_a_character_survives_the_way_to_redis_and_back() -> None:
    stored = StoredSpec.read({**BASE, "name": "\ud800"})
    assert StoredSpec.from_json(stored.to_json().encode("utf-8")).name == "\ud800"


def test_a_job_may_read_other_training_jobs_instead() -> None:
    spec = make("denoiser", "evaluate", parameters={"baseline": ID}, name="n")
    moved = StoredSpec.of(spec).with_trainings({"from": OTHER}).parse()
    assert (moved.source, moved.parameters.model_dump()["baseline"], moved.name) == (OTHER, ID, "n")
    moved = StoredSpec.of(spec).with_trainings({"baseline": OTHER}).parse()
    assert (moved.source, moved.parameters.model_dump()["baseline"]) == (ID, OTHER)


def test_a_large_job_of_the_first_edition_is_done_as_it_was_promised() -> None:
    value = first_edition(make("sentiment", "generate")) | {"parameters": {"text": ["x" * 33_000] * 4}}
    spec = StoredSpec.read(value).parse()
    with pytest.raises(InvalidJob, match="parameters: expected at most 64 kB in all, got 129 kB"):
        spec.check_size()
    with pytest.raises(InvalidJob, match="parameters: expected at most 64 kB in all"):
        StoredSpec.read({**value, "schema": SCHEMA}).parse()


def test_every_class_of_parameters_migrates_nothing_by_default() -> None:
    assert models.packages()
    for kind in all_parameters():
        assert kind.migrated({"x": 1}, 1) == {"x": 1}
