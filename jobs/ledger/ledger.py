"""Every job's state in Redis: submit, claim, renew, report progress, finish.

The ledger is the truth and a Celery message is only a wake-up call. Each transition is one Lua
script (`lua/`), so a job is in exactly one state whatever dies. Each claim has a token of its own, which
tells the worker that holds a job from one that held it before.

    waiting (for another job) → queued → running → succeeded | failed | cancelled
"""

import json
from typing import Any

from jobs.claim import Claim
from jobs.errors import JobConflict, LeaseLost, UnknownJob
from jobs.ledger.job_record import FIELDS, STATES, FreshClaim, State
from jobs.ledger.sweeps import LedgerSweeps, entry_arguments, job_arguments, refused
from jobs.spec import JobSpec


class Ledger(LedgerSweeps):
    """All transitions of all jobs.

    Every method raises RedisUnreachable when Redis cannot be reached.
    """

    def submit(
        self,
        job_id: str,
        spec: JobSpec,
        continues: str | None = None,
        sweep: dict[str, Any] | None = None,
    ) -> State:
        """Write a new job in one step: `queued` with its message, or `waiting` for the jobs it depends on.

        Args:
            job_id: a new id; the same job may be submitted again under it when the answer was lost.
            spec: the job.
            continues: the id of the job whose checkpoint it resumes from.
            sweep: what the record of a job that this one retries says of its sweep, which goes on with this
                one then.

        Returns:
            The job's state.

        Raises:
            InvalidJob: a job it depends on failed or was cancelled; nothing was written.
            JobConflict: another job has this id, or continues the same job already.
        """
        about = job_arguments(job_id, spec, continues)
        needed = [each for each, _ in spec.needs().values()]
        answer = self.run("submit", list, *about, *entry_arguments(job_id, sweep), *needed)
        if answer[0] == "refused":
            raise refused(answer)
        if answer[0] == "retried":
            given = f"{continues}, which {answer[1]} continues"
            raise JobConflict("job", expected="one that was not retried yet", given=given)
        if answer[0] == "exists":
            raise JobConflict("job", expected="a new id", given=f"{job_id}, which another job has")
        state: State = answer[0]
        return state

    def delete(self, job_id: str) -> None:
        """Remove all that is known of a job that ended and has a folder, or of one that is unknown.

        Raises:
            JobConflict: it has not ended, or has no folder yet.
        """
        if not self.run("delete", int, job_id):
            raise JobConflict("job", expected="one that has ended and has a folder", given=job_id)

    def claim(self, job_id: str, worker: str, process: int, token: str) -> FreshClaim | None:
        """Claim a queued job: its attempt number is raised in the same step.

        Args:
            job_id: the job's id.
            worker: this worker's name.
            process: this process' id.
            token: text that is new for each delivery: so a claim may be sent again when its answer was lost.

        Returns:
            The claim, None if the job is not claimable.
        """
        values = self.run("claim", list, job_id, worker, process, token, *FIELDS)
        if not values:
            return None
        return FreshClaim(job_id, int(values[FIELDS.index("attempt")]), token, values)

    def decline(self, claim: Claim, kind: str, why: str) -> None:
        """Put back a job that this worker does not understand, as it was before the claim.

        Args:
            claim: the attempt that holds it.
            kind: identifies all workers of the same code.
            why: what it does not understand.
        """
        self.run("decline", int, claim.job_id, claim.token, kind, why)

    def renew(self, claim: Claim) -> str:
        """Show that the claim is alive.

        Args:
            claim: the attempt that holds the job.

        Returns:
            The pending request: `""` or `"cancel"`.

        Raises:
            LeaseLost: another attempt holds the job, or it has ended.
        """
        answer = self.run("renew", str, claim.job_id, claim.token)
        if answer == "lost":
            raise _lease_lost(claim)
        return answer

    def asked(self, claim: Claim) -> str:
        """The pending request, as `renew` returns it, without renewing the lease.

        Raises:
            LeaseLost: another attempt holds the job, or it has ended.
        """
        fields = ["stop", "token", "state"]
        stop, token, state = self.ask(lambda redis: redis.hmget(self.job_key(claim.job_id), fields))
        if state != "running" or token != claim.token:
            raise _lease_lost(claim)
        return "cancel" if stop == "cancel" else ""

    def progress(self, claim: Claim, values: dict[str, Any]) -> None:
        """Add to the job's progress stream; dropped if another attempt holds the job."""
        self.run("progress", int, claim.job_id, claim.token, json.dumps(values))

    def log_event(self, claim: Claim, text: str) -> None:
        """Add a line to the job's timeline; dropped if another attempt holds the job."""
        self.run("log_event", int, claim.job_id, claim.token, text)

    def finish(
        self,
        claim: Claim,
        state: State,
        *,
        finished: int,
        error: str | None = None,
        folder: str = "",
        headline: dict[str, Any] | None = None,
    ) -> None:
        """End a job, and queue the jobs that waited for it.

        Args:
            claim: the attempt that ends it.
            state: succeeded, failed or cancelled.
            finished: when, in milliseconds since 1970.
            error: why it failed or was cancelled.
            folder: the name of its published folder; if empty, the sweeper writes one.
            headline: its most important metric.

        Raises:
            LeaseLost: another attempt holds the job, or it has ended in another state.
        """
        arguments = (state, error or "", folder, json.dumps(headline))
        if not self.run("finish", int, claim.job_id, claim.token, *arguments, finished):
            raise _lease_lost(claim)

    def hand_back(self, claim: Claim, reason: str) -> None:
        """Queue a job again that its worker hands back; this does not count as a death of the worker.

        One that was asked to stop is cancelled instead.
        """
        self.run("hand_back", int, claim.job_id, claim.token, reason)

    def why_stopped(self, claim: Claim) -> str:
        """Why the job was asked to stop, empty where nobody said so."""
        return self.ask(lambda redis: redis.hget(self.job_key(claim.job_id), "why_stopped")) or ""

    def cancel(self, job_id: str, why: str = "") -> State:
        """Cancel a job that has not started; ask a running one to stop.

        Args:
            job_id: the job's id.
            why: for its record and its timeline.

        Returns:
            The state that the job was in.

        Raises:
            UnknownJob: there is no such job.
        """
        before = self.run("cancel", str, job_id, why)
        for state in STATES:
            if state == before:
                return state
        raise UnknownJob("job", expected="the id of a job in this Redis", given=repr(job_id))


def _lease_lost(claim: Claim) -> LeaseLost:
    return LeaseLost(f"attempt {claim.attempt} of job {claim.job_id} no longer holds it")
