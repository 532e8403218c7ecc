"""Two models more, whose jobs do nothing, to measure what is around a job.

`empty generate` is a whole job, with a folder, a report and its place in the index; `unpublished generate` is
the ledger's part of one alone (see `benchmarks.empty_worker`).
"""

import sys

from jobs import spec
from jobs.folder import JobFolder
from jobs.spec import Parameters
from worker.report.parts import Metric, Parts
from worker.run import Run

METRICS = (Metric("nothing", "Nothing", 0),)


class EmptyGenerate(Parameters):
    """Does nothing, and publishes that."""

    model = "empty"
    action = "generate"
    data_kind = "text"
    default_data = "pydoc"
    takes_data = False


class UnpublishedGenerate(EmptyGenerate):
    """Does nothing, and publishes nothing."""

    model = "unpublished"


def generate(run: Run) -> dict[str, float]:  # noqa: ARG001 - a task's signature
    """The task: nothing is done, one number is reported."""
    return {"nothing": 0.0}


def present(folder: JobFolder) -> Parts:  # noqa: ARG001 - a task's signature
    """The report has no parts of its own."""
    yield from ()


spec.MODELS = (*spec.MODELS, "empty", "unpublished")
# Where `worker.execute` and the report look for a model's task.
sys.modules["worker.tasks.empty"] = sys.modules[__name__]
