"""Orders and formats a job's numbers for reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.report.blocks import Metric
from worker.report.formatting import number


@dataclass(frozen=True)
class ShownMetric:
    """One number of `metrics.json` with its metric."""

    metric: Metric
    value: float

    @property
    def text(self) -> str:
        """The value, with as many decimals as its metric has."""
        return number(float(self.value), self.metric.digits)


def shown_metrics(metrics_of_model: Sequence[Metric], values: Mapping[str, float]) -> list[ShownMetric]:
    """Order a job's numbers as its model does; a number that the model does not name comes last.

    Args:
        metrics_of_model: the model's METRICS.
        values: the job's `metrics.json`.
    """
    named = {metric.name: metric for metric in metrics_of_model}
    return [
        *(ShownMetric(metric, values[name]) for name, metric in named.items() if name in values),
        *(ShownMetric(Metric(name, name), values[name]) for name in values if name not in named),
    ]


def headline(metrics_of_model: Sequence[Metric], values: Mapping[str, float]) -> dict[str, Any] | None:
    """The one number that lists and the index show: the first of the job's numbers.

    Args:
        metrics_of_model: the model's METRICS.
        values: the job's `metrics.json`.

    Returns:
        Its `label`, `value` and `unit`; None where the job has no number. The value is rounded to its
        metric's digits, or to three significant ones where that would leave zero.
    """
    for first in shown_metrics(metrics_of_model, values)[:1]:
        value = round(first.value, first.metric.digits) or float(f"{first.value:.3g}")
        return {"label": first.metric.label, "value": value, "unit": first.metric.unit}
    return None
