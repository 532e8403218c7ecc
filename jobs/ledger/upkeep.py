"""What puts back what was lost, in the ledger: the sweeper of a worker calls it, and `quartet rebuild`."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from jobs.claim import Claim
from jobs.errors import InvalidJob
from jobs.ledger.drain_record import KEPT_SECONDS, DrainRecord
from jobs.ledger.job_record import STATES, LossReason, State
from jobs.ledger.messages import PRIORITIES, list_of, task_name
from jobs.ledger.reader import LedgerReader, in_milliseconds
from jobs.parameters import ACTIONS
from jobs.specs.stored_spec import StoredSpec

Name = TypeVar("Name", bound=str)


class LedgerUpkeep(LedgerReader):
    """The transitions that no job asks for.

    Every method raises RedisUnreachable when Redis cannot be reached.
    """

    def restore(
        self,
        job_id: str,
        stored: StoredSpec,
        state: str,
        *,
        submitted: int,
        attempt: int,
        needs: list[str],
        fields: dict[str, Any],
    ) -> bool:
        """Write a job that the ledger lost.

        Args:
            job_id: the job's id.
            stored: the job.
            state: how it ended; any other state queues it, or lets it wait for the jobs it depends on.
            submitted: milliseconds since 1970.
            attempt: the number of its latest attempt.
            needs: the ids of the jobs it depends on.
            fields: other fields of its record.

        Returns:
            False if the ledger knows the job; nothing was written then.

        Raises:
            InvalidJob: its action or priority is none of ours.
        """
        action, priority = (
            _listed("action", stored.action, ACTIONS),
            _listed("priority", stored.priority, PRIORITIES),
        )
        arguments = (job_id, state, submitted, attempt, stored.name or "", list_of(action, priority))
        pairs = [part for pair in ({"spec": stored.to_json()} | fields).items() for part in pair]
        task = task_name(stored.model, action)
        return bool(self.run("restore", str, *arguments, task, json.dumps(needs), *pairs))

    def offer(self, job_ids: list[str]) -> int:
        """Wake a worker for each of these declined jobs.

        Returns:
            For how many.
        """
        return self.run("offer", int, *job_ids) if job_ids else 0

    def record_loss(
        self, claim: Claim, max_losses: int, why: str, reason: LossReason = "lease_expired"
    ) -> State | None:
        """Record that a job's worker died: the job is queued again, or ends.

        Args:
            claim: what the worker held.
            max_losses: how many deaths fail the job; one that was asked to stop is cancelled instead.
            why: how the worker died, for the timeline.
            reason: as what it is counted.

        Returns:
            The job's new state, None if the claim does not hold it.
        """
        after = self.run("record_loss", str, claim.job_id, claim.token, max_losses, why, reason)
        return next((state for state in STATES if state == after), None)

    def resend(self, grace_seconds: float) -> int:
        """Send a message for each queued job that has been without one for `grace_seconds`.

        Returns:
            How many were sent.
        """
        return self.run("resend", int, in_milliseconds(grace_seconds))

    def recheck_waiting(self, after: str = "") -> tuple[int, str]:
        """Check again the jobs that the next hundred waiting jobs depend on.

        Args:
            after: the last id of the call before, empty to begin.

        Returns:
            How many waiting jobs were queued or failed, and the last id, empty after the last job.
        """
        moved, last = self.run("recheck_waiting", list, after)
        return int(moved), last

    def published(self, job_id: str, folder: str) -> None:
        """Record the folder of an ended job that had none."""
        self.run("published", int, job_id, folder)

    def forget(self, older_than_seconds: float) -> int:
        """Remove published jobs that ended longer ago, at most 500.

        Returns:
            How many.
        """
        return self.run("forget", int, in_milliseconds(older_than_seconds))

    def saved(self, job_id: str, changes: str) -> None:
        """Note that a job's record was saved as it was after `changes` changes, as `changed` gave them."""
        self.run("saved", int, job_id, changes)

    def recount(self, most: int = 200) -> bool:
        """Count the next jobs anew for `measure`, whose counts each transition keeps.

        Args:
            most: so many.

        Returns:
            Whether all are counted; the next call begins from the first job then.
        """
        return bool(self.run("recount", int, most))

    def adopt(self) -> int:
        """Bring jobs of Quartet 0.1 up to date, at most a hundred.

        Returns:
            How many.
        """
        return self.run("adopt", int)

    def announce_worker(self, name: str, about: dict[str, str], seconds: float) -> None:
        """Record that a worker is alive.

        Args:
            name: the worker's name.
            about: what it announces, as `workers` returns it.
            seconds: how long from now until the record expires.
        """
        key, milliseconds = f"{self.prefix}worker:{name}", in_milliseconds(seconds)
        self.ask(lambda redis: redis.set(key, json.dumps(about), px=milliseconds))
        self.ask(lambda redis: redis.sadd(f"{self.prefix}workers", name))

    def drain(self, name: str, asked: DrainRecord) -> None:
        """Ask a worker to take no more jobs and to stop.

        Args:
            name: the worker's name.
            asked: of which process, and what becomes of its job.
        """
        key, milliseconds = self.drain_key(name), in_milliseconds(KEPT_SECONDS)
        self.ask(lambda redis: redis.set(key, asked.to_json(), px=milliseconds))

    def end_drain(self, name: str, asked: DrainRecord) -> None:
        """Note that a drained worker has stopped, and forget it; only it itself knows.

        Args:
            name: the worker's name.
            asked: what it was asked.
        """
        # What it announced expires, and is read of no worker that is not among these.
        self.ask(lambda redis: redis.srem(f"{self.prefix}workers", name))
        self.drain(name, replace(asked, stopped=True))

    def drop_dead_workers(self) -> None:
        """Forget the names of workers whose announcement expired."""
        alive = self.workers()
        names = self.ask(lambda redis: redis.smembers(f"{self.prefix}workers"))
        dead = [name for name in names if name not in alive]
        if dead:
            self.ask(lambda redis: redis.srem(f"{self.prefix}workers", *dead))

    def lock(self, name: str, token: str, seconds: float) -> bool:
        """Take or extend a lock.

        Args:
            name: of the lock.
            token: identifies the holder.
            seconds: how long from now until it expires.

        Returns:
            Whether `token` holds it.
        """
        return bool(self.run("lock", int, name, token, in_milliseconds(seconds)))


def _listed(field: str, value: str, names: Iterable[Name]) -> Name:
    for name in names:
        if name == value:
            return name
    raise InvalidJob.unknown(field, value, names)
