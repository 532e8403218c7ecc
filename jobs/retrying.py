"""Queues failed jobs again; one that failed because of another follows that to the job that continues it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from jobs.errors import InvalidJob, JobConflict, QuartetError, RedisUnreachable
from jobs.finding.known_jobs import KnownJobs
from jobs.job import Job
from jobs.ledger.job_record import state_phrase
from jobs.spec import JobSpec
from jobs.specs.stored_spec import StoredSpec
from jobs.wing_checks import check_source


@dataclass(frozen=True)
class Retried:
    """What became of a job that was to be retried.

    Attributes:
        old: its id.
        job: the new job; None if there is none.
        earlier: the id of the job that continues it already, where that did not fail.
        problem: why it could not be retried.
    """

    old: str
    job: Job | None = None
    earlier: str | None = None
    problem: QuartetError | None = None


class Retrying:
    """Retries one job, or several with the training jobs that they need."""

    def __init__(self, known: KnownJobs, submit: Callable[[JobSpec, Job], Job]) -> None:
        """Nothing is queued yet.

        Args:
            known: finds jobs.
            submit: queues a spec that continues a job.
        """
        self._known, self._submit = known, submit
        self._begun: set[str] = set()
        self._new: dict[str, str] = {}

    def one(self, reference: str | Job) -> Job:
        """Retry one job.

        Args:
            reference: to the job.

        Raises:
            JobConflict: it has succeeded or has not ended.
            InvalidJob: a job that it needs failed and was not retried or has a model that cannot do it, or
                this version does not understand it.
        """
        job = self._failed(reference)
        spec, ids = job.spec, {}
        for field, last in self._needed(spec):
            if last.failed:
                hint = f"`quartet retry --failed {job.id}` retries both"
                raise _needs_a_retry(field, last, f"`quartet retry {last.id}` queues it again; {hint}")
            ids[field] = last.id
        return self._queue(job, spec, ids)

    def all(self, references: Iterable[str | Job] | None) -> Iterator[Retried]:
        """Retry several jobs, training jobs first, each when the iterator comes to it.

        Args:
            references: to the jobs; the training jobs that they need are retried too. None for all jobs in
                Redis that failed and were not retried.

        Raises:
            JobConflict: one of the jobs has succeeded or has not ended.
        """
        if references is None:
            jobs = [job for job in self._known.in_ledger("failed") if job.retried is None]
        else:
            given = [references] if isinstance(references, str) else references
            jobs = [self._failed(reference) for reference in given]
        also_cancelled = references is not None
        return self._all(sorted(jobs, key=lambda job: (job.action != "train", job.id)), also_cancelled)

    def _all(self, jobs: list[Job], also_cancelled: bool) -> Iterator[Retried]:
        for job in jobs:
            last = self._last(job)
            if last.failed:
                yield from self._retry(last, also_cancelled)
            else:
                yield Retried(job.id, earlier=last.id)

    def _retry(self, job: Job, also_cancelled: bool) -> Iterator[Retried]:
        if job.id in self._begun:
            return
        self._begun.add(job.id)
        try:
            spec, ids = job.spec, {}
            for field, last in self._needed(spec):
                if last.state == "failed" or (last.state == "cancelled" and also_cancelled):
                    yield from self._retry(last, also_cancelled)
                if last.failed and last.id not in self._new:
                    raise _needs_a_retry(field, last, f"`quartet retry {last.id}` queues it again")
                ids[field] = self._new.get(last.id, last.id)
            new = self._queue(job, spec, ids)
        except RedisUnreachable:
            raise
        except QuartetError as error:
            yield Retried(job.id, problem=error)
            return
        self._new[job.id] = new.id
        yield Retried(job.id, new)

    def _failed(self, reference: str | Job) -> Job:
        job = self._known.job(reference)
        if not job.failed:
            given = f"{job.id}, which {state_phrase(job.state)}"
            raise JobConflict("job", expected="one that failed or was cancelled", given=given)
        return job

    def _needed(self, spec: JobSpec) -> Iterator[tuple[str, Job]]:
        """Each failed job that a job needs, by the field that names it: the last of those that continue
        it."""
        for field, (job_id, _) in spec.needs().items():
            needed = self._known.find(job_id)
            # One that nobody here knows may have its folder where the worker is.
            if needed is not None and needed.failed:
                yield field, self._last(needed)

    def _last(self, job: Job) -> Job:
        """The job at the end of a chain of retries; `job` itself, if it was not retried."""
        seen = {job.id}
        while job.failed:
            following = job.retried if job.in_redis else self._continuing(job.id)
            following_job = self._known.find(following) if following and following not in seen else None
            if following_job is None:
                return job
            seen.add(following_job.id)
            job = following_job
        return job

    def _continuing(self, job_id: str) -> str | None:
        """The newest job that continues one of which Redis knows no retry, since it had left Redis by
        then."""
        found = self._known.newest(lambda job: job.continues == job_id, after=job_id)
        return found.id if found else None

    def _queue(self, job: Job, spec: JobSpec, ids: dict[str, str]) -> Job:
        if ids:
            spec = StoredSpec.of(spec).with_trainings(ids).parse()
        folder = None if spec.source is None else self._known.folder(spec.source)
        if folder is not None:
            check_source(spec, folder.path)
        return self._submit(spec, job)


def _needs_a_retry(field: str, needed: Job, hint: str) -> InvalidJob:
    return InvalidJob(
        field,
        expected="a training job that succeeded or will run",
        given=f"job {needed.id}, which {state_phrase(needed.state)}",
        hint=hint,
    )
