"""`Submitter`: what queues new jobs, unless equal ones have succeeded."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from jobs.deleting import alone
from jobs.errors import InvalidJob, JobConflict, RedisUnreachable, UnknownJob
from jobs.finding.job_list import in_results
from jobs.ids import new_job_id
from jobs.job import Job, job_from_record
from jobs.labelling import Labelling
from jobs.spec import JobSpec
from jobs.specs.planned_jobs import PlannedJob
from jobs.specs.spec_maker import SpecMaker
from jobs.sweeps.rebuild_sweeps import restore_ended
from jobs.tags import as_list
from jobs.wording import shown


class Submitter(SpecMaker, Labelling):
    """Queues jobs."""

    def submit(
        self,
        model: str,
        action: str,
        *,
        data: str | os.PathLike[str] | None = None,
        source: str | Job | None = None,
        seed: int = 0,
        time_limit: int | timedelta | None = None,
        priority: str = "normal",
        name: str | None = None,
        tags: Iterable[str] = (),
        fresh: bool = False,
        **parameters: Any,
    ) -> Job:
        """Queue a job and return it; or return one that succeeded and equals it, as `find_equal` has it.

        Args:
            model: a model's name.
            action: train, evaluate or generate.
            data: a dataset's name, that of stored data, or a path to your own data.
            source: a reference to the training job whose model is used.
            seed: random seed.
            time_limit: wall-clock limit of one attempt, in seconds or as a timedelta; by default a day, or
                28 days for a training job.
            priority: low, normal or high.
            name: a name to find the job by; an equal job of another name is not returned.
            tags: words to find it by, together with others; a job that is returned gets them too.
            fresh: whether to run the job although an equal one has succeeded.
            parameters: of this model and action; one that names a job may be any reference.

        Raises:
            InvalidJob: a field is wrong, or a job it depends on cannot be used.
            InvalidData: the dataset or file cannot be used.
            InvalidModel: the model's `spec.py` breaks its contract.
            UnknownJob: a reference names no job or several, or a job that is deleted at this moment.
            RedisUnreachable: the job may have been queued, and `jobs` lists it then; others queue nothing.
            DamagedFolder: the folder of a job it depends on cannot be read.
        """
        fields: dict[str, Any] = {"data": data, "seed": seed, "time_limit": time_limit, "name": name}
        fields |= {"priority": priority, "tags": as_list(tags)}
        notes: list[str] = []
        spec = self.make_spec(
            model, action, source=source, parameters=parameters, note=notes.append, **fields
        )
        return self.submit_spec(spec, fresh=fresh, notes=notes)

    def submit_all(self, jobs: Iterable[Mapping[str, Any]], *, fresh: bool = False) -> list[Job]:
        """Queue many jobs; none is queued if one of them is wrong. Equals that succeeded are used instead.

        Args:
            jobs: each with `model`, `action` and what else the job sets, named as in a folder's `job.json`:
                `{"model": …, "action": "train", "parameters": {"epochs": 5}, "name": …}`. `from` and
                parameters that name a job may be any reference, or the `name` of a job before.
            fresh: whether to run jobs whose equals have succeeded.

        Raises:
            InvalidJob, InvalidData, InvalidModel, UnknownJob, DamagedFolder: as `submit` does; the field
                begins with the job's number.
            RedisUnreachable: some may have been queued, and `jobs` lists them then.
        """
        placed = ((f"job {number:,}", job) for number, job in enumerate(jobs, start=1))
        return [self.submit_planned(planned) for planned in self.plan(placed, fresh=fresh)]

    def submit_planned(self, planned: PlannedJob) -> Job:
        """Queue one of the jobs that `plan` returned, those before it first, unless an equal one succeeded.

        Raises:
            InvalidJob: it is too large, or a job it depends on failed or was cancelled; it is not queued.
            UnknownJob: a job it depends on was deleted at this moment; it was queued, and is cancelled.
            JobConflict: it was queued already.
            RedisUnreachable: the job may have been queued, and `jobs` then lists it.
        """
        if planned.equal is not None:
            return self._reused(planned.equal, planned.spec)
        return self._submit(planned.spec, None, job_id=planned.id, notes=planned.notes)

    def submit_spec(
        self,
        spec: JobSpec,
        continues: str | None = None,
        *,
        fresh: bool = False,
        notes: Iterable[str] = (),
    ) -> Job:
        """Queue a spec as it is and return its job, or one that succeeded and equals it.

        Args:
            spec: the job.
            continues: the id of the job whose checkpoint it resumes from; no equal job is looked for then.
            fresh: whether to run the job although an equal one has succeeded.
            notes: what `make_spec` said of its data; the new job has them.

        Raises:
            InvalidJob: it is too large, or a job it depends on failed or was cancelled; nothing is queued.
            UnknownJob: a job it depends on was deleted at this moment; it was queued, and is cancelled.
            RedisUnreachable: the job may have been queued, and `jobs` then lists it.
        """
        _check_spec(spec)
        equal = None if fresh or continues is not None else self.find_equal(spec)
        return self._submit(spec, continues, notes=notes) if equal is None else self._reused(equal, spec)

    def _reused(self, equal: Job, spec: JobSpec) -> Job:
        """A job that is used in place of a new one, with the tags that this was to have."""
        if set(spec.tags) <= set(equal.tags):
            return self._bound(equal)
        return replace(self.tag(equal, add=spec.tags), reused=True)

    def _submit_retry(self, spec: JobSpec, before: Job) -> Job:
        """Queue a job that continues one that failed, in the same sweep if that is of one."""
        sweep = None
        if before.sweep and before.entry and restore_ended(self.ledger, self.results, before.sweep):
            sweep = {"name": before.sweep, "entry": before.entry}
        return self._submit(spec, before.id, sweep)

    def _submit(
        self,
        spec: JobSpec,
        continues: str | None,
        sweep: dict[str, Any] | None = None,
        job_id: str | None = None,
        notes: Iterable[str] = (),
    ) -> Job:
        _check_spec(spec)
        job_id = job_id or new_job_id()
        self.ledger.submit(job_id, spec, continues, sweep)
        needed = {each for each, _ in spec.needs().values()}
        self._check_needs(job_id, needed | {continues} if continues else needed)
        record = self.ledger.record(job_id)
        if record is None:
            raise RedisUnreachable(f"job {job_id} was queued, but Redis has lost it since")
        return replace(self._bound(job_from_record(record, self.results)), notes=tuple(notes))

    def _check_needs(self, job_id: str, needed: set[str]) -> None:
        """Cancel a job that was queued while somebody deleted what it needs, and did not see it.

        Raises:
            UnknownJob: so it was.
        """
        if not any(self._is_out_of_sight(each) for each in needed):
            return
        try:
            with in_results(self.results), alone(self._known):  # whoever deletes has decided by now
                gone = [each for each in sorted(needed) if self._is_out_of_sight(each)]
            gone = [each for each in gone if self.ledger.record(each) is None]
        except JobConflict:  # others delete for long, so it is not certain that it comes back
            gone = [each for each in sorted(needed) if self._is_out_of_sight(each)]
        if gone:
            self.ledger.cancel(job_id)
            given = f"{gone[0]}, which was deleted at this moment"
            raise UnknownJob("job", expected="one that is there", given=given)

    def _is_out_of_sight(self, job_id: str) -> bool:
        """Whether a job has no folder and is not on its way to one."""
        if self._known.folder(job_id) is not None:
            return False
        record = self.ledger.record(job_id)
        return record is None or bool(record.folder)


def _check_spec(spec: object) -> None:
    if not isinstance(spec, JobSpec):
        raise InvalidJob("spec", expected="a JobSpec, as `make_spec` gives one", given=shown(spec))
    spec.check_size()
