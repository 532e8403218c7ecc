"""Orders and formats a job's numbers for reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from worker.report.blocks import Metric
from worker.report.formatting import number, rounded_number

MOST_TILES = 4
"""Numbers that are shown large beside the headline."""


@dataclass(frozen=True)
class ShownMetric:
    """One number of `metrics.json` with its metric, and with the ends of its 95 % interval if it has one."""

    metric: Metric
    value: float
    ends: tuple[float, float] | None = None

    @property
    def text(self) -> str:
        """The value, with as many decimals as its metric has."""
        return self._formatted(self.value)

    @property
    def interval(self) -> str:
        """`0.8123 to 0.8456`; empty where there is none."""
        return " to ".join(map(self._formatted, self.ends or ()))

    def _formatted(self, value: float) -> str:
        if self.metric.digits is None:
            return rounded_number(float(value))
        return number(_exact(value, self.metric.digits), self.metric.digits)


@dataclass(frozen=True)
class Numbers:
    """A job's numbers as its page shows them.

    Attributes:
        headline: the first of them; None where the job has none, or is about what it made.
        tiles: those that are shown beside it.
        all: in the order of the model, the headline first.
    """

    headline: ShownMetric | None
    tiles: Sequence[ShownMetric]
    all: Sequence[ShownMetric]


def numbers_of(metrics_of_model: Sequence[Metric], values: Mapping[str, float], action: str) -> Numbers:
    """Choose what a page shows of a job's numbers, and where.

    Args:
        metrics_of_model: the model's METRICS.
        values: the job's `metrics.json`.
        action: what the job did; `generate` has tiles alone.
    """
    shown = shown_metrics(metrics_of_model, values)
    tiles = [each for each in shown[1:] if each.metric.tile][:MOST_TILES]
    if action == "generate":
        return Numbers(None, [*shown[:1], *tiles][:MOST_TILES], shown)
    return Numbers(shown[0] if shown else None, tiles, shown)


def shown_metrics(metrics_of_model: Sequence[Metric], values: Mapping[str, float]) -> list[ShownMetric]:
    """Order a job's numbers as its model does; a number that the model does not name comes last.

    Args:
        metrics_of_model: the model's METRICS.
        values: the job's `metrics.json`.
    """
    named = {metric.name: metric for metric in metrics_of_model}
    intervals = {name: _ends(metric, values) for name, metric in named.items() if name in values}
    within = {end for name, ends in intervals.items() if ends for end in named[name].interval or ()}
    return [
        *(
            ShownMetric(_at(named[name], values), values[name], ends)
            for name, ends in intervals.items()
            if name not in within
        ),
        *(
            ShownMetric(Metric(name, name, 0 if float(value).is_integer() else 4), value)
            for name, value in values.items()
            if name not in named and name not in within
        ),
    ]


def _at(metric: Metric, values: Mapping[str, float]) -> Metric:
    """The metric with the number at which it is measured behind its label: `Balanced accuracy at 0.5`."""
    if metric.at not in values:
        return metric
    return replace(metric, label=f"{metric.label} at {rounded_number(values[metric.at])}")


def _ends(metric: Metric, values: Mapping[str, float]) -> tuple[float, float] | None:
    low, high = metric.interval or ("", "")
    return (values[low], values[high]) if low in values and high in values else None


def _exact(value: float, digits: int) -> float:
    """The nearest integer, where no decimals are shown and it is not zero."""
    return (round(value) or value) if digits == 0 else float(value)


def in_order(metrics_of_model: Sequence[Metric], values: Mapping[str, float]) -> dict[str, float]:
    """A job's numbers in the order of its model, the headline first; what the model does not name is last."""
    names = [metric.name for metric in metrics_of_model if metric.name in values]
    return {name: values[name] for name in dict.fromkeys([*names, *values])}


def headline(metrics_of_model: Sequence[Metric], values: Mapping[str, float]) -> dict[str, Any] | None:
    """The one number that lists and the index show: the first of the job's numbers.

    Args:
        metrics_of_model: the model's METRICS.
        values: the job's `metrics.json`.

    Returns:
        Its `label`, `value` and `unit`; None where the job has no number. The value is rounded to its
        metric's digits, an integer where it has none, or to three significant ones where that would leave
        zero.
    """
    for first in shown_metrics(metrics_of_model, values)[:1]:
        digits = first.metric.digits
        value = first.value if digits is None else round(first.value, digits or None)
        if not value and first.value:
            value = float(f"{first.value:.3g}")
        return {"label": first.metric.label, "value": value, "unit": first.metric.unit}
    return None
