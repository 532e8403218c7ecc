"""Parses JSON from files of unknown origin: UTF-8, finite numbers, and one error for whatever is wrong.

Ours, since `json.loads` accepts NaN and infinities, reads 1e309 as one, and raises RecursionError for deep
nesting.
"""

import json
import math
from typing import Any

from jobs.wording import shown


def parse_json(content: bytes, *, unique_keys: bool = False) -> Any:
    """The value of a JSON text.

    Args:
        content: the text; bound its size before.
        unique_keys: refuse an object that names a key twice, of which JSON would keep the last.

    Raises:
        ValueError: it is not UTF-8, not JSON, nested too deeply, or has a number that is not finite, or
            a key twice.
    """
    hook = _once_each if unique_keys else None
    try:
        text = content.decode("utf-8")
        return json.loads(text, parse_float=_finite, parse_constant=_refused, object_pairs_hook=hook)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number out of range")
    return value


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {shown(key)} twice")
        found[key] = value
    return found


def _refused(text: str) -> float:
    raise ValueError(f"{text} is not a number")
