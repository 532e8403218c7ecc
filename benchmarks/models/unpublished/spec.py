"""An empty job, for which `benchmarks.empty_worker` has a task of its own."""

from benchmarks.models.empty import spec


class Train(spec.Train):
    """Does nothing, and publishes nothing."""


class Evaluate(spec.Evaluate):
    """Does nothing, and publishes nothing."""


class Generate(spec.Generate):
    """Does nothing, and publishes nothing."""
