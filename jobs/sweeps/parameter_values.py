"""From what is written for a parameter to its distribution: W&B's keys, and what they are taken for.

W&B's own rules, which hold here too (https://docs.wandb.ai/guides/sweeps/sweep-config-keys): `value` is
constant, `values` are categorical, `min` and `max` are `int_uniform` where both are integers, else `uniform`.
"""

from collections.abc import Mapping
from math import ceil, exp, floor, isfinite
from typing import Any

from jobs.sweeps.distributions import MOST_VALUES, Distribution
from jobs.sweeps.problems import Fields, Place, Problem, Problems, is_integer, is_number
from jobs.sweeps.spread import multiples, stepped
from jobs.wording import alternatives, shown

DISTRIBUTIONS = {
    "constant": ("value",),
    "categorical": ("values",),
    "int_uniform": ("min", "max"),
    "uniform": ("min", "max"),
    "q_uniform": ("min", "max", "q"),
    "log_uniform_values": ("min", "max"),
    "q_log_uniform_values": ("min", "max", "q"),
    "log_uniform": ("min", "max"),
}
"""W&B's distributions that work here -> the keys that each of them has."""

KEYS = ("value", "values", "distribution", "min", "max", "q")
FORMS = "a value, or a mapping with one of value, values or min and max"

_MOST_EXPONENT = 700.0
"""Of e, that a number may be."""


def read_distribution(
    written: Any, schema: Mapping[str, Any], place: Place, problems: Problems
) -> Distribution | None:
    """The distribution of one parameter; None where something is wrong with it, which is noted.

    What is returned may hold values that the model does not take.

    Args:
        written: a plain value, or a mapping with W&B's keys.
        schema: the JSON schema of the parameter.
        place: where it is written.
        problems: get what is wrong.
    """
    if written is None:
        problems.lacking(place, FORMS)
        return None
    if not isinstance(written, Mapping):
        return _constant(written)
    before = len(problems)
    fields = Fields(written, problems, place)
    kind = fields.choice("distribution", DISTRIBUTIONS)
    if not fields.has("distribution"):
        kind = _inferred(fields)
    if kind is not None:
        _refuse_other_keys(fields, kind, inferred=not fields.has("distribution"))
    if kind is None or len(problems) > before:
        return None
    if kind == "constant":
        return _constant(fields.take("value"))
    return _listed(fields) if kind == "categorical" else _range(fields, kind, schema)


def _constant(value: Any) -> Distribution:
    return Distribution.model_construct(distribution="constant", values=(_frozen(value),))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _inferred(fields: Fields) -> str | None:
    """The distribution that W&B takes some keys for, where none is named."""
    written = fields.value
    if fields.has("value"):
        return "constant"
    if fields.has("values"):
        return "categorical"
    if fields.has("min") or fields.has("max"):
        whole = is_integer(written.get("min")) and is_integer(written.get("max"))
        return "int_uniform" if whole else "q_uniform" if fields.has("q") else "uniform"
    fields.refuse_rest(KEYS)
    if not fields.rest():
        fields.problems.lacking(fields.place, FORMS)
    return None


def _refuse_other_keys(fields: Fields, kind: str, *, inferred: bool) -> None:
    """Note the keys that this distribution does not have, and those that it lacks."""
    needed = DISTRIBUTIONS[kind]
    for name in needed:
        if fields.take(name) is None and name != "q":
            fields.problems.lacking(fields.at(name), _wanted(name))
    for name in fields.rest():
        hint = "`distribution: q_uniform` rounds to multiples of q" if name == "q" else None
        expected = (
            f"{alternatives(list(needed), last='and')} alone for {'' if inferred else 'the distribution '}"
        )
        expected += f"`{kind}`" if not inferred else f"what is taken for `{kind}`"
        fields.problems.append(Problem(fields.at(name), expected, shown(name), hint, of_key=True))


def _wanted(name: str) -> str:
    return {"value": "a value", "values": "a list of values"}.get(name, "a number")


def _listed(fields: Fields) -> Distribution | None:
    values = fields.take("values")
    if not isinstance(values, list | tuple) or not values:
        fields.problems.add(fields.at("values"), "a list of values", values)
        return None
    if len(values) > MOST_VALUES:
        fields.problems.add(fields.at("values"), f"at most {MOST_VALUES:,} values", len(values))
        return None
    return Distribution.model_construct(distribution="categorical", values=tuple(map(_frozen, values)))


def _range(fields: Fields, kind: str, schema: Mapping[str, Any]) -> Distribution | None:
    """A distribution of numbers between two."""
    problems, place = fields.problems, fields.place
    if schema.get("type") not in ("integer", "number"):
        problems.add(place, "value or values, since this is no number", kind)
        return None
    bounds = {name: _number(fields, name) for name in ("min", "max")}
    q = _number(fields, "q") if fields.take("q") is not None else None
    if None in bounds.values() or (q is None and fields.take("q") is not None):
        return None
    low, high = bounds["min"] or 0.0, bounds["max"] or 0.0
    if q is not None and q <= 0:
        problems.add(fields.at("q"), "a number > 0", fields.take("q"))
        return None
    if kind.startswith("q_") and q is None:
        q = 1.0  # as W&B has it
    if kind == "log_uniform":
        low, high = exp(low), exp(high)
        kind = "log_uniform_values"
        text = f"{low:.6g} to {high:.6g}"
        problems.notes.append(f"{_name(place)}: the bounds of log_uniform are exponents of e: {text}")
    kind = kind.removeprefix("q_")
    if schema.get("type") == "integer":
        kind, low, high, q = _whole(kind, low, high, q, place, problems)
    return _ordered(kind, low, high, q, fields)


def _ordered(kind: str, low: float, high: float, q: float | None, fields: Fields) -> Distribution | None:
    """The distribution, if its numbers are in order."""
    problems, given = fields.problems, f"{fields.take('min')} and {fields.take('max')}"
    if not low < high:
        problems.append(Problem(fields.place, "min < max", given))
    elif kind == "log_uniform_values" and low <= 0:
        problems.add(fields.at("min"), "a number > 0, since the scale is logarithmic", fields.take("min"))
    else:
        found = Distribution(distribution=kind, min=low, max=high, q=None if kind == "int_uniform" else q)  # type: ignore[arg-type]
        if not stepped(found) or low <= multiples(found)[0] * (q or 1) <= high:
            return found
        problems.append(Problem(fields.at("q"), "a step with a multiple from min to max", shown(q)))
    return None


def _whole(
    kind: str, low: float, high: float, q: float | None, place: Place, problems: Problems
) -> tuple[str, float, float, float | None]:
    """The same distribution for a parameter that takes integers."""
    low, high = float(ceil(low)), float(floor(high))
    if q is not None and q != round(q):
        problems.add((*place, "q"), "an integer, since this parameter takes integers", q)
    if kind == "int_uniform" or q is not None:
        return kind, low, high, q
    problems.notes.append(f"{_name(place)}: takes integers, so values of {kind} are rounded")
    return ("int_uniform", low, high, None) if kind == "uniform" else (kind, low, high, 1.0)


def _number(fields: Fields, name: str) -> float | None:
    """A finite number; W&B's exponents are bounded too."""
    value = fields.take(name)
    try:
        found = float(value) if is_number(value) else float("nan")
    except OverflowError:
        found = float("inf")
    exponent = fields.value.get("distribution") == "log_uniform"
    if isfinite(found) and (not exponent or abs(found) < _MOST_EXPONENT):
        return found
    fields.problems.add(fields.at(name), "an exponent of e" if exponent else "a number", value)
    return None


def _name(place: Place) -> str:
    return str(place[-1])
