"""From the options of a command line to a description: `--learning-rate 1e-3,2e-3 --seed 0..2`.

Numbers and choices are split at commas, and `a..b` is a range. A text, such as a prompt, is never split: it
is given several times to try several. A parameter that takes several values at once (`--temperature`) tries
those between commas one by one; given several times, it has them all at once, as in `quartet submit`.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.models import datasets
from jobs.parameters import Parameters
from jobs.specs.validation_messages import schema_of
from jobs.sweeps.distributions import MOST_VALUES
from jobs.sweeps.goals import headline_of
from jobs.sweeps.problems import Place

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"(log:)?({_NUMBER})\.\.({_NUMBER})")
_WHOLE = re.compile(r"[+-]?\d{1,18}")

_AS_OPTIONS = (
    (r"`parameters: \{(\w+): [^`]*`", r"`--\1 N`"),
    (r"`(\w+): \{values: [^`]*`", r"`--\1 A,B`"),
    (r"`type: (\w+)`", r"`--early-terminate \1`"),
    (r"`(\w+): (\w+)`", r"`--\1 \2`"),
    (r"`(\w+):`", r"`--\1`"),
)
"""How hints write keys of a file -> the option."""

_INTEGERS = ("run_cap", "parallel", "max_failures", "time_limit")


def description_of(
    kind: type[Parameters], parameters: Mapping[str, Sequence[str]], fields: Mapping[str, Any]
) -> dict[str, Any]:
    """The description that some options make, with the keys of a file.

    Args:
        kind: the parameters of the job.
        parameters: each parameter -> the texts that were given for it, one for each time.
        fields: of the sweep: those that a file has, as texts; `data`, `seed` and `then` as lists of texts;
            `metric` and `goal`, and `early_terminate`, `min_iter` and `eta`, as an option has them.
    """
    method = fields.get("method")
    written = {name: _parameter(schema_of(kind)[name], texts, method) for name, texts in parameters.items()}
    found = {name: value for name, value in fields.items() if name in ("name", "from", "priority", "fresh")}
    found |= {name: _integer(fields[name]) for name in _INTEGERS if name in fields}
    found |= {name: list(fields[name]) for name in ("then", "tags") if fields.get(name)}
    data = _data(fields.get("data", ()))
    if len(data) > 1:
        written["data"] = {"values": data}
    elif data:
        found["data"] = data[0]
    if fields.get("seed"):
        found["seeds"] = [seed for text in fields["seed"] for seed in _seeds(text)]
    goal = {"name": fields.get("metric"), "goal": fields.get("goal")}
    if goal["goal"] is not None and goal["name"] is None:
        headline = headline_of(kind.model, kind.action)
        goal["name"] = headline and headline.name
    rule = {"type": fields.get("early_terminate")}
    rule |= {name: _integer(fields.get(name)) for name in ("min_iter", "eta")}
    found |= {name: each for name, each in (("metric", _set(goal)), ("early_terminate", _set(rule))) if each}
    return {
        "model": kind.model,
        "action": kind.action,
        "method": "grid" if method is None else method,
        **found,
        "parameters": written,
    }


def varies(description: Mapping[str, Any]) -> bool:
    """Whether a description from options has more than one trial."""
    many = any(
        isinstance(each, Mapping) and "value" not in each for each in description["parameters"].values()
    )
    return many or len(description.get("seeds", ())) > 1


def option_of(place: Place) -> str:
    """The name that messages have for what an option gave, by its place in the description."""
    renamed = {"seeds": "seed", "tags": "tag"}
    parts = [part for part in place if isinstance(part, str)] or ["sweep"]
    if parts[0] in ("parameters", "early_terminate") and len(parts) > 1 and parts[1] != "type":
        return parts[1]
    if parts == ["metric", "goal"]:
        return "goal"
    return renamed.get(parts[0], parts[0])


def expected_range(description: Any, place: Place) -> str | None:
    """What a range of integers has to be that was not understood; None where no such range is at a place.

    Args:
        description: that `description_of` made.
        place: of what is wrong in it.
    """
    found = description
    for part in place:
        try:
            found = found[part]
        except (LookupError, TypeError):
            return None
    match = _RANGE.fullmatch(found) if isinstance(found, str) else None
    if match is None or match[1] or not (_WHOLE.fullmatch(match[2]) and _WHOLE.fullmatch(match[3])):
        return None
    if int(match[2]) > int(match[3]):
        return "a range from the lower integer to the higher one"
    return f"a range of at most {MOST_VALUES:,} integers"


def in_options(hint: str) -> str:
    """A hint for a file with its keys as options: `run_cap:` becomes `--run-cap`."""
    for pattern, option in _AS_OPTIONS:
        for match in re.finditer(pattern, hint):
            hint = hint.replace(match[0], match.expand(option).replace("_", "-"))
    return hint


def _parameter(schema: Mapping[str, Any], texts: Sequence[str], method: str | None) -> Any:
    """What a file would have for a parameter."""
    several = schema.get("type") == "array"
    item = schema["items"] if several else schema
    if several and len(texts) > 1:
        return {"value": list(texts)}
    if item.get("type") == "string" and "enum" not in item:
        return {"value": texts[0]} if len(texts) == 1 else {"values": list(texts)}
    pieces = [piece.strip() for text in texts for piece in text.split(",")]
    if len(pieces) == 1:
        return _one(pieces[0], item, method)
    values = [value for piece in pieces for value in _values(piece, item)]
    return {"values": values}


def _one(piece: str, schema: Mapping[str, Any], method: str | None) -> dict[str, Any]:
    """A value, or a range that is tried whole or from which a method chooses."""
    match = _RANGE.fullmatch(piece)
    if match is None or schema.get("type") not in ("integer", "number"):
        return {"value": piece}
    whole = schema["type"] == "integer"
    low, high = (_integer(end) if whole else float(end) for end in match.groups()[1:])
    if match[1]:
        return {
            "distribution": "q_log_uniform_values" if whole else "log_uniform_values",
            "min": low,
            "max": high,
        }
    if whole and method in (None, "grid"):
        return {"values": _values(piece, schema)}
    return {"distribution": "int_uniform" if whole else "uniform", "min": low, "max": high}


def _values(piece: str, schema: Mapping[str, Any]) -> list[Any]:
    """The values of a piece between commas: `0..2` is 0, 1 and 2 for integers."""
    match = _RANGE.fullmatch(piece)
    if match is None or match[1] or schema.get("type") != "integer":
        return [piece]
    return _integers(match[2], match[3]) or [piece]


def _integers(low: str, high: str) -> list[int]:
    """All integers from one to another; none where that is not so, or there are too many."""
    if not (_WHOLE.fullmatch(low) and _WHOLE.fullmatch(high)):
        return []
    found = range(int(low), int(high) + 1)
    return list(found) if len(found) <= MOST_VALUES else []


def _seeds(text: str) -> list[Any]:
    """The seeds of `0,1`, `0..2` or both; what is no integer is left as it is, to be refused."""
    found: list[Any] = []
    for piece in text.split(","):
        match = _RANGE.fullmatch(piece.strip())
        found += (_integers(match[2], match[3]) if match and not match[1] else []) or [
            _integer(piece.strip())
        ]
    return found


def _data(texts: Sequence[str]) -> list[str]:
    """Datasets and paths: split at commas, unless there is something of the whole name."""
    found = []
    for text in texts:
        whole = text in datasets() or not text.replace(",", "").strip() or _exists(text)
        found += [text] if whole else [piece.strip() for piece in text.split(",") if piece.strip()]
    return found


def _exists(text: str) -> bool:
    try:
        return Path(text).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _integer(text: Any) -> Any:
    """An integer for a text that is one; anything else as it is."""
    return int(text) if isinstance(text, str) and _WHOLE.fullmatch(text) else text
