"""The name that was meant by an unknown one: other libraries' name for it, or one that is spelled alike."""

import difflib
from collections.abc import Iterable

_SYNONYMS = {
    "lr": "learning_rate",
    "batch": "batch_size",
    "bs": "batch_size",
    "n_epochs": "epochs",
    "num_epochs": "epochs",
    "max_epochs": "epochs",
    "temp": "temperature",
    "random_state": "seed",
    "dataset": "data",
    "timeout": "time_limit",
    "checkpoint": "from",
    "source": "from",
}
"""Names that Keras, PyTorch, scikit-learn and Transformers use -> ours."""


def closest(name: str, names: Iterable[str]) -> str | None:
    """The name that was meant; None where none is near.

    Args:
        name: what was given, with `-` or `_` between words.
        names: those that are known, likewise.
    """
    known = {each.replace("-", "_"): each for each in names}
    given = name.replace("-", "_").lower()
    if _SYNONYMS.get(given) in known:
        return known[_SYNONYMS[given]]
    close = difflib.get_close_matches(given, list(known), n=1)
    return known[close[0]] if close else None
