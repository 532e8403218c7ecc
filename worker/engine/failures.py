"""Explains errors to people."""

import errno
from pathlib import Path

from jobs.errors import QuartetError
from jobs.secrets import hide_secrets

_VOLUME_PROBLEMS = {errno.ENOSPC: "is full", errno.EDQUOT: "is full (quota)", errno.EROFS: "is read-only"}


def sentence(error: BaseException, volume: Path | None = None) -> str:
    """Explain an error to a person.

    Args:
        error: whatever a task, a report or a volume raised.
        volume: the results folder, where the error is about it; None for any other place.

    Returns:
        One sentence without a full stop, with its hint where there is one.
    """
    return hide_secrets(_sentence(error, volume))


def _sentence(error: BaseException, volume: Path | None) -> str:
    if isinstance(error, QuartetError):
        return error.explanation
    if isinstance(error, OSError):
        return _volume_problem(error, f"the results volume {volume}" if volume else "a volume")
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "out of memory (hint: reduce the batch size or the amount of data)"
    said = " ".join(str(error).split())[:500]
    return f"internal error, {type(error).__name__}: {said} (details in log.txt)"


def _volume_problem(error: OSError, place: str) -> str:
    if error.errno in _VOLUME_PROBLEMS:
        return f"{place} {_VOLUME_PROBLEMS[error.errno]}"
    file = f" ({error.filename})" if error.filename else ""
    return f"{place} cannot be used: {error.strerror or error}{file}"
