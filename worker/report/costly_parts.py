"""What takes long of a comparison, remembered from one page to the next: importance, what a model draws."""

import logging
import time
from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any

from jobs.comparison.run import Run
from jobs.ledger.job_record import ENDED
from jobs.sweeps.entry import Outcome
from jobs.sweeps.importance import FEWEST_POINTS, importance
from jobs.sweeps.outcomes import STOPPED
from jobs.sweeps.sweep_spec import SweepSpec
from worker.report.compare_blocks import ModelBlocks, chosen_runs, model_blocks
from worker.report.compare_data import PageOfRuns

log = logging.getLogger(__name__)

Importance = tuple[dict[str, float], str, int]
"""Parameter -> share, the largest first; why there is none; of how many points."""


class CostlyParts:
    """Makes such a part when what it is made of has changed, but not more often than every few seconds."""

    def __init__(self, seconds: float = 0.0) -> None:
        """Nothing is remembered.

        Args:
            seconds: for so long a part of a sweep that runs may be out of date.
        """
        self._seconds = seconds
        self._known: dict[str, tuple[Any, float, Any]] = {}

    def importance(self, comparison: PageOfRuns) -> Importance:
        """How important each parameter of a sweep is; nothing, and no reason, where it is no sweep."""
        sweep, spec = comparison.sweep, comparison.spec
        if sweep is None or spec is None:
            return {}, "", 0
        values = [point.mean(spec.metric.name) for point in comparison.points]
        ended = sum(value is not None and isfinite(value) for value in values)
        if len(spec.varied) < 2:
            return {}, "", ended
        if ended < FEWEST_POINTS:
            return (
                {},
                f"Importance is estimated from {FEWEST_POINTS} points on; {ended} have a result so far.",
                ended,
            )
        outcomes = {entry.job: _outcome(spec, comparison.by_id.get(entry.job)) for entry in sweep.entries}
        key = tuple((job, outcome.state, outcome.value) for job, outcome in outcomes.items())

        def make() -> Importance:
            try:
                shares = importance(spec, sweep.entries, outcomes)
            except ImportError:
                return {}, "Importance needs Optuna and scikit-learn, which are not installed here.", ended
            if shares is None:
                return (
                    {},
                    "Too few points can be compared with each other, or all have the same result.",
                    ended,
                )
            return shares, "", ended

        made: Importance = self._made("importance", key, make, fresh=sweep.state != "running")
        return made

    def blocks(self, comparison: PageOfRuns) -> Sequence[ModelBlocks]:
        """What each model's own part compares."""
        chosen = chosen_runs(comparison)
        key = tuple(
            (model, run.legend, *(folder.id for folder in run.folders.values()))
            for model, runs in chosen.items()
            for run in runs
        )
        fresh = comparison.sweep is None or comparison.sweep.state != "running"
        made: Sequence[ModelBlocks] = self._made("blocks", key, lambda: model_blocks(chosen), fresh=fresh)
        return made

    def _made(self, part: str, key: Any, make: Callable[[], Any], *, fresh: bool = False) -> Any:
        known, made_at, value = self._known.get(part, (None, -self._seconds - 1e9, None))
        now = time.monotonic()
        if known == key or (not fresh and part in self._known and now - made_at < self._seconds):
            return value
        value = make()
        self._known[part] = key, time.monotonic(), value
        return value


def _outcome(sweep: SweepSpec, run: Run | None) -> Outcome:
    """What became of one of a sweep's jobs, by its folder; one without counts as running."""
    if run is None:
        return Outcome("running")
    state = next((each for each in ENDED if each == run.state), "failed")
    value = run.metrics.get(sweep.metric.name)
    number = value if value is not None and isfinite(value) else None
    stopped = state == "cancelled" and (run.error or "").startswith(STOPPED)
    return Outcome(state, number, error=run.error, stopped=stopped)  # type: ignore[arg-type]
