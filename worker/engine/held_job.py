"""`HeldJob`: a job that this process has claimed, with all that is needed to work on it."""

from dataclasses import dataclass
from pathlib import Path

from jobs.ledger.job_record import Claim, Record
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from jobs.store.results import Results


@dataclass(frozen=True)
class HeldJob:
    """One attempt at one job, held by this process.

    Attributes:
        settings: of this worker.
        ledger: waits for a Redis that went away, as long as the settings say.
        claim: the job's id and the number of the attempt.
        record: what the ledger knew of the job when it was claimed.
        results: where its folder is staged and published.
    """

    settings: Settings
    ledger: Ledger
    claim: Claim
    record: Record
    results: Results

    @property
    def staging(self) -> Path:
        """The folder that this attempt writes into."""
        return self.results.staging(self.claim.job_id, self.claim.attempt)
