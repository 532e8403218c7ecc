"""The JSON Schema of a sweep's file, by which editors complete and check it: `quartet schema sweep`.

It is made from the models' specs. It does not say all: what depends on several keys, on data or on jobs is
checked when the file is read.
"""

from collections.abc import Mapping
from typing import Any

from jobs.data_check import dataset_names, expected_data
from jobs.errors import InvalidModel
from jobs.models import CLASSES, model_names, parameters_of
from jobs.parameters import ACTIONS, Parameters
from jobs.spec import JobSpec
from jobs.specs.validation_messages import in_words, schema_of
from jobs.sweeps.distributions import MOST_VALUES
from jobs.sweeps.early_stops import TYPES
from jobs.sweeps.following import ACTIONS as FOLLOWING
from jobs.sweeps.following import MOST_FOLLOWING
from jobs.sweeps.parameter_values import DISTRIBUTIONS
from jobs.sweeps.sweep_spec import MOST_TRIALS
from jobs.sweeps.wandb_keys import METHODS, ONLY_OF_SWEEPS
from jobs.tags import LONGEST_TAG, MOST_TAGS

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SEED = {"type": "integer", "minimum": 0, "maximum": 2**32 - 1}
_UP_TO_TRIALS = {"type": "integer", "minimum": 1, "maximum": MOST_TRIALS}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
_NAME = "by which it is found; it names a folder: letters, digits, dots, dashes and underscores"


def file_schema() -> Schema:
    """The schema of a document of a file: one description or a list of them."""
    kinds = _kinds()
    definitions: Schema = {"description": _description([model for model, _ in kinds])}
    conditions = []
    for (model, action), kind in kinds.items():
        key = f"{model}-{action}"
        definitions[key] = _parameters(kind)
        conditions.append(_when(model, action, kind, key))
    definitions["description"]["allOf"] = [*conditions, *_following(kinds), _RUN_CAP]
    return {
        "$schema": _DIALECT,
        "title": "Quartet sweeps",
        "description": "One sweep or job, or a list of them.",
        "oneOf": [
            {"$ref": "#/$defs/description"},
            {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/description"}},
        ],
        "$defs": definitions,
    }


_RUN_CAP: Schema = {
    "if": {
        "properties": {"method": {"enum": [name for name in METHODS if name != "grid"]}},
        "required": ["method"],
    },
    "then": {"required": ["run_cap"]},
}


def _kinds() -> dict[tuple[str, str], type[Parameters]]:
    """The parameters of each model and action, without models that break their contract."""
    found: dict[tuple[str, str], type[Parameters]] = {}
    for model in model_names():
        try:
            found |= {(model, action): parameters_of(model, action) for action in CLASSES}
        except InvalidModel:
            continue
    return found


def _description(models: list[str]) -> Schema:
    properties = {name: {**schema, "description": text} for name, (text, schema) in _keys(models).items()}
    return {
        "type": "object",
        "required": ["model"],
        "additionalProperties": False,
        "properties": properties,
        "dependentRequired": {name: ["method"] for name in ONLY_OF_SWEEPS if name != "method"},
    }


def _keys(models: list[str]) -> dict[str, tuple[str, Schema]]:
    """Each key of a description: what it is, and its values."""
    text = {"type": "string", "minLength": 1}
    tag = {"type": "string", "minLength": 1, "maxLength": LONGEST_TAG}
    priority = {"enum": schema_of(JobSpec)["priority"]["enum"]}
    actions = {"type": "array", "minItems": 1, "maxItems": MOST_FOLLOWING}
    each = {
        "type": "object",
        "required": ["each"],
        "additionalProperties": False,
        "properties": {"each": actions},
    }
    seeds = {"type": "array", "minItems": 1, "maxItems": 1_000, "uniqueItems": True, "items": _SEED}
    return {
        "name": (_NAME, {**text, "maxLength": 80}),
        "description": ("for readers", text),
        "model": ("which network", {"enum": list(dict.fromkeys(models))}),
        "action": ("what each trial does; default train", {"enum": list(ACTIONS)}),
        "data": ("a dataset's name, stored data's, or a path; of all trials", {**text, "maxLength": 4_096}),
        "from": ("the training job whose model is used: its id, its name or `latest`", text),
        "method": ("how points are chosen; a plain job has none", {"enum": list(METHODS)}),
        "metric": ("the number that judges trials; default the model's headline", _METRIC),
        "parameters": ("each parameter's value, or the values that it may have", {"type": "object"}),
        "seeds": ("how many seeds each point has, or a list of them", {"anyOf": [_UP_TO_SEEDS, seeds]}),
        "run_cap": ("the most trials", _UP_TO_TRIALS),
        "early_terminate": ("how bad trials are stopped early", _EARLY),
        "parallel": (_PARALLEL, _UP_TO_TRIALS),
        "then": ("what follows for the best trial, or with `each` for every one", {"anyOf": [actions, each]}),
        "max_failures": ("so many failed trials end the sweep", _UP_TO_TRIALS),
        "seed": ("from which the search draws; the random seed of a plain job", _SEED),
        "time_limit": ("seconds that an attempt may take", {"type": "integer", "minimum": 1}),
        "priority": ("of all jobs", priority),
        "tags": ("of all jobs", {"type": "array", "maxItems": MOST_TAGS, "items": tag}),
        "fresh": ("run trials whose equals have succeeded, too", {"type": "boolean"}),
    }  # fmt: skip


_PARALLEL = (
    "the most trials that are queued or running at once; "
    "default twice the number of workers plus 2; with tpe the number of workers plus 1"
)
_UP_TO_SEEDS = {"type": "integer", "minimum": 1, "maximum": 1_000}
_METRIC: Schema = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {"name": {"type": "string"}, "goal": {"enum": ["minimize", "maximize"]}},
}
_EARLY: Schema = {
    "type": "object",
    "required": ["type"],
    "additionalProperties": False,
    "properties": {
        "type": {"enum": list(TYPES), "description": "W&B's `hyperband` is taken for halving"},
        "eta": {
            "type": "integer",
            "minimum": 2,
            "maximum": 100,
            "description": "halving: one in so many goes on",
        },
        "min_iter": {**_COUNT, "description": "epochs before a trial may be stopped"},
        "max_iter": {**_COUNT, "description": "with s: min_iter is max_iter / eta^s"},
        "s": {"type": "integer", "minimum": 1, "maximum": 20},
    },
    "dependentRequired": {"max_iter": ["s"], "s": ["max_iter"]},
}


def _parameters(kind: type[Parameters]) -> Schema:
    """The schema of the parameters of one kind of job."""
    properties = {name: _parameter(schema) for name, schema in schema_of(kind).items()}
    if kind.takes_data():
        properties["data"] = _parameter({"type": "string", "description": f"varies the {kind.data_kind}"})
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _parameter(field: Mapping[str, Any]) -> Schema:
    """A plain value, or W&B's mapping of values or of a range."""
    value = _value(field)
    forms: list[Schema] = [{"required": ["value"]}, {"required": ["values"]}]
    properties: Schema = {
        "value": value,
        "values": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_VALUES,
            "uniqueItems": True,
            "items": value,
        },
        "distribution": {"enum": ["constant", "categorical"]},
    }
    if field.get("type") in ("integer", "number"):
        forms.append({"required": ["min", "max"]})
        number = {"type": "number"}
        properties |= {"min": number, "max": number, "q": {"type": "number", "exclusiveMinimum": 0}}
        properties["distribution"] = {"enum": list(DISTRIBUTIONS)}
    mapping = {"type": "object", "additionalProperties": False, "properties": properties, "oneOf": forms}
    words = f"{field.get('description', '')} [{in_words(field)}]"
    return {"description": words, "anyOf": [value, mapping]}


def _value(field: Mapping[str, Any]) -> Schema:
    """The schema of one value; a parameter of several values takes a single one, too."""
    kept = (
        "type",
        "enum",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minLength",
        "maxLength",
    )
    if field.get("type") == "array":
        items = _value(field["items"])
        sizes = {name: field[name] for name in ("minItems", "maxItems") if name in field}
        return {"anyOf": [items, {"type": "array", "items": items, **sizes}]}
    return {name: field[name] for name in kept if name in field}


def _when(model: str, action: str, kind: type[Parameters], key: str) -> Schema:
    """What a model and an action mean for the other keys."""
    needed = ["model"] if action == "train" else ["model", "action"]
    then: Schema = {"properties": {"parameters": {"$ref": f"#/$defs/{key}"}}}
    if kind.takes_data():
        names = ", ".join(dataset_names(kind))
        data = {"description": f"what is read [{expected_data(kind)}]", "examples": names.split(", ")}
        then["properties"]["data"] = data
    else:
        then["properties"]["data"] = False
    if kind.source == "needed":
        then["required"] = ["from"]
    else:
        then["properties"]["from"] = False
    if action != "train":
        then["properties"] |= {"then": False, "early_terminate": False}
    condition = {"properties": {"model": {"const": model}, "action": {"const": action}}, "required": needed}
    return {"if": condition, "then": then}


def _following(kinds: Mapping[tuple[str, str], type[Parameters]]) -> list[Schema]:
    """For each model, what may follow its training jobs."""
    found = []
    for model in dict.fromkeys(model for model, _ in kinds):
        mappings = [_follower(kinds[model, action], f"{model}-{action}") for action in FOLLOWING]
        items = {"anyOf": [{"enum": list(FOLLOWING)}, *mappings]}
        actions = {"type": "array", "items": items}
        then = {"anyOf": [actions, {"type": "object", "properties": {"each": actions}}]}
        condition = {"properties": {"model": {"const": model}}, "required": ["model"]}
        found.append({"if": condition, "then": {"properties": {"then": then}}})
    return found


def _follower(kind: type[Parameters], key: str) -> Schema:
    properties: Schema = {"action": {"const": kind.action}, "parameters": {"$ref": f"#/$defs/{key}"}}
    if kind.takes_data():
        properties["data"] = {"type": "string", "minLength": 1}
    return {"type": "object", "required": ["action"], "additionalProperties": False, "properties": properties}
