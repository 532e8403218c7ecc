"""Every job's state in Redis: submit, claim, renew, report progress, finish.

The ledger is the truth and a Celery message is only a wake-up call. Each transition is one Lua
script (`lua/`), so a job is in exactly one state whatever dies. Only a claim raises the attempt number, which
tells the worker that holds a job from one that held it before.

    waiting (for another job) → queued → running → succeeded | failed | cancelled
"""

import json
from typing import Any

from jobs.errors import InvalidJob, JobConflict, LeaseLost, UnknownJob
from jobs.ledger.connection import in_sentences
from jobs.ledger.job_record import FIELDS, Claim, FreshClaim, State, state_phrase
from jobs.ledger.messages import list_of, message
from jobs.ledger.reader import PREFIX, LedgerReader, in_milliseconds, key_of
from jobs.spec import JobSpec


class Ledger(LedgerReader):
    """All transitions of all jobs.

    Every method raises RedisUnreachable when Redis cannot be reached.
    """

    def submit(self, job_id: str, spec: JobSpec, continues: str | None = None) -> State:
        """Write a new job in one step: `queued` with its message, or `waiting` for the jobs it depends on.

        Args:
            job_id: a new id; the same job may be submitted again under it when the answer was lost.
            spec: the job.
            continues: the id of the job whose checkpoint it resumes from.

        Returns:
            The job's state.

        Raises:
            InvalidJob: a job it depends on failed or was cancelled; nothing was written.
            JobConflict: another job has this id.
        """
        needs = [needed for needed, _ in spec.needs().values()]
        answer = self.run(
            "submit",
            job_id,
            spec.to_json(),
            spec.name or "",
            list_of(spec),
            message(job_id, spec),
            continues or "",
            *needs,
        )
        if answer[0] == "refused":
            raise InvalidJob(
                "from",
                expected="a training job that succeeded or will run",
                given=f"job {answer[1]}, which {state_phrase(answer[2])}",
            )
        if answer[0] == "exists":
            raise JobConflict("job", expected="a new id", given=f"{job_id}, which another job has")
        state: State = answer[0]
        return state

    def restore(
        self, job_id: str, spec: JobSpec, state: str, submitted: int, attempt: int, fields: dict[str, Any]
    ) -> bool:
        """Write a job that the ledger lost.

        Args:
            job_id: the job's id.
            spec: the job.
            state: how it ended, or `queued`.
            submitted: milliseconds since 1970.
            attempt: the number of its latest attempt.
            fields: other fields of its record.

        Returns:
            False if the ledger knows the job; nothing was written then.
        """
        pairs = [part for pair in (fields | {"list": list_of(spec)}).items() for part in pair]
        return bool(self.run("restore", job_id, state, submitted, message(job_id, spec), attempt, *pairs))

    def claim(self, job_id: str, worker: str, lease_seconds: float, token: str) -> FreshClaim | None:
        """Claim a queued job: its lease and its attempt number are set in one step.

        Args:
            job_id: the job's id.
            worker: this worker's name.
            lease_seconds: how long the claim holds without a heartbeat.
            token: the process id, a dot, and text that is new for each delivery: so a claim may be sent again
                when its answer was lost.

        Returns:
            The claim, None if the job is not claimable.
        """
        values = self.run("claim", job_id, worker, in_milliseconds(lease_seconds), token, *FIELDS)
        if not values:
            return None
        return FreshClaim(job_id, int(values[FIELDS.index("attempt")]), values)

    def renew(self, claim: Claim, lease_seconds: float) -> str:
        """Renew the lease.

        Args:
            claim: the attempt that holds it.
            lease_seconds: how long it holds from now on without a heartbeat.

        Returns:
            The pending request: `""`, `"cancel"` or `"hand back"`.

        Raises:
            LeaseLost: another attempt holds the job, or it has ended.
        """
        answer: str = self.run("renew", claim.job_id, claim.attempt, in_milliseconds(lease_seconds))
        if answer == "lost":
            raise _lease_lost(claim)
        return answer

    def asked(self, claim: Claim) -> str:
        """The pending request, as `renew` returns it, without renewing the lease.

        Raises:
            LeaseLost: another attempt holds the job, or it has ended.
        """
        with in_sentences(self.url):
            stop, attempt, state = self.redis.hmget(key_of(claim.job_id), ["stop", "attempt", "state"])
        if state != "running" or attempt != str(claim.attempt):
            raise _lease_lost(claim)
        return stop or ""

    def progress(self, claim: Claim, values: dict[str, Any]) -> None:
        """Add to the job's progress stream; dropped if another attempt holds the job."""
        self.run("progress", claim.job_id, claim.attempt, json.dumps(values))

    def log_event(self, claim: Claim, text: str) -> None:
        """Add a line to the job's timeline; dropped if another attempt holds the job."""
        self.run("log_event", claim.job_id, claim.attempt, text)

    def finish(
        self,
        claim: Claim,
        state: State,
        *,
        error: str | None = None,
        folder: str = "",
        headline: dict[str, Any] | None = None,
    ) -> None:
        """End a job, and queue the jobs that waited for it.

        Args:
            claim: the attempt that ends it.
            state: succeeded, failed or cancelled.
            error: why it failed or was cancelled.
            folder: the name of its published folder; if empty, the sweeper writes the folder of a failed job.
            headline: its most important metric.

        Raises:
            LeaseLost: another attempt holds the job, or it has ended in another state.
        """
        arguments = (state, error or "", folder, json.dumps(headline))
        if not self.run("finish", claim.job_id, claim.attempt, *arguments):
            raise _lease_lost(claim)

    def hand_back(self, claim: Claim, reason: str) -> None:
        """Queue a job again that its worker hands back; this does not count as a death of the worker."""
        self.run("hand_back", claim.job_id, claim.attempt, reason)

    def ask_hand_back(self, worker: str) -> int:
        """Ask `worker` to hand back the jobs that it runs.

        Returns:
            How many jobs.
        """
        return int(self.run("ask_hand_back", worker))

    def cancel(self, job_id: str) -> State:
        """Cancel a job that has not started; ask a running one to stop.

        Returns:
            The state that the job was in.

        Raises:
            UnknownJob: there is no such job.
        """
        state: State | None = self.run("cancel", job_id)
        if state is None:
            raise UnknownJob("job", expected="the id of a job in this Redis", given=repr(job_id))
        return state

    def record_loss(self, job_id: str, attempt: int, max_losses: int, why: str) -> State | None:
        """Record that a job's worker died: the job is queued again, or fails.

        Args:
            job_id: the job's id.
            attempt: the attempt that the worker held.
            max_losses: how many deaths fail the job.
            why: how the worker died, for the timeline.

        Returns:
            The job's new state, None if that attempt does not hold it.
        """
        return self.run("record_loss", job_id, attempt, max_losses, why) or None

    def expired(self) -> list[tuple[str, int]]:
        """The jobs whose lease has run out: id and attempt, at most 1,000."""
        answer = self.run("expired")
        return [(job_id, int(attempt)) for job_id, attempt in zip(answer[::2], answer[1::2], strict=True)]

    def resend(self, grace_seconds: float) -> int:
        """Send a message for each queued job that has been without one for `grace_seconds`.

        Returns:
            How many were sent.
        """
        return int(self.run("resend", in_milliseconds(grace_seconds)))

    def recheck_waiting(self) -> int:
        """Check again the jobs that waiting jobs depend on.

        Returns:
            How many waiting jobs were queued or failed.
        """
        return int(self.run("recheck_waiting"))

    def published(self, job_id: str, folder: str) -> None:
        """Record the folder of a failed job; empty if none can be written."""
        with in_sentences(self.url):
            self.redis.hset(key_of(job_id), "folder", folder)
            self.redis.srem(PREFIX + "unpublished", job_id)

    def announce_worker(self, name: str, about: dict[str, str], seconds: float) -> None:
        """Record that a worker is alive.

        Args:
            name: the worker's name.
            about: what it announces, as `workers` returns it.
            seconds: how long from now until the record expires.
        """
        with in_sentences(self.url):
            self.redis.set(f"{PREFIX}worker:{name}", json.dumps(about), px=in_milliseconds(seconds))

    def lock(self, name: str, token: str, seconds: float) -> bool:
        """Take or extend a lock.

        Args:
            name: of the lock: its key in Redis.
            token: identifies the holder.
            seconds: how long from now until it expires.

        Returns:
            Whether `token` holds it.
        """
        with in_sentences(self.url):
            if self.redis.set(name, token, px=in_milliseconds(seconds), nx=True):
                return True
            if self.redis.get(name) != token:
                return False
            return bool(self.redis.pexpire(name, in_milliseconds(seconds)))


def _lease_lost(claim: Claim) -> LeaseLost:
    return LeaseLost(f"attempt {claim.attempt} of job {claim.job_id} no longer holds it")
