"""Turns pydantic's validation errors into ours, and a field's JSON schema into words."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

from jobs.errors import InvalidJob
from jobs.models import parameters_of
from jobs.parameters import Parameters
from jobs.specs.synonyms import closest
from jobs.specs.who_takes import who_takes
from jobs.wording import counted, shown

_SIGNS = {"greater_than_equal": "≥", "greater_than": ">", "less_than_equal": "≤", "less_than": "<"}
_LIMITS = {"greater_than_equal": "ge", "greater_than": "gt", "less_than_equal": "le", "less_than": "lt"}
_NOUNS = {"integer": "an integer", "number": "a number", "string": "text", "object": "an object"}


def first_problem(error: ValidationError, value: Any, top: type[BaseModel]) -> InvalidJob:
    """The error for the first problem that pydantic found in a job.

    Args:
        error: what pydantic raised.
        value: what was validated: a mapping with `model`, `action` and `parameters`, or anything else.
        top: the class of the whole job; its parameters have a class of their own.
    """
    if not isinstance(value, Mapping):
        return InvalidJob("job", expected="an object with model, action and parameters", given=shown(value))
    problem = error.errors(include_url=False)[0]
    where = [str(part) for part in problem["loc"]]
    kind: type[BaseModel] = top
    if where[:1] == ["parameters"] and len(where) > 1:
        where, kind = where[1:], parameters_of(value["model"], value["action"])
    name = where[0] if where else "job"
    if problem["type"] == "extra_forbidden":
        field = "field of a job" if kind is top else f"parameter of {value['model']} {value['action']}"
        unknown = InvalidJob.unknown(field, name, schema_of(kind))
        if kind is not top:
            unknown.hint = _hint_for(name, kind, top) or unknown.hint
        return unknown
    if problem["type"] == "missing":
        return InvalidJob(name, expected=in_words(schema_of(kind)[name]), given="none")
    schema = schema_of(kind).get(name, {})
    if problem["type"] == "literal_error" and "enum" in schema:
        return InvalidJob.unknown(name, problem["input"], schema["enum"])
    return InvalidJob(name, expected=expected_value(problem, schema), given=shown(problem["input"]))


def _hint_for(name: str, kind: type[BaseModel], top: type[BaseModel]) -> str | None:
    """What somebody may have meant by an unknown parameter: a field of the job, or another job's."""
    if name.strip("_") in ("from", "source"):
        return "from Python, `source=` names the training job whose model is used"
    other = who_takes(name, kind) if issubclass(kind, Parameters) else None
    if other:
        return f"`{other}` has {name!r}"
    if name == "parameters":
        return "from Python, each parameter is an argument of its own: `epochs=5`"
    if name in schema_of(top):
        return f"{name!r} is a field of the job, beside its parameters"
    close = closest(name, [*schema_of(kind), *schema_of(top)])
    return f"did you mean {close!r}?" if close else None


@lru_cache(maxsize=64)
def schema_of(kind: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """The JSON schema of each field, by its alias; of a field that may be null, the other type's schema."""
    fields: dict[str, dict[str, Any]] = kind.model_json_schema(by_alias=True)["properties"]
    return {name: _without_null(field) for name, field in fields.items()}


def in_words(schema: Mapping[str, Any]) -> str:
    """The values that a field accepts: `an integer from 1 to 65,536 (examples)`, `low, normal, high`."""
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    unit = f" ({schema['unit']})" if "unit" in schema else ""
    if schema.get("type") == "array":
        return f"one or more of: {in_words(schema['items'])}{unit}"
    return _NOUNS.get(schema.get("type", "object"), "a value") + _range(schema) + unit


def _range(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "string":
        longest = schema.get("maxLength")
        return f" of {schema.get('minLength', 0):,} to {longest:,} characters" if longest is not None else ""
    if "minimum" in schema and "maximum" in schema:
        return f" from {_plain(schema['minimum'])} to {_plain(schema['maximum'])}"
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {_plain(schema[name])}" for name, sign in signs.items() if name in schema]
    return f" {' and '.join(bounds)}" if bounds else ""


def _plain(limit: float) -> str:
    """A limit with thousands separators: `1`, `65,536`, `0.2`."""
    return f"{limit:,.0f}" if limit == round(limit) else f"{limit:g}"


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in field.get("anyOf", ()) if choice.get("type") != "null"]
    return field | choices[0] if len(choices) == 1 else field


def expected_value(problem: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What pydantic expected of a value, to be read after `expected`.

    Args:
        problem: one of pydantic's `errors()`.
        schema: the field's JSON schema.
    """
    kind, context = str(problem["type"]), problem.get("ctx", {})
    noun = in_words({"type": (schema.get("items") or schema).get("type", "object")})
    if kind == "value_error":
        return str(context["error"])
    if "enum" in schema:
        return f"one of {in_words(schema)}"
    if kind in _SIGNS:
        return f"{noun} {_SIGNS[kind]} {_plain(context[_LIMITS[kind]])}"
    if kind == "finite_number":
        return "a finite number"
    if kind == "string_unicode":
        return f"{noun} in UTF-8"
    if kind == "string_too_long":
        return f"at most {counted(context['max_length'], 'character')}"
    if kind == "string_too_short":
        return f"at least {counted(context['min_length'], 'character')}"
    if kind == "too_long":
        return f"at most {counted(context['max_length'], 'value')}"
    if kind == "too_short":
        return f"at least {counted(context['min_length'], 'value')}"
    return f"{noun}, in seconds" if schema.get("unit") == "seconds" else noun
