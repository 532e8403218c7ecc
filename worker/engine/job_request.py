"""Celery's result of a job says what the ledger says: in the log, in the events, and so in Flower.

| the job | Celery's log | Flower |
|---|---|---|
| succeeded | succeeded | SUCCESS |
| failed | raised expected: JobFailed | FAILURE |
| cancelled | ignored | REVOKED |
| goes on elsewhere: handed back, superseded, or not claimable | ignored | what the other worker says |
"""

from typing import Any

from celery.exceptions import Ignore
from celery.worker.request import Request

from jobs.errors import JobFailed
from jobs.ledger.job_record import State

CANCELLED = "cancelled"


def raise_unless_succeeded(job_id: str, state: State | None) -> None:
    """End a task of Celery in the way that fits the state of its job.

    Args:
        job_id: the job.
        state: what `execute` returned.

    Raises:
        JobFailed: the job failed.
        Ignore: the job was cancelled, or this worker has nothing to say about it.
    """
    if state == "failed":
        raise JobFailed(f"job {job_id} failed")
    if state != "succeeded":
        raise Ignore(CANCELLED if state == "cancelled" else "")


class JobRequest(Request):  # type: ignore[misc] # Celery has no types
    """A message's way through the main process; Celery would leave a cancelled job STARTED for ever."""

    def on_failure(self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False) -> Any:
        """Handle what the task raised, as Celery calls it."""
        result = super().on_failure(exc_info, send_failed_event=send_failed_event, return_ok=return_ok)
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(error, Ignore) and error.args == (CANCELLED,):
            self.send_event("task-revoked", terminated=False, signum=None, expired=False)
        return result
