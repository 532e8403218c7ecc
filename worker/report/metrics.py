"""The numbers of a job as a person reads them: which come first, and how they are written."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.report.parts import Metric
from worker.report.words import number


@dataclass(frozen=True)
class ShownMetric:
    """One number of `metrics.json` beside what it means."""

    metric: Metric
    value: float

    @property
    def text(self) -> str:
        """The value with as many digits as its metric asks for."""
        return number(float(self.value), self.metric.digits)


def shown_metrics(model: str, metrics: Mapping[str, float]) -> list[ShownMetric]:
    """The numbers in the order of the model's METRICS; one that it does not name comes last, as it is.

    Loads the model's task module, and with it TensorFlow.
    """
    known: tuple[Metric, ...] = importlib.import_module(f"worker.tasks.{model}").METRICS
    named = {metric.name: metric for metric in known}
    return [
        *(ShownMetric(metric, metrics[name]) for name, metric in named.items() if name in metrics),
        *(ShownMetric(Metric(name, name), metrics[name]) for name in metrics if name not in named),
    ]


def headline(model: str, metrics: Mapping[str, float]) -> dict[str, Any] | None:
    """The one number that lists and the index show: `label`, `value`, `unit`; None if there is no number.

    The value is rounded to its metric's digits, unless nothing would be left of it.
    Loads the model's task module, and with it TensorFlow.
    """
    for first in shown_metrics(model, metrics)[:1]:
        value = round(first.value, first.metric.digits) or float(f"{first.value:.3g}")
        return {"label": first.metric.label, "value": value, "unit": first.metric.unit}
    return None
