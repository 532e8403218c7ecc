"""The points of a page: the lines of a comparison, each with the jobs that were to be of it and failed."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import Any

from jobs.comparison.compared_sweep import ComparedSweep
from jobs.comparison.comparison import Comparison, places
from jobs.comparison.run import GONE, OPEN_STATES, Run
from jobs.comparison.seed_groups import SeedGroup
from worker.report.formatting import clipped

LONGEST_LABEL = 80
"""Characters of what a point is called."""

LONGEST_TEXT = 300
"""Characters of a value that the page holds."""


def followed_name(action: str, name: str) -> str:
    """What a metric is called of a job that uses the model of the one that is compared."""
    return f"{action}: {name}"


@dataclass(frozen=True)
class Shown:
    """One run of a point.

    Attributes:
        run: the job: of a trial that was promoted, the last one.
        followed: the jobs that use its model.
        epochs: so many the sweep had it train; None where the sweep does not decide that.
    """

    run: Run
    followed: Sequence[Run] = ()
    epochs: int | None = None

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """Its numbers, and those of the jobs that use its model, by `followed_name`."""
        others = {
            followed_name(run.action, name): value
            for run in self.followed
            for name, value in run.metrics.items()
        }
        return {**self.run.metrics, **others}


@dataclass(frozen=True)
class ComparedPoint:
    """Runs that differ by their seed alone.

    Attributes:
        label: what it is called.
        values: all in which it may differ from others, by name.
        runs: its runs, those that did not succeed last.
    """

    label: str
    values: Mapping[str, Any]
    runs: Sequence[Shown]

    @cached_property
    def _group(self) -> SeedGroup:
        """The runs that count: those that succeeded, or all of a point of which none did."""
        succeeded = [shown for shown in self.runs if shown.run.succeeded] or self.runs
        return SeedGroup([replace(shown.run, metrics=shown.metrics) for shown in succeeded])

    def numbers(self, name: str) -> list[float]:
        """A metric of those of its runs that count and have it."""
        return self._group.numbers(name)

    def mean(self, name: str) -> float | None:
        """The mean of a metric over its runs; None if none has it."""
        return self._group.mean(name)

    def deviation(self, name: str) -> float | None:
        """The standard deviation of one run's value, by n - 1; None below two runs."""
        return self._group.deviation(name)


def points_of(
    comparison: Comparison, followed: Mapping[str, Sequence[Run]], epochs: Mapping[str, int]
) -> list[ComparedPoint]:
    """The lines of a comparison, the best first, then what succeeded with no seed; open jobs are in none.

    Args:
        comparison: the jobs.
        followed: a job -> the jobs that use its model.
        epochs: a job -> so many its sweep had it train.
    """
    members: list[list[Run]] = [list(group.runs) for group in comparison.groups]
    at: dict[Hashable, list[Run]] = {}
    for runs in members:
        for place in places(runs):
            at.setdefault(place, runs)
    for run in comparison.others:
        if run.state in OPEN_STATES or run.state == GONE:
            continue
        own = places([run])
        beside = next((at[place] for place in own if place in at), None)
        if beside is None:
            members.append(beside := [])
        beside.append(run)
        for place in own:
            at.setdefault(place, beside)
    sweeps = comparison.selection.sweeps
    return [
        ComparedPoint(
            _label(runs, sweeps[0] if len(sweeps) == 1 else None),
            {name: _plain(value) for name, value in runs[0].values().items()},
            [Shown(run, followed.get(run.id, ()), epochs.get(run.id)) for run in runs],
        )
        for runs in members
    ]


def _label(runs: Sequence[Run], sweep: ComparedSweep | None) -> str:
    """The number of a sweep's trial or point; the names of other runs, one for all where they differ in what
    is after the last dash alone.
    """
    [first, *_] = runs
    if sweep is not None and sweep.spec is not None and first.sweep == sweep.name and first.point is not None:
        return f"{'trial' if len(sweep.spec.seeds) == 1 else 'point'} {first.point}"
    names = [run.name or run.id for run in runs]
    if len(names) == 1:
        return clipped(names[0], LONGEST_LABEL)
    if first.point is not None and {(run.sweep, run.point) for run in runs} == {(first.sweep, first.point)}:
        return clipped(f"{first.sweep}, point {first.point}", LONGEST_LABEL)
    stems = {name.rpartition("-")[0] for name in names}
    stem = next(iter(stems)) if len(stems) == 1 else ""
    return clipped(stem or f"{names[0]} and {len(names) - 1} more", LONGEST_LABEL)


def _plain(value: Any) -> Any:
    """A value that can be compared and shown: a number, or text."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, int | float):
        return value if _is_exact(value) else str(value)
    if isinstance(value, list | tuple):
        return clipped(", ".join(str(_plain(each)) for each in value), LONGEST_TEXT)
    return clipped(str(value), LONGEST_TEXT)


def _is_exact(value: float) -> bool:
    """Whether JavaScript can hold a number."""
    return isfinite(value) if isinstance(value, float) else abs(value) < 2**53
