"""Turns pydantic's list of problems into one sentence: what is wrong, where, what is allowed."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo


def unknown_choice(what: str, given: object, allowed: Iterable[str]) -> str:
    """`model 'autoencodr' is unknown; did you mean 'autoencoder'? Allowed: …`."""
    choices = list(allowed)
    close = difflib.get_close_matches(str(given).lower(), choices, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{what} {_shown(given)} is unknown; {hint}allowed: {', '.join(choices) or 'nothing'}"


def sentence(
    error: ValidationError,
    value: Any,
    top: type[BaseModel],
    kinds: Mapping[tuple[str, Any], type[BaseModel]],
) -> str:
    """The first problem of `error`, said for a person.

    `kinds` finds the class of the parameters, since a field is described by its own class.
    """
    if not isinstance(value, Mapping):
        return f"job: {_shown(value)} is not a job; allowed: an object with model, action and parameters"
    problem = error.errors(include_url=False)[0]
    where = [str(part) for part in problem["loc"]]
    model: type[BaseModel] = top
    if where[:1] == ["parameters"] and len(where) > 1:
        where = where[1:]
        model = kinds[value["model"], value["action"]]
    name = where[0] if where else "job"
    fields = _by_outside_name(model)
    if problem["type"] == "extra_forbidden":
        kind = f"parameter of {value['model']} {value['action']}" if model is not top else "field of a job"
        return unknown_choice(f"{kind}", name, fields)
    if problem["type"] == "missing":
        return f"{name}: is missing; allowed: {allowed_values(fields[name])}"
    if problem["type"] == "value_error":
        text = str(problem["ctx"]["error"])
        return text if name == "model" else f"{name}: {_shown(problem['input'])}: {text}"
    if name not in fields:
        return f"{name}: {problem['msg'].lower()}"
    return f"{name}: {_shown(problem['input'])} is not allowed; allowed: {allowed_values(fields[name])}"


def allowed_values(field: FieldInfo) -> str:
    """What a field takes: `a whole number from 1 to 65536 (examples)`."""
    limits: dict[str, Any] = {}
    metadata = list(field.metadata)
    choices: list[str] = []
    pending: list[Any] = [field.annotation]
    kind: type | None = None
    several = False
    while pending:
        part = pending.pop(0)
        origin_arguments = get_args(part)
        if getattr(part, "__metadata__", None):
            for entry in part.__metadata__:
                metadata.extend(entry.metadata if isinstance(entry, FieldInfo) else [entry])
            pending.append(part.__origin__)
        elif origin_arguments and all(isinstance(choice, str) for choice in origin_arguments):
            choices.extend(origin_arguments)
        elif origin_arguments:
            several = several or getattr(part, "__origin__", None) is tuple
            pending.extend(origin_arguments)
        elif part in (int, float, str):
            kind = part
        elif isinstance(part, type) and issubclass(part, BaseModel):
            return "an object of parameters"
    for entry in metadata:
        for limit in ("ge", "gt", "le", "lt", "min_length", "max_length"):
            if getattr(entry, limit, None) is not None:
                limits[limit] = getattr(entry, limit)
    if choices:
        return ", ".join(choices)
    extra = field.json_schema_extra
    unit = f" ({extra['unit']})" if isinstance(extra, dict) and "unit" in extra else ""
    words = {int: "a whole number", float: "a number", str: "text"}.get(kind or str, "text")
    return ("one or more of: " if several else "") + words + _range(limits, kind) + unit


def _range(limits: Mapping[str, Any], kind: type | None) -> str:
    if kind is str or kind is None:
        low, high = limits.get("min_length", 0), limits.get("max_length")
        return f" of {low} to {high} characters" if high is not None else ""
    low = f" from {limits['ge']}" if "ge" in limits else f" above {limits['gt']}" if "gt" in limits else ""
    if "le" in limits:
        return f"{low} {'to' if 'ge' in limits else 'up to'} {limits['le']}"
    return f"{low} {'and' if low else ''} below {limits['lt']}" if "lt" in limits else low


def _by_outside_name(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]
