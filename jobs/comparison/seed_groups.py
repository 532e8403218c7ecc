"""Folds jobs that differ in nothing but the seed."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev
from typing import Any

from jobs.comparison.run import Run


@dataclass(frozen=True)
class SeedGroup:
    """Jobs that have succeeded and differ in nothing but the seed, of which no two have the same.

    Attributes:
        runs: at least one, by their seeds.
    """

    runs: Sequence[Run]

    @property
    def first(self) -> Run:
        """One of them, which has all that they have in common."""
        return self.runs[0]

    @cached_property
    def values(self) -> dict[str, Any]:
        """All in which they may differ from others."""
        return self.first.values()

    def numbers(self, metric: str) -> list[float]:
        """A metric of each that has it."""
        return [run.metrics[metric] for run in self.runs if metric in run.metrics]

    def mean(self, metric: str) -> float | None:
        """The mean of a metric over the seeds; None if none has it."""
        found = self.numbers(metric)
        return fmean(found) if found else None

    def deviation(self, metric: str) -> float | None:
        """The standard deviation of a metric, by n - 1; None below two values."""
        found = self.numbers(metric)
        return stdev(found) if len(found) > 1 else None


def seed_groups(runs: Iterable[Run]) -> list[SeedGroup]:
    """Fold jobs; those that differ in nothing at all stay apart.

    Args:
        runs: the newest first.
    """
    found: dict[tuple[Hashable, int], dict[tuple[Any, ...], Run]] = {}
    for run in runs:
        conditions, turn = run.conditions, 0
        while run.seeds in found.get((conditions, turn), {}):
            turn += 1
        found.setdefault((conditions, turn), {})[run.seeds] = run
    return [SeedGroup([group[seeds] for seeds in sorted(group)]) for group in found.values()]
