"""`SpecMaker`: from what a person gives to the spec of a job, with references resolved and data checked."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache, cached_property
from typing import Any

from jobs.code_version import code_version
from jobs.data_keeping import DataKeeping
from jobs.errors import DamagedFolder, InvalidInput, InvalidJob, QuartetError, RedisUnreachable
from jobs.job import Job, job_from_folder
from jobs.job_data import JobData
from jobs.models import model_names, parameters_of
from jobs.parameters import ACTIONS
from jobs.reuse import EqualJobs, announced_checksum
from jobs.spec import JobSpec
from jobs.specs.planned_jobs import PlannedJob, PlannedJobs
from jobs.specs.stored_spec import StoredSpec
from jobs.specs.validation_messages import schema_of
from jobs.wing_checks import check_source
from jobs.wording import shown, with_article


class SpecMaker(DataKeeping):
    """Makes specs; nothing here queues a job."""

    def make_spec(
        self,
        model: str,
        action: str,
        *,
        source: str | Job | None,
        parameters: dict[str, Any],
        planned: PlannedJobs | None = None,
        note: Callable[[str], object] = lambda _: None,
        **fields: Any,
    ) -> JobSpec:
        """The spec that `submit` would queue, with references resolved and data checked.

        Args:
            model: a model's name.
            action: train, evaluate or generate.
            source: a reference to the training job whose model is used.
            parameters: of this model and action; one that names a job may be any reference.
            planned: jobs that will be queued before this one; their names are references as well.
            note: gets each sentence about how the job will read its data.
            fields: the job's other fields, as `submit` takes them.

        Raises:
            InvalidJob: a field is wrong, or a job it depends on cannot be used, or not for this.
            InvalidData: the dataset or file cannot be used.
            InvalidModel: the model's `spec.py` breaks its contract.
            UnknownJob: a reference names no job or several.
            RedisUnreachable: a job it depends on has no folder, and Redis cannot be reached.
            DamagedFolder: the folder of a job it depends on cannot be read.
        """
        kind = parameters_of(model, action)
        fields = {name: _plain(name, value) for name, value in fields.items()}
        ours = planned.trainings(kind, {**parameters, "from": source}) if planned is not None else {}
        others = {name: value for name, value in parameters.items() if name not in ours}
        source, others = self._known.resolve_trainings(kind, None if "from" in ours else source, others)
        ids = {"from": source, **ours}
        source = ids.pop("from")
        spec = JobSpec.make(model, action, parameters=others | ids, **fields, **{"from": source})
        if spec.data is not None:
            data = self.job_data.check(kind, spec.data, parameters=spec.parameters, note=note)
            spec = spec.model_copy(update={"data": data})
        folder = None if source is None else self._known.folder(source)
        if folder is not None:
            check_source(spec, folder.path)
        return spec

    @cached_property
    def job_data(self) -> JobData:
        """Checks the data of jobs, and stores what would not reach their workers."""
        return JobData(self.own_data, self.results, self.ledger, self.settings.redis_address())

    def find_equal(self, spec: JobSpec, *, same_name: bool = True) -> Job | None:
        """The newest job that succeeded and equals a spec, so that it need not be run; None if there is none.

        Jobs are equal if they have the same model, action, complete parameters, seed and data, by name and by
        SHA-256, read the same training jobs, and the same code runs them (`jobs.code_version`, or on a client
        without TensorFlow what all live workers announce). Data of more than 256 MB is equal to none, and so
        is a job that succeeded before Quartet noted what equal jobs have in common.

        Args:
            spec: the job that is to be run.
            same_name: whether a spec with a name is equal only to jobs that have it too, so that the name
                finds the job afterwards.
        """
        return self._equal_to(spec, self.equal_jobs(), same_name=same_name)

    def equal_jobs(self) -> EqualJobs:
        """Finds equal jobs of the code as it is now."""
        return EqualJobs(self.results, self.settings.data_dir.absolute(), cache(self._code_checksum))

    def _equal_to(self, spec: JobSpec, equal: EqualJobs, *, same_name: bool = True) -> Job | None:
        job_id = equal.find(spec, same_name=same_name)
        folder = None if job_id is None else self._known.folder(job_id)
        try:
            return None if folder is None else replace(job_from_folder(folder), reused=True)
        except DamagedFolder:  # it was deleted at this moment
            return None

    def _code_checksum(self, model: str) -> str | None:
        """The checksum of the code that would run a model's jobs."""
        here = code_version(model)
        if here is not None:
            return str(here["checksum"])
        try:
            return announced_checksum(self.ledger.workers(), model)
        except RedisUnreachable:
            return None

    def plan(self, jobs: Iterable[tuple[str, Mapping[str, Any]]], *, fresh: bool = False) -> list[PlannedJob]:
        """What `submit_all` would queue; a job may refer to one before it by its name.

        Args:
            jobs: the place of each, by which an error's field begins, and what `submit_all` takes.
            fresh: whether to run jobs whose equals have succeeded.

        Raises:
            InvalidJob, InvalidData, InvalidModel, UnknownJob, RedisUnreachable, DamagedFolder: as `make_spec`
                does.
        """
        planned, equal = PlannedJobs(), self.equal_jobs()
        for where, job in jobs:
            notes: list[str] = []
            try:
                spec = self._spec_of(job, notes.append, planned)
                planned.add(spec, None if fresh else self._equal_to(spec, equal), notes)
            except RedisUnreachable:
                raise
            except QuartetError as error:
                raise _at(where, error) from None
        return planned.jobs

    def _spec_of(
        self, job: Mapping[str, Any], note: Callable[[str], object], planned: PlannedJobs | None = None
    ) -> JobSpec:
        """The spec of a job as JSON has it, with references resolved.

        Raises:
            InvalidJob, InvalidData, InvalidModel, UnknownJob, RedisUnreachable, DamagedFolder: as `make_spec`
                does.
        """
        if not isinstance(job, Mapping):
            raise InvalidJob("job", expected="an object with model, action and parameters", given=shown(job))
        fields = dict(job)
        for name, known in (("model", model_names()), ("action", ACTIONS)):
            if fields.get(name) is None:
                raise InvalidJob(name, expected=f"one of {', '.join(known)}", given="none")
        model, action = fields.pop("model"), fields.pop("action")
        parameters = fields.pop("parameters", {})
        if not isinstance(parameters, Mapping):
            raise InvalidJob("parameters", expected="an object", given=shown(parameters))
        unknown = next((name for name in fields if name not in schema_of(JobSpec)), None)
        if unknown is not None:
            raise _unknown_field(unknown, model, action)
        source = fields.pop("from", None)
        return self.make_spec(
            model, action, source=source, parameters=dict(parameters), planned=planned, note=note, **fields
        )

    def changed_spec(
        self,
        reference: str | Job,
        changes: Mapping[str, Any],
        note: Callable[[str], object] = lambda _: None,
    ) -> JobSpec:
        """The spec that `rerun` would queue.

        Args:
            reference: to the job.
            changes: what `rerun` takes.
            note: gets each sentence about how the job will read its data.

        Raises:
            InvalidJob, InvalidData, InvalidModel, UnknownJob, RedisUnreachable, DamagedFolder: as `rerun`
                does.
        """
        job = self.job(reference)
        before = StoredSpec.of(job.spec).fields
        fields, parameters = dict(before), dict(before["parameters"])
        fields.pop("name", None)
        of_job = schema_of(JobSpec).keys() - {"model", "action", "parameters"}
        for given, value in changes.items():
            if given in ("model", "action"):
                raise InvalidJob(
                    given,
                    expected=f"nothing, since a rerun stays {with_article(f'{job.kind} job')}",
                    given=shown(value),
                    hint="`quartet submit --help` lists the other jobs",
                )
            name = "from" if given == "source" else given
            changed = fields if name in of_job else parameters
            if value is None:
                changed.pop(name, None)
            else:
                changed[name] = value
        return self._spec_of({**fields, "parameters": parameters}, note)


def _plain(field: str, value: Any) -> Any:
    """A field of a job as JSON has it: a path as a text, a time as seconds."""
    if field == "data" and isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.total_seconds() if field == "time_limit" and isinstance(value, timedelta) else value


def _unknown_field(name: str, model: Any, action: Any) -> InvalidJob:
    """The error for a field that no job has; it may be a parameter in the wrong place."""
    error = InvalidJob.unknown("field of a job", name, schema_of(JobSpec))
    if model in model_names() and action in ACTIONS and name in schema_of(parameters_of(model, action)):
        error.hint = f'parameters have an object of their own: {{"parameters": {{"{name}": …}}}}'
    return error


def _at(where: str, error: QuartetError) -> InvalidJob:
    if not isinstance(error, InvalidInput):
        return InvalidJob(where, expected="a job that can be queued", given=str(error), hint=error.hint)
    field = f"{where}, {error.field}"
    return InvalidJob(field, expected=error.expected, given=error.given, hint=error.hint)
