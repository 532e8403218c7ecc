"""An empty job has no parameters, reads no data and needs no training job."""

from jobs.parameters import Parameters


class Train(Parameters):
    """Does nothing."""

    action = "train"


class Evaluate(Parameters):
    """Does nothing."""

    action = "evaluate"


class Generate(Parameters):
    """Does nothing."""

    action = "generate"
