"""A job's history as NumPy arrays, which a client need not have installed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobs.errors import MissingPart

if TYPE_CHECKING:
    import numpy as np


def columns(rows: Sequence[Mapping[str, float]]) -> "dict[str, np.ndarray[Any, Any]]":
    """Each column of a table as an array: `epoch` of integers, any other one of floats.

    Args:
        rows: all with the same columns.

    Raises:
        MissingPart: NumPy is not installed.
    """
    try:
        import numpy as np
    except ImportError:
        raise MissingPart(
            "numpy is not installed, and arrays need it", hint="install it: `pip install numpy`"
        ) from None
    names = rows[0] if rows else ()
    kinds = {name: np.int64 if name == "epoch" else np.float64 for name in names}
    return {name: np.array([row[name] for row in rows], dtype=kinds[name]) for name in names}
