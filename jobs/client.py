"""Client: submit, watch, cancel, retry and fetch jobs, as the command line does.

from jobs import Client

client = Client()
job = client.submit(model, "train", epochs=20)
job = client.wait(job.id)
print(client.folder(job.id).metrics)
"""

from collections.abc import Iterable, Iterator
from typing import Any

from jobs.cleaning import Cleaning
from jobs.comparison.comparer import Comparer
from jobs.deleting import check_deletable, delete, dependents
from jobs.draining import Draining
from jobs.errors import JobConflict, UnknownJob
from jobs.finding.job_list import in_results
from jobs.job import Job
from jobs.job_logs import follow_log, log_text
from jobs.ledger.job_record import ENDED, State, state_phrase
from jobs.retrying import Retried, Retrying
from jobs.specs.epochs import with_epochs
from jobs.submitter import Submitter
from jobs.wording import with_article


class Client(Cleaning, Comparer, Draining, Submitter):
    """Submits, follows, cancels and retries jobs. Finished jobs are found in `results/` even without Redis.

    A reference to a job is its id, 4 or more characters of it that no other id has, its name, or `latest`. A
    name that several jobs have is refused, unless each continues the one before: then it means the last.
    """

    def cancel(self, reference: str | Job) -> Job:
        """Cancel a job that has not started; ask a running one to stop, its checkpoint kept.

        Raises:
            JobConflict: it has ended.
            InvalidJob: its record in Redis cannot be read.
            UnknownJob: the reference names no job or several, or one that Redis does not know.
            RedisUnreachable: Redis cannot be reached.
        """
        job_id = self.resolve(reference)
        try:
            before = self.ledger.cancel(job_id)
        except UnknownJob:
            before = self.job(job_id).state  # which says more of one that is unknown
        if before in ENDED:
            raise _conflict("one that has not ended", job_id, before)
        return self.job(job_id)

    def retry(self, reference: str | Job) -> Job:
        """Queue a failed or cancelled job again, as a new job, which is returned.

        A training job resumes from its checkpoint. A job that failed because a training job failed uses the
        job that continues that one.

        Raises:
            JobConflict: it has succeeded or has not ended.
            InvalidJob: a job it depends on failed or was cancelled and was not retried, this version does not
                understand the job, or its record cannot be read.
            UnknownJob: the reference names no job or several.
            RedisUnreachable: Redis cannot be reached.
            DamagedFolder: it is known by its folder alone, and that cannot be read.
        """
        return Retrying(self._known, self._submit_retry).one(reference)

    def retry_failed(self, references: Iterable[str | Job] | None = None) -> list[Retried]:
        """Queue failed jobs again, each as a new job; a job that was retried already is left alone.

        Training jobs come first; the jobs that depend on them use the new ones, and wait for them.

        Args:
            references: to jobs that failed or were cancelled; the training jobs that they need are retried
                too. None for all jobs that failed and that Redis still knows.

        Returns:
            What became of each job, in the order in which they were retried.

        Raises:
            JobConflict: one of the jobs has succeeded or has not ended; nothing was queued.
            UnknownJob: a reference names no job or several; nothing was queued.
            RedisUnreachable: Redis cannot be reached; some may have been queued.
        """
        return list(self.retries(references))

    def retries(self, references: Iterable[str | Job] | None = None) -> Iterator[Retried]:
        """As `retry_failed`, one by one: each job is queued when the iterator comes to it.

        Args:
            references: as for `retry_failed`.

        Raises:
            JobConflict, UnknownJob, RedisUnreachable: as `retry_failed` does.
        """
        return Retrying(self._known, self._submit_retry).all(references)

    def logs(self, reference: str | Job, *, follow: bool = False) -> Iterator[str]:
        """A job's log, in pieces of text.

        Args:
            reference: to the job.
            follow: go on until the job has ended, with each attempt's log from its beginning.

        Raises:
            JobConflict: it has no log here.
            UnknownJob: the reference names no job or several.
            RedisUnreachable: it has no folder, and Redis cannot be reached.
            DamagedFolder: the results folder cannot be read.
        """
        job = self.job(reference)
        with in_results(self.results):
            if follow:
                yield from follow_log(self.results, lambda: self.job(job.id))
            else:
                yield from log_text(self.results, job)

    def rerun(self, reference: str | Job, *, fresh: bool = False, **changes: Any) -> Job:
        """Queue a job once more from scratch, with some of its parameters changed, as a new job.

        With changes, a job that succeeded and equals it is returned instead, as `submit` does.

        Args:
            reference: to the job, in whatever state.
            fresh: whether to run a changed job although an equal one has succeeded.
            changes: parameters of its model and action, or `data`, `source`, `seed`, `time_limit`,
                `priority`, `name` and `tags`; None takes the default. The new job has no name unless it is
                given one.

        Raises:
            InvalidJob, InvalidData, InvalidModel, RedisUnreachable, DamagedFolder: as `submit` does.
            UnknownJob: the reference names no job or several.
        """
        notes: list[str] = []
        spec = self.changed_spec(reference, changes, notes.append)
        return self.submit_spec(spec, fresh=fresh or not changes, notes=notes)

    def check_deletable(self, reference: str | Job) -> None:
        """Refuse a job that `delete` would not delete.

        Raises:
            JobConflict, UnknownJob, RedisUnreachable, DamagedFolder: as `delete` does.
        """
        check_deletable(self._known, self.resolve(reference))

    def dependents(self, references: Iterable[str | Job]) -> dict[str, list[str]]:
        """The ended jobs that used the models of some jobs, or went on from their checkpoints.

        What they left stays whole when those are deleted, but they cannot be run again.

        Args:
            references: to jobs that are to be deleted together.

        Returns:
            The id of each of them that has any -> the ids of those that stay, newest first.

        Raises:
            UnknownJob: a reference names no job or several.
            RedisUnreachable: one may name a job that has not ended, and Redis cannot be reached.
            DamagedFolder: the results folder cannot be read.
        """
        ids = {self.resolve(reference) for reference in references}
        found = dependents(self._known, ids)
        return {job_id: [row.id for row in rows] for job_id, rows in found.items()}

    def delete(self, reference: str | Job) -> str:
        """Delete an ended job: its folder and what Redis knows of it; its id is returned.

        Args:
            reference: to the job.

        Raises:
            JobConflict: it has not ended, or a job that has not ended reads it or continues it; nothing was
                deleted.
            UnknownJob: the reference names no job or several.
            RedisUnreachable: Redis cannot be reached, so nobody knows which jobs read it.
            DamagedFolder: the folder cannot be deleted.
        """
        job_id = self.resolve(reference)
        delete(self._known, job_id)
        return job_id

    def resume(self, reference: str | Job, epochs: str | int | None = None) -> Job:
        """Resume an ended training job from its checkpoint, as a new job, which is returned.

        5 epochs and 5 more give the same weights as 10 in one run.

        Args:
            reference: to the training job.
            epochs: the new total, or `"+10"` for that many more than were done; without it, the job's own
                total.

        Raises:
            JobConflict: it is not a training job, or it left no folder yet or no checkpoint.
            InvalidJob: `epochs` is not a number of epochs, or they are done already.
            UnknownJob: the reference names no job or several.
            RedisUnreachable: Redis cannot be reached.
            DamagedFolder: its folder cannot be read.
        """
        job = self.job(reference)
        if job.action != "train":
            raise JobConflict(
                "job", expected="a training job", given=f"{job.id}, {with_article(job.kind)} job"
            )
        folder = self._known.folder_with_checkpoint(job)
        if folder is None:
            raise JobConflict(
                "job",
                expected="one that left a checkpoint",
                given=f"{job.id}, which left none",
                hint=f"`quartet retry {job.id}` starts it from scratch",
            )
        return self.submit_spec(with_epochs(job.spec, len(folder.history), epochs), continues=job.id)


def _conflict(expected: str, job_id: str, state: State) -> JobConflict:
    """The error for a job whose state does not permit the request."""
    return JobConflict("job", expected=expected, given=f"{job_id}, which {state_phrase(state)}")
