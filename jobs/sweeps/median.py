"""Median stopping (Golovin et al. 2017, "Google Vizier: a service for black-box optimization")."""

from statistics import median

from jobs.sweeps.actions import Cancel
from jobs.sweeps.entry import Entry
from jobs.sweeps.halving import top_epochs
from jobs.sweeps.sweep_spec import Median
from jobs.sweeps.trials import Trials

FEWEST = 3
"""Other trials that have a value at an epoch, below which there is no median to be worse than."""


def stops(trials: Trials) -> list[Cancel]:
    """Which running trials to cancel: those that are worse than the median of the others at their epoch."""
    rule = trials.sweep.early_terminate
    if not isinstance(rule, Median):
        return []
    return [
        Cancel(entry.job, why)
        for entry in trials.unfinished
        if trials.outcome(entry).state == "running" and (why := _why(trials, entry, rule.min_iter))
    ]


def _why(trials: Trials, entry: Entry, min_iter: int) -> str | None:
    """Why a running trial is to be stopped; None if it is not."""
    history = trials.outcome(entry).history
    epoch = max(history, default=0)
    if not min_iter <= epoch < top_epochs(trials.sweep, entry.point):
        return None
    others = [
        trials.finite_or_worst(theirs.history[epoch])
        for rungs in trials.jobs.values()
        for other in rungs.values()
        if other is not entry and epoch in (theirs := trials.outcome(other)).history
    ]
    if len(others) < FEWEST:
        return None
    value, middle = trials.finite_or_worst(history[epoch]), median(others)
    if not trials.sweep.better(middle, value):
        return None
    name = trials.sweep.metric.name.replace("_", " ")
    mine, median_text = _apart(history[epoch], middle)
    return f"{name} {mine} after epoch {epoch} is worse than the median {median_text} of {len(others)} trials"


def _apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with few digits, but so many that they can be told apart."""
    for digits in (3, 5, 9):
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if texts[0] != texts[1]:
            return texts
    return repr(a), repr(b)
