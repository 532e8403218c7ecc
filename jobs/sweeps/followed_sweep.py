"""The part of `Sweep` that waits: it looks again and again, until the sweep has ended or was stopped."""

import math
import time
from collections.abc import Generator, Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from jobs.errors import NotEnded, RedisUnreachable
from jobs.sweeps.trial import Trial

if TYPE_CHECKING:
    from jobs.sweeps.sweep import Sweep

LOOK_SECONDS = 1.0
"""Between two looks at a sweep that is waited for."""


class FollowedSweep:
    """A sweep that can be waited for, and iterated."""

    def wait(self, timeout: float | timedelta | None = None, *, progress: bool = False) -> "Sweep":
        """Wait until it has ended or was stopped; it is returned.

        Args:
            timeout: how long to wait at most, in seconds or as a timedelta; None for as long as it takes.
            progress: show how far it is: in a notebook as a card, else on standard error.

        Raises:
            NotEnded: it has not ended by then, and goes on.
            RedisUnreachable: Redis went away and did not come back within `redis_patience_seconds`.
        """
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        sweep, looks = cast("Sweep", self), self._looks(seconds)
        if progress:
            from jobs.notebook.progress import follow_sweep

            follow_sweep(sweep, looks)
        for _ in looks:
            pass
        return sweep

    def __await__(self) -> "Generator[Any, None, Sweep]":
        """Wait, without holding up other tasks, until it has ended or was stopped; it is returned.

        Raises:
            RedisUnreachable: as `wait` does.
        """
        return self._awaited().__await__()

    async def _awaited(self) -> "Sweep":
        import asyncio  # few await, and it takes a while

        while (sweep := await asyncio.to_thread(self._look)).state == "running":
            await asyncio.sleep(LOOK_SECONDS)
        return sweep

    def __iter__(self) -> Iterator[Trial]:
        """Each trial's job as it ends, until the sweep has ended or was stopped.

        Raises:
            RedisUnreachable: as `wait` does.
        """
        return self.ended_trials(self._looks(None))

    def ended_trials(self, looks: "Iterable[Sweep]") -> Iterator[Trial]:
        """Each trial's job as it is found to have ended, at one of these looks."""
        seen: set[str] = set()
        for sweep in looks:
            for each in sweep.jobs:
                if each.job not in seen and sweep.outcomes[each.job].ended:
                    seen.add(each.job)
                    yield each

    def _looks(self, seconds: float | None) -> "Iterator[Sweep]":
        """It, after each look, until it has ended or was stopped."""
        deadline = math.inf if seconds is None else time.monotonic() + seconds
        while True:
            sweep = self._look()
            yield sweep
            if sweep.state != "running":
                return
            if time.monotonic() > deadline:
                raise NotEnded(f"sweep {sweep.name} has not ended after {seconds:g} s")
            time.sleep(LOOK_SECONDS)

    def _look(self) -> "Sweep":
        """Look at it again, with patience while Redis is away."""
        sweep = cast("Sweep", self)
        deadline = time.monotonic() + sweep._client.settings.redis_patience_seconds
        while True:
            try:
                _ = sweep.refresh().outcomes
                return sweep
            except RedisUnreachable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_SECONDS)
