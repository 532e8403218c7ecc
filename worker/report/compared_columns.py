"""Which columns a comparison has: the parameters that differ, and the metrics."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from math import floor, log10
from typing import Any

from jobs.errors import InvalidModel
from jobs.models import import_part
from jobs.sweeps.sweep_spec import Goal, Halving, SweepSpec
from worker.report.blocks import Metric
from worker.report.compared_points import ComparedPoint, followed_name

EPOCHS = "epochs"
"""The parameter that halving decides."""

MOST_PARAMETERS = 16
MOST_METRICS = 40
FIRST_METRICS = 4
"""Metrics that are shown before a person asks for more."""

LOG_RATIO = 50
"""Positive numbers further apart than that are drawn on a logarithmic axis, unless a sweep says how. So are
three or more of which each is about twice the one before, or more."""

_DOUBLING = 1.9

Value = float | str | None


@dataclass(frozen=True)
class Column:
    """A parameter or a metric.

    Attributes:
        key: `p:` or `m:` with its name.
        label: what it is called.
        unit: what it is measured in, if anything.
        digits: decimals to show; None for as many as it has, to four significant ones.
        better: `lower` or `higher`, where one is.
        log: whether its axis is logarithmic.
        shown: whether the table shows it at first.
    """

    key: str
    label: str
    unit: str = ""
    digits: int | None = None
    better: str | None = None
    log: bool = False
    shown: bool = True

    @property
    def name(self) -> str:
        """By which its values are found."""
        return self.key[2:]


def metrics_of(models: Sequence[str]) -> dict[str, Metric]:
    """The metrics of models by name, the first model's first; models that are not installed have none."""
    found: dict[str, Metric] = {}
    for model in models:
        with suppress(InvalidModel, KeyError, AttributeError, TypeError):
            metrics = import_part(model, "metrics").METRICS
            found = {each.name: each for each in metrics if isinstance(each, Metric)} | found
    return found


def parameter_columns(
    points: Sequence[ComparedPoint], differing: Sequence[str], sweep: SweepSpec | None
) -> list[Column]:
    """The values in which points differ; of a sweep those that it varies, and how long halving had it train.

    Args:
        points: all of them.
        differing: the names of all values that differ.
        sweep: the description of the sweep that they are of.
    """
    if sweep is None:
        return [Column(f"p:{name}", name, log=_is_wide(points, name)) for name in differing[:MOST_PARAMETERS]]
    names = [name for name in sweep.varied if name in differing or len(points) < 2]
    if isinstance(sweep.early_terminate, Halving) and EPOCHS in differing and EPOCHS not in names:
        names.append(EPOCHS)
    return [Column(f"p:{name}", name, log=_is_log(points, name, sweep)) for name in names[:MOST_PARAMETERS]]


def _is_log(points: Sequence[ComparedPoint], name: str, sweep: SweepSpec) -> bool:
    """Whether an axis is logarithmic: where the sweep says so, or its values are far apart."""
    described = sweep.parameters.get(name)
    if described is None or described.listed:
        return _is_wide(points, name)
    return described.log


def _is_wide(points: Sequence[ComparedPoint], name: str) -> bool:
    values = sorted({point.values[name] for point in points if name in point.values}, key=str)
    if not values or not all(isinstance(value, int | float) and value > 0 for value in values):
        return False
    numbers = sorted(values)
    doubles = len(numbers) > 2 and all(b >= _DOUBLING * a for a, b in pairwise(numbers))
    return doubles or numbers[-1] / numbers[0] > LOG_RATIO


def _followed_metrics(points: Sequence[ComparedPoint], metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    """The metrics of jobs that use the compared models; the headline of each action is a tile."""
    found: dict[str, Metric] = {}
    for run in (run for point in points for shown in point.runs for run in shown.followed):
        has = [name for name in metrics if name in run.metrics]
        for name in has:
            key, metric = followed_name(run.action, name), metrics[name]
            low, high = metric.interval or ("", "")
            found[key] = replace(
                metric,
                name=key,
                label=f"{metric.label} ({run.action})",
                tile=name == has[0],
                interval=(followed_name(run.action, low), followed_name(run.action, high)) if low else None,
            )
    return found


def metric_columns(
    points: Sequence[ComparedPoint], metrics: Mapping[str, Metric], goal: Goal | None
) -> list[Column]:
    """The metrics that some run has: the goal, then in the order of the model."""
    there = dict.fromkeys(name for point in points for shown in point.runs for name in shown.metrics)
    metrics = {**metrics, **_followed_metrics(points, metrics)}
    ends = {end for name in there if name in metrics for end in metrics[name].interval or ()}
    first = [goal.name] if goal is not None and goal.name in there else []
    ordered = [name for name in metrics if name in there]
    names = [name for name in dict.fromkeys([*first, *ordered, *there]) if name not in ends or name in first]
    columns: list[Column] = []
    for name in names[:MOST_METRICS]:
        metric = metrics.get(name) or Metric(name, name, _digits(points, name))
        important = name in first or [name] == ordered[:1] or (metric.tile and _varies(points, name))
        shown = important and sum(column.shown for column in columns) < FIRST_METRICS
        columns.append(_metric_column(metric, goal if name in first else None, shown=shown or not columns))
    return columns


def _metric_column(metric: Metric, goal: Goal | None, *, shown: bool) -> Column:
    better = metric.better if goal is None else {"minimize": "lower", "maximize": "higher"}[goal.goal]
    return Column(f"m:{metric.name}", metric.label, metric.unit, metric.digits, better, shown=shown)


def _varies(points: Sequence[ComparedPoint], name: str) -> bool:
    return len({value for point in points for value in point.numbers(name)}) > 1


def _digits(points: Sequence[ComparedPoint], name: str) -> int:
    """Decimals of a number that its model does not name: four digits for the largest, none for counts."""
    values = [value for point in points for value in point.numbers(name)]
    if all(float(value).is_integer() for value in values):
        return 0
    largest = max(abs(value) for value in values)
    return min(8, max(0, 3 - floor(log10(largest))))


def values_of(point: ComparedPoint, columns: Sequence[Column]) -> list[Any]:
    """A point's values: parameters as they are; of a metric mean, deviation and count, or None."""
    return [
        point.values.get(column.name) if column.key.startswith("p:") else _folded(point, column.name)
        for column in columns
    ]


def _folded(point: ComparedPoint, name: str) -> list[float | None] | None:
    mean = point.mean(name)
    return None if mean is None else [mean, point.deviation(name), len(point.numbers(name))]
