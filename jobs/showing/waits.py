"""Why a queued job waits, as far as the workers say."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from jobs.errors import RedisUnreachable
from jobs.wording import alternatives, counted, first_few

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.job import Job

ASK_SECONDS = 2.0

MOST_WORKERS = 3
"""Workers that are quoted."""


def why_a_sweep_waits(state: str, client: "Client") -> str | None:
    """What a sweep waits for, to be read after `waits`; None where workers advance it, or it has ended."""
    if state != "running" or client.ledger.workers():
        return None
    return "for a worker, which advances it; none is running (`quartet up` starts some)"


class Followed:
    """What a job that is followed waits for; Redis is asked every few seconds."""

    def __init__(self, client: "Client", *, workers_come: bool = False) -> None:
        """Ask nothing yet.

        Args:
            client: asks Redis.
            workers_come: whether somebody is starting one, so that it is no news that there is none.
        """
        self._client, self._workers_come = client, workers_come
        self._asked, self._found = -ASK_SECONDS, ""

    def __call__(self, job: "Job") -> str:
        """What it waits for, to be read after `waits`; empty for one that is not queued or about to run."""
        if job.state != "queued":
            return ""
        if time.monotonic() - self._asked >= ASK_SECONDS:
            self._asked = time.monotonic()
            try:
                self._found = self._ask(job) or ""
            except RedisUnreachable:  # whoever follows the job waits for it
                self._found = ""
        return self._found

    def _ask(self, job: "Job") -> str | None:
        ledger = self._client.ledger
        workers = ledger.workers()
        if not workers and self._workers_come:
            return None
        return why_it_waits(job, workers, sum(each < job.id for each in ledger.ids("queued")))


def why_it_waits(job: "Job", workers: Mapping[str, Mapping[str, str]], before: int = 0) -> str | None:
    """What a queued job waits for, to be read after `waits`; None where it is the next one of a worker.

    Args:
        job: the job.
        workers: each live worker -> what it announced.
        before: how many jobs were queued before it and have not begun.
    """
    if job.state != "queued":
        return None
    if job.declined:
        why = next(iter(job.declined.values()))
        others = sorted(name for name, about in workers.items() if about.get("kind") not in job.declined)
        whom = alternatives(first_few(others, MOST_WORKERS)) if others else "a worker that understands it"
        return f"for {whom}; those that were asked do not understand it ({why})"
    if not workers:
        return "for a worker; none is running (`quartet up` starts some)"
    waiting = {name: str(about["waiting"]) for name, about in workers.items() if about.get("waiting")}
    if len(waiting) < len(workers):
        return f"for a worker; {counted(before, 'job')} queued before it" if before else None
    some = [f"{name} waits {why}" for name, why in sorted(waiting.items())[:MOST_WORKERS]]
    more = len(waiting) - len(some)
    return f"for a worker: {'; '.join(some)}" + (f"; and {more:,} more" if more else "")
