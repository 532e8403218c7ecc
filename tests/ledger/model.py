"""A simple model of the ledger: what each job's record should be."""

from dataclasses import dataclass, field

from jobs.claim import Claim


@dataclass
class Expected:
    """One job as the model sees it."""

    state: str
    needs: set[str] = field(default_factory=set)
    attempt: int = 0
    lost: int = 0
    stop: str = ""
    said: dict[str, int] = field(default_factory=dict)
    token: str = ""
    unpublished: bool = False
    declined: bool = False


@dataclass
class Model:
    """All jobs as the model sees them, by id."""

    jobs: dict[str, Expected] = field(default_factory=dict)

    def end(self, job_id: str, state: str, folder: str = "") -> None:
        job = self.jobs[job_id]
        job.state, job.stop, job.said, job.declined = state, "", {}, False
        job.unpublished = not folder
        for other_id, other in self.jobs.items():
            if other.state == "waiting" and job_id in other.needs:
                other.needs.discard(job_id)
                if state != "succeeded":
                    self.end(other_id, "failed")
                elif not other.needs:
                    other.state = "queued"

    def queue_again(self, job_id: str) -> None:
        job = self.jobs[job_id]
        if job.stop == "cancel":
            self.end(job_id, "cancelled")
        else:
            job.state, job.said = "queued", {}

    def holds(self, claim: Claim) -> bool:
        job = self.jobs[claim.job_id]
        return job.state == "running" and job.token == claim.token

    def running(self) -> list[str]:
        return [job_id for job_id, job in self.jobs.items() if job.state == "running"]
