"""`Claim`: what a worker holds while it runs a job."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """A job that a worker holds.

    Attributes:
        job_id: the job.
        attempt: the number of the attempt, for people and for the name of its staging folder.
        token: identifies the claim. A number does not: a Redis that lost the tail of its file gives it twice.
    """

    job_id: str
    attempt: int
    token: str
