"""By which number jobs are compared, and which numbers stand beside it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from jobs.comparison.compared_sweep import ComparedSweep
from jobs.comparison.run import Run
from jobs.errors import InvalidInput, InvalidModel
from jobs.sweeps.goals import metrics_of
from jobs.sweeps.sweep_spec import Goal
from jobs.wording import shown

_GOALS: dict[str, Literal["minimize", "maximize"]] = {"lower": "minimize", "higher": "maximize"}


def metrics_by_name(models: Iterable[str]) -> dict[str, Any]:
    """What models say of their numbers, each a `Metric`, the first model's first; none of one that is not
    installed.
    """
    found: dict[str, Any] = {}
    for model in dict.fromkeys(models):
        try:
            found = found | {each.name: each for each in metrics_of(model) if each.name not in found}
        except (InvalidModel, KeyError, AttributeError):  # of another installation
            continue
    return found


def common_metrics(runs: Sequence[Run], known: Mapping[str, Any]) -> list[str]:
    """The numbers that jobs can be compared by, in the order of their model; those of several kinds only by
    what each kind has.
    """
    of_kind: dict[str, set[str]] = {}
    for run in runs:
        of_kind.setdefault(run.kind, set()).update(run.metrics)
    common = set.intersection(*of_kind.values()) if of_kind else set()
    all_names = dict.fromkeys(name for run in runs for name in run.metrics)
    return [name for name in dict.fromkeys([*known, *all_names]) if name in common]


def goal_of(
    sort: str | None, sweeps: Sequence[ComparedSweep], names: Sequence[str], known: Mapping[str, Any]
) -> Goal | None:
    """The number by which jobs are ranked: the one that was asked for, that of their sweeps, or the first of
    which one direction is better.

    Args:
        sort: what was asked for.
        sweeps: whose jobs these are.
        names: of the numbers that can be compared.
        known: what the models say of them.

    Raises:
        InvalidInput: there is no such number.
    """
    if sort is not None:
        check_metric("sort", sort, names)
        better = getattr(known.get(sort), "better", None) or "higher"
        return Goal(name=sort, goal=_GOALS[better])
    goals = [sweep.spec.metric for sweep in sweeps if sweep.spec is not None]
    if goals and all(goal == goals[0] for goal in goals):
        return goals[0]
    first = next((known[name] for name in names if name in known and known[name].better), None)
    return None if first is None else Goal(name=first.name, goal=_GOALS[first.better])


def check_metric(field: str, given: str, names: Sequence[str]) -> None:
    """Refuse a number that the jobs do not have.

    Raises:
        InvalidInput: they have none of that name.
    """
    if not names:
        raise InvalidInput(
            field, expected="nothing, since no number is common to these jobs", given=shown(given)
        )
    if given not in names:
        raise InvalidInput.unknown(field, given, names)


def usual_metrics(
    goal: Goal | None, names: Sequence[str], known: Mapping[str, Any], runs: Sequence[Run]
) -> list[str]:
    """The numbers that a table has unless it is asked for others: the goal, the headline and those that a
    report shows large, without those that are the same everywhere.
    """
    first = [goal.name] if goal is not None and goal.name in names else []
    headline = [name for name in names if name in known][:1]
    large = [name for name in names if getattr(known.get(name), "tile", False)]
    differ = [
        name
        for name in dict.fromkeys([*headline, *large])
        if len(runs) < 2 or len({run.metrics.get(name) for run in runs}) > 1
    ]
    return list(dict.fromkeys([*first, *differ]))
