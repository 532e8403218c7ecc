"""How long jobs may take, from finished ones of the same model, action and data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from typing import Any

from jobs.errors import QuartetError
from jobs.models import parameters_of
from jobs.specs.stored_spec import StoredSpec
from jobs.store.history import History
from jobs.store.history_row import Row
from jobs.store.job_folder import JobFolder
from jobs.store.results import Results

MOST_ROWS = 5_000
"""Of the index that are looked at, the newest."""

MOST_JOBS = 100
"""Finished jobs of a kind that are compared."""


@dataclass(frozen=True)
class Finished:
    """A finished job: its data, its parameters with their defaults, and how long it took in seconds."""

    id: str
    data: str | None
    parameters: Mapping[str, Any]
    seconds: float


@dataclass
class Paces:
    """Knows how long jobs took; each kind is read once.

    Attributes:
        results: the folder of all jobs.
        used: the ids of the jobs that estimates came from.
    """

    results: Results
    used: set[str] = field(default_factory=set)
    _finished: dict[tuple[str, str], list[Finished]] = field(default_factory=dict)

    def seconds(
        self, model: str, action: str, data: str | None, parameters: Mapping[str, Any]
    ) -> float | None:
        """How long a job may take in seconds; None where no finished one is like it.

        The finished jobs that differ in the fewest parameters count, by their median. The seconds of a
        training job are in proportion to its epochs, which are no difference.

        Args:
            model: which network.
            action: what the job does.
            data: its dataset or own data; None for the default.
            parameters: those that it sets.
        """
        wanted = _with_defaults(model, action, parameters)
        like = [job for job in self._jobs(model, action) if job.data == _data(model, action, data)]
        if not like:
            return None
        differences = [_differences(job.parameters, wanted) for job in like]
        nearest = [job for job, count in zip(like, differences, strict=True) if count == min(differences)]
        self.used.update(job.id for job in nearest)
        epochs = wanted.get("epochs", 1)
        return float(median(job.seconds / job.parameters.get("epochs", 1) * epochs for job in nearest))

    def _jobs(self, model: str, action: str) -> list[Finished]:
        if (model, action) not in self._finished:
            rows = islice(History(self.results).rows("succeeded"), MOST_ROWS)
            # A job that resumed, or was begun again, tells the seconds of its last part alone.
            whole = (row for row in rows if row.kind == f"{model} {action}" and _is_whole(row))
            found = (self._finished_job(row) for row in islice(whole, MOST_JOBS))
            self._finished[model, action] = [job for job in found if job is not None]
        return self._finished[model, action]

    def _finished_job(self, row: Row) -> Finished | None:
        try:
            spec = StoredSpec.as_it_ran(JobFolder(self.results.root / row.id).job)
        except QuartetError:
            return None
        data = _data(row.model, row.action, spec.data)
        return Finished(row.id, data, dict(spec.parameters), row.seconds or 0.0)


def _is_whole(row: Row) -> bool:
    return row.continues is None and row.attempt == 1 and bool(row.seconds)


def _data(model: str, action: str, data: str | None) -> str | None:
    """The data of a job; a training job without any reads the default."""
    kind = parameters_of(model, action)
    return kind.default_data() if data is None and action == "train" and kind.takes_data() else data


def _with_defaults(model: str, action: str, were_set: Mapping[str, Any]) -> dict[str, Any]:
    fields = parameters_of(model, action).model_fields
    return {name: field.default for name, field in fields.items()} | dict(were_set)


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> int:
    """In how many parameters two jobs differ, the epochs not counted."""
    names = {*one, *other} - {"epochs"}
    return sum(_plain(one.get(name)) != _plain(other.get(name)) for name in names)


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
