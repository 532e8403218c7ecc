"""Jobs that are queued together: a later one may use an earlier one, whose id is made beforehand."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from jobs.errors import InvalidJob, UnknownJob
from jobs.ids import new_job_id
from jobs.job import Job
from jobs.parameters import Parameters
from jobs.spec import JobSpec
from jobs.wording import counted, with_article


@dataclass(frozen=True)
class PlannedJob:
    """A job that is to be queued, and its id.

    Attributes:
        equal: a job that succeeded and is used in its place; then this has its id.
        notes: sentences about how it will read its data.
    """

    id: str
    spec: JobSpec
    equal: Job | None = None
    notes: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Model and action, with a space between them."""
        return f"{self.spec.model} {self.spec.action}"


@dataclass(frozen=True)
class PlannedJobs:
    """The jobs so far, in the order in which they will be queued."""

    jobs: list[PlannedJob] = field(default_factory=list)
    _named: dict[str, list[PlannedJob]] = field(default_factory=dict)

    def add(self, spec: JobSpec, equal: Job | None = None, notes: Iterable[str] = ()) -> None:
        """Add a job after the others, or one that is used in its place."""
        job = PlannedJob(new_job_id() if equal is None else equal.id, spec, equal, tuple(notes))
        self.jobs.append(job)
        if spec.name is not None:
            self._named.setdefault(spec.name, []).append(job)

    def trainings(self, kind: type[Parameters], references: dict[str, Any]) -> dict[str, str]:
        """The ids of those that a new job refers to by their names, by the field that does.

        Args:
            kind: the new job's parameter class.
            references: its parameters, and `from`.

        Raises:
            UnknownJob: several of them have that name.
            InvalidJob: the one that has it is no training job of the model that is needed.
        """
        found = {}
        for name, model in kind.needed_trainings().items():
            reference = references.get(name)
            if isinstance(reference, str) and reference in self._named:
                found[name] = self._training(reference, model, name)
        return found

    def _training(self, reference: str, model: str, field_name: str) -> str:
        wanted, named = f"{model} train", self._named[reference]
        fitting = [job for job in named if job.kind == wanted] or named
        if len(fitting) > 1:
            given = f"{reference!r}, the name of {counted(len(fitting), 'job')} before it"
            raise UnknownJob(field_name, expected="an unambiguous reference", given=given)
        if fitting[0].kind != wanted:
            given = f"{reference!r}, the name of {with_article(fitting[0].kind)} job before it"
            raise InvalidJob(field_name, expected=f"{with_article(wanted)} job", given=given)
        return fitting[0].id
