"""A job of a file that varies nothing, and the jobs that follow it: train, then evaluate, then generate."""

from dataclasses import dataclass

from jobs.spec import JobSpec

NO_JOB_YET = "19700101-000000-000-aaaa"
"""Stands for the id of a job that has not been queued."""


@dataclass(frozen=True)
class PlainJob:
    """One job, and those that use its model.

    Attributes:
        spec: of the job.
        then: of the jobs that follow it, whose source is `NO_JOB_YET`.
        fresh: whether to run it although an equal one has succeeded.
    """

    spec: JobSpec
    then: tuple[JobSpec, ...] = ()
    fresh: bool = False

    def following(self, job_id: str) -> list[JobSpec]:
        """The jobs that follow, once the job has an id."""
        return [spec.model_copy(update={"source": job_id}) for spec in self.then]
