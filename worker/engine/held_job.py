"""`HeldJob`: a job that this process has claimed, with all that is needed to work on it."""

import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from jobs.claim import Claim
from jobs.ledger.job_record import Record
from jobs.ledger.ledger import Ledger
from jobs.settings import Settings
from jobs.store.results import Results


@dataclass(frozen=True)
class HeldJob:
    """One attempt at one job, held by this process.

    Attributes:
        settings: of this worker.
        ledger: waits for a Redis that went away, however long.
        claim: what this process holds.
        record: what the ledger knew of the job when it was claimed.
        results: where its folder is staged and published.
        moved_to: what names its staging folder, once `out_of_reach` has moved it.
    """

    settings: Settings
    ledger: Ledger
    claim: Claim
    record: Record
    results: Results
    moved_to: Claim | None = None

    @property
    def staged_as(self) -> Claim:
        """What names its staging folder."""
        return self.moved_to or self.claim

    @property
    def staging(self) -> Path:
        """The folder that this attempt writes into."""
        return self.results.staging(self.staged_as)

    def folder_was_taken_over(self) -> bool:
        """Whether another attempt has the folder that this one staged; in a failover, both may run."""
        try:
            staged = self.results.staged(self.claim.job_id)
        except OSError:
            return False
        return bool(staged) and self.staging not in staged

    def out_of_reach(self) -> "HeldJob":
        """The same job in a staging folder that its task, which does not stop, no longer finds.

        Raises:
            OSError: the results volume is read-only or gone.
        """
        claim = replace(self.claim, token=secrets.token_hex(8))
        self.staging.rename(self.results.staging(claim))
        return replace(self, moved_to=claim)
