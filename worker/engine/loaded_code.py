"""`loaded_code`: the code that this process runs, which the files may be ahead of."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jobs.code_version import code_version
from jobs.models import model_names


@cache
def loaded_code(model: str) -> Mapping[str, Any] | None:
    """The version and the checksum of the code of a model, as its files were when first asked.

    Args:
        model: a model's name.

    Returns:
        As `jobs.code_version` has it; None where the model is not installed.
    """
    return code_version(model)


def loaded_checksum(model: str) -> str | None:
    """The checksum alone."""
    code = loaded_code(model)
    return None if code is None else str(code["checksum"])


def loaded_checksums() -> dict[str, str]:
    """The checksum of each model's code that is installed."""
    return {model: checksum for model in model_names() if (checksum := loaded_checksum(model)) is not None}
