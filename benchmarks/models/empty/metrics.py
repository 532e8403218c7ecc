"""The one number that an empty job reports."""

from worker.report.blocks import Metric

METRICS = (Metric("nothing", "Nothing", 0),)
