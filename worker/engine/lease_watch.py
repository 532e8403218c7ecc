"""`LeaseWatch`: finds the jobs whose worker no longer renews its lease."""

from collections.abc import Iterable

from jobs.claim import Claim
from jobs.ledger.job_record import Held


class LeaseWatch:
    """Watches all claims by a clock of its own, which runs only while it can see them.

    No wall clock decides that a worker is lost, neither Redis' nor a worker's: they jump when a laptop wakes
    up or its time is set. And no time counts while Redis is away, since no worker can renew then.
    """

    def __init__(self, lease_seconds: float, longest_gap: float) -> None:
        """Nothing has been seen yet.

        Args:
            lease_seconds: how long a claim may stay silent.
            longest_gap: the time between two looks that counts at most: this process may have been frozen.
        """
        self._lease_seconds = lease_seconds
        self._longest_gap = longest_gap
        self._clock = 0.0
        self._looked: float | None = None
        self._heard: dict[Claim, tuple[str, float]] = {}

    def look(self, held: Iterable[Held], now: float) -> list[Claim]:
        """Look at all claims.

        Args:
            held: the claims, as the ledger has them now.
            now: seconds of a clock that never goes back.

        Returns:
            Those that have been silent for a lease.
        """
        if self._looked is not None:
            self._clock += min(now - self._looked, self._longest_gap)
        self._looked = now
        before, self._heard = self._heard, {}
        for each in held:
            heard, since = before.get(each.claim, ("", 0.0))
            self._heard[each.claim] = (each.heard, since if heard == each.heard else self._clock)
        return [
            claim for claim, (_, since) in self._heard.items() if self._clock - since > self._lease_seconds
        ]

    def look_away(self) -> None:
        """The claims cannot be seen: time does not count until the next look."""
        self._looked = None
