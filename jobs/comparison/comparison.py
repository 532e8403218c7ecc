"""`Comparison`: jobs beside each other, those that differ in nothing but the seed folded, the best first."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jobs.comparison.differences import caveats, differing, same_data
from jobs.comparison.goal import check_metric, common_metrics, goal_of, metrics_by_name, usual_metrics
from jobs.comparison.run import OPEN_STATES, Run
from jobs.comparison.seed_groups import SeedGroup, seed_groups
from jobs.comparison.selection import Selection
from jobs.errors import RedisUnreachable
from jobs.sweeps.outcomes import STOPPED
from jobs.sweeps.sweep_spec import Goal
from jobs.wording import counted


@dataclass(frozen=True, repr=False)
class Comparison:
    """Jobs beside each other.

    Attributes:
        groups: those that succeeded, folded over their seeds, the best first.
        others: the jobs that have not ended, then those that failed, were cancelled, or cannot be read.
        goal: by which number they are ranked; None where there is none that says so.
        best: the first of the groups, if it can be called the best.
        metrics: the names of all numbers by which they can be compared, in the order of their model.
        usual: those that a table has unless it is asked for others, that of the goal first.
        caveats: what makes them hard to compare, one sentence each.
        by_rung: whether trials that a halving sweep trained longer come before all others.
        comparable: whether they read the same data, or are to find the best: else none is called the best.
        selection: the jobs as they were found.
    """

    groups: Sequence[SeedGroup]
    others: Sequence[Run]
    goal: Goal | None
    best: SeedGroup | None
    metrics: Sequence[str]
    usual: Sequence[str]
    caveats: Sequence[str]
    by_rung: bool
    comparable: bool
    selection: Selection

    @classmethod
    def of(cls, selection: Selection, sort: str | None = None) -> "Comparison":
        """Compare jobs.

        Args:
            selection: the jobs.
            sort: the number by which they are ranked, if not that of their sweep or their model's headline.

        Raises:
            InvalidInput: they have no such number.
        """
        ended = [run for run in selection.runs if run.succeeded]
        known = metrics_by_name(run.model for run in ended)
        names = common_metrics(ended, known)
        goal = goal_of(sort, selection.sweeps, names, known)
        by_rung = sort is None and _halved(selection)
        others = sorted((run for run in selection.runs if not run.succeeded), key=_order_of_others)
        lost = places(run for run in others if run.state not in OPEN_STATES)
        groups = sorted(seed_groups(ended), key=lambda group: _order(group, goal, by_rung, lost))
        usual = usual_metrics(goal, names, known, ended)
        comparable = same_data(ended) or any(sweep.varies_data for sweep in selection.sweeps)
        left_behind = selection.sweeps[0].left_behind() if by_rung else set()
        best = _best(groups, others, goal, left_behind) if comparable else None
        about = (goal, best, names, usual, caveats(selection.runs), by_rung, comparable, selection)
        return cls(groups, others, *about)

    def __repr__(self) -> str:
        ranked = f", by {self.goal.name}" if self.goal is not None else ""
        lines = counted(len(self.groups) + len(self.others), "line")
        return f"<Comparison: {counted(len(self.runs), 'job')} on {lines}{ranked}>"

    @property
    def without(self) -> RedisUnreachable | None:
        """Why jobs without a folder are missing: Redis cannot be reached. None where it can."""
        return self.selection.without

    @property
    def runs(self) -> list[Run]:
        """All jobs: those that succeeded with the best first, then the others."""
        return [*(run for group in self.groups for run in group.runs), *self.others]

    @cached_property
    def differing(self) -> list[str]:
        """The names of the values that differ between the jobs, in the order of a table."""
        rows: list[dict[str, Any]] = [group.values for group in self.groups]
        return differing([*rows, *(run.values() for run in self.others)])

    def chosen(self, metrics: Sequence[str], every: bool) -> list[str]:
        """The numbers that a table has.

        Args:
            metrics: the names that were asked for, beside that of the goal.
            every: all there are.

        Raises:
            InvalidInput: the jobs have no such number.
        """
        for name in metrics:
            check_metric("metric", name, self.metrics)
        first = self.usual[:1] if self.goal is not None else []
        if every:
            return list(dict.fromkeys([*first, *self.metrics]))
        return list(dict.fromkeys([*first, *metrics])) if metrics else list(self.usual)


def _halved(selection: Selection) -> bool:
    """Whether these are the trials of one sweep whose rungs are of different lengths."""
    return len(selection.sweeps) == 1 and selection.sweeps[0].halves


def places(runs: Iterable[Run]) -> set[Hashable]:
    """What jobs have in common that were to differ by their seed alone: their settings, their points."""
    runs = list(runs)
    points = {("point", run.sweep, run.point) for run in runs if run.point is not None}
    return {*(("setting", run.setting) for run in runs), *points}


def _order(
    group: SeedGroup, goal: Goal | None, by_rung: bool, lost: set[Hashable]
) -> tuple[int, bool, bool, float]:
    """What is smaller comes first. A group in which a seed has no value has one that diverged.

    Args:
        group: jobs that have succeeded.
        goal: by which they are ranked.
        by_rung: whether those on a higher rung come first.
        lost: the `places` of jobs that ended without success.
    """
    rung = -(group.first.rung or 0) if by_rung else 0
    mean = None if goal is None else group.mean(goal.name)
    if goal is None or mean is None:
        return rung, True, True, 0.0
    whole = len(group.numbers(goal.name)) == len(group.runs)
    lacks = not lost.isdisjoint(places(group.runs))
    return rung, not whole, lacks, mean if goal.goal == "minimize" else -mean


def _order_of_others(run: Run) -> tuple[int, str]:
    return OPEN_STATES.index(run.state) if run.state in OPEN_STATES else len(OPEN_STATES), run.state


def _best(
    groups: Sequence[SeedGroup], others: Sequence[Run], goal: Goal | None, left_behind: set[str]
) -> SeedGroup | None:
    """The first group that ran whole: no seed diverged, was stopped early or is still to come.

    One of which a seed failed, was cancelled or deleted comes after all that lack none, as in a sweep's own
    `best_point`.
    """
    if goal is None or len(groups) < 2:
        return None
    stopped = [run for run in others if run.state == "cancelled" and (run.error or "").startswith(STOPPED)]
    not_promoted = [run for group in groups for run in group.runs if run.id in left_behind]
    unfinished = places([*stopped, *not_promoted, *(run for run in others if run.state in OPEN_STATES)])
    lost = places(others)
    whole = [
        group
        for group in groups
        if len(group.numbers(goal.name)) == len(group.runs) and unfinished.isdisjoint(places(group.runs))
    ]
    lacking_none = (group for group in whole if lost.isdisjoint(places(group.runs)))
    return next(lacking_none, whole[0] if whole else None)
