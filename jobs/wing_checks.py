"""Calls the checks that a model's `own_data.py` makes before a job is queued.

Only what they refuse keeps a job from being queued. A client may lack NumPy, a model may lack the module or
one of its functions, and a fault in it is not the person's: in each case the worker finds what is wrong.
"""

import inspect
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jobs.errors import InvalidInput, InvalidModel
from jobs.models import import_part
from jobs.parameters import Parameters
from jobs.spec import JobSpec

_log = logging.getLogger(__name__)


def check_own_data(
    model: str, action: str, path: Path, parameters: Parameters | None = None
) -> tuple[str, ...]:
    """Let a model refuse a person's own data: `check_own_data(path, action)`.

    A keyword-only argument of that function that is named like a parameter of the job gets its value.

    Args:
        model: a model's name.
        action: of the job that will read it.
        path: of the data.
        parameters: of that job; without them, the function's own defaults count.

    Returns:
        The notes that it returns: sentences about how the job will read the data, where that may surprise.

    Raises:
        InvalidInput: it cannot be used.
    """
    return _call(model, "check_own_data", path, path, action, parameters=parameters)


def check_source(spec: JobSpec, folder: Path) -> None:
    """Let a model refuse a job that its finished training job cannot serve: `check_source(folder, spec)`.

    Args:
        spec: the job.
        folder: of the training job.

    Raises:
        InvalidInput: the training job's model cannot do it.
    """
    _call(spec.model, "check_source", folder, folder, spec)


def _call(
    model: str, name: str, what: Path, *arguments: Any, parameters: Parameters | None = None
) -> tuple[str, ...]:
    try:
        check = getattr(import_part(model, "own_data"), name)
    except (InvalidModel, AttributeError, KeyError) as error:
        if isinstance(error.__cause__, Exception) and not isinstance(error.__cause__, ImportError):
            _log.warning("%s was not checked: %s", what, error)
        return ()
    try:
        return _sentences(check(*arguments, **_wanted(check, parameters)))
    except InvalidInput:
        raise
    except ImportError:
        return ()
    except Exception as error:
        kind = type(error).__name__
        _log.warning("%s was not checked: own_data.py of %s failed (%s: %s)", what, model, kind, error)
        return ()


def _sentences(returned: Any) -> tuple[str, ...]:
    """What a check returned, each once; a check without notes may return None."""
    found = () if returned is None else tuple(dict.fromkeys(returned))
    if isinstance(returned, str) or not all(isinstance(each, str) for each in found):
        raise TypeError(f"expected sentences in a list, got {type(returned).__name__}")
    return found


def _wanted(check: Callable[..., Any], parameters: Parameters | None) -> dict[str, Any]:
    """The parameters that a function takes by name."""
    if parameters is None:
        return {}
    taken = inspect.signature(check).parameters.values()
    names = [each.name for each in taken if each.kind is each.KEYWORD_ONLY]
    return {name: getattr(parameters, name) for name in names if hasattr(parameters, name)}
