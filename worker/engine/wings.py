"""The one place where the engine meets a model: a wing is loaded by name, and its contract is checked.

A wing is a folder of `worker/tasks/`, or a package that an entry point of the group `quartet.models` names
(`jobs/models.py` finds both). It has the first four of these modules, perhaps the others, and as many more as
it likes:

| module | has | and loads |
|---|---|---|
| `spec.py` | `Train`, `Evaluate` and `Generate`: the parameters of each action | pydantic only |
| `metrics.py` | `METRICS`: every number the model reports, the headline first | nothing heavy |
| `task.py` | `train`, `evaluate` and `generate`: each does a job and returns its metrics | TensorFlow |
| `report.py` | `present`: what a report shows, from the folder's files alone | matplotlib, no TensorFlow |
| `own_data.py` | perhaps `check_own_data` and `check_source`: refuse a job at submit | NumPy, pandas |
| `compare.py` | perhaps `compare`: what only this model has to compare | matplotlib, no TensorFlow |
| `saved_model.py` | perhaps `load_model`: what a notebook calls | Keras |
"""

import math
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from numbers import Integral, Real
from types import ModuleType
from typing import Any, Protocol

from jobs.errors import InvalidModel
from jobs.models import import_part, lacking
from jobs.store.job_folder import JobFolder
from jobs.wording import shown
from worker.context import JobContext
from worker.report.blocks import Blocks, Metric


class Metrics(Protocol):
    """What `metrics.py` has."""

    METRICS: tuple[Metric, ...]
    """In the order of the report. Of those that a job has, the first is its headline."""


class Task(Protocol):
    """What `task.py` has. Each function returns numbers by the names of METRICS.

    A function raises InvalidJob or InvalidData for what a person can change, does not catch Cancelled, and
    writes its files into `context.folder`.
    """

    def train(self, context: JobContext) -> Mapping[str, float]:
        """Train a model and save it as `model.keras`, by `worker.training.loop` for exact resume."""
        ...

    def evaluate(self, context: JobContext) -> Mapping[str, float]:
        """Measure the model of the training job `context.source`."""
        ...

    def generate(self, context: JobContext) -> Mapping[str, float]:
        """Make something with the model of the training job `context.source`."""
        ...


class Report(Protocol):
    """What `report.py` has."""

    def present(self, folder: JobFolder) -> Blocks:
        """Figures, tables and texts of a finished job, whichever action it was."""
        ...


class Wing:
    """One model's modules, each loaded when it is first needed and checked when it is loaded."""

    def __init__(self, model: str) -> None:
        """Nothing is loaded yet."""
        self.model = model

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """Every number that the model reports.

        Raises:
            InvalidModel: `metrics.py` is missing, cannot be imported, or has no METRICS.
        """
        found = getattr(import_part(self.model, "metrics"), "METRICS", None)
        if not (isinstance(found, tuple) and found and all(isinstance(each, Metric) for each in found)):
            raise lacking(self.model, "metrics", "METRICS, a tuple of worker.report.blocks.Metric")
        return found

    def action(self, name: str) -> Callable[[JobContext], Mapping[str, float]]:
        """The function that runs a job; loads TensorFlow.

        `metrics.py` is checked as well: what it lacks is found before the work, not after it.

        Args:
            name: `train`, `evaluate` or `generate`.

        Raises:
            InvalidModel: `task.py` or `metrics.py` is missing, cannot be imported, or lacks part of the
                contract.
        """
        _ = self.metrics
        return _function(self.model, "task", name, ("train", "evaluate", "generate"))

    def present(self, folder: JobFolder) -> Blocks:
        """What the model's own part of a report shows; loads matplotlib.

        Args:
            folder: of the job.

        Raises:
            InvalidModel: `report.py` is missing, cannot be imported, or has no `present`.
            Exception: whatever the wing's `present` raises.
        """
        blocks: Blocks = _function(self.model, "report", "present", ("present",))(folder)
        return blocks


@cache
def wing(model: str) -> Wing:
    """The wing of a model; the same one at each call.

    Args:
        model: a model's name.
    """
    return Wing(model)


def checked_metrics(model: str, action: str, metrics: Mapping[str, float]) -> Mapping[str, float]:
    """What a wing's task returned, as numbers that a file of JSON can hold.

    Args:
        model: the wing's name.
        action: what the task did.
        metrics: what it returned; numbers may be NumPy's.

    Raises:
        InvalidModel: it is not a mapping from names to finite numbers.
    """
    field = f"model {model}, task.py"
    if not isinstance(metrics, Mapping):
        raise InvalidModel(field, expected=f"a mapping of numbers from {action}", given=shown(metrics))
    for name, value in metrics.items():
        if not (isinstance(name, str) and _is_finite(value)):
            given = f"{name} {value[:60]!r}" if isinstance(value, str) else f"{name} {shown(value)}"
            raise InvalidModel(field, expected=f"finite numbers by name from {action}", given=given)
    return {
        name: int(value) if isinstance(value, Integral) else float(value) for name, value in metrics.items()
    }


def _is_finite(value: object) -> bool:
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:  # an integer that is no float
        return False


def _function(model: str, part: str, name: str, all_names: tuple[str, ...]) -> Callable[..., Any]:
    """A function of a wing's module, once the module is known to have all the functions it should have."""
    module: ModuleType = import_part(model, part)
    for each in all_names:
        if not callable(getattr(module, each, None)):
            argument = "folder" if part == "report" else "context"
            raise lacking(model, part, f"a function {each}({argument})")
    function: Callable[..., Any] = getattr(module, name)
    return function
