"""What became of a sweep's trials, its points and what they came to, in words."""

from collections import Counter
from math import isfinite

from jobs.escape_control import escape_line
from jobs.ledger.job_record import STATES
from jobs.store.own_data_pin import shown_data
from jobs.sweeps.distributions import Point, Value
from jobs.sweeps.outcomes import STOPPED
from jobs.sweeps.scores import Score
from jobs.sweeps.sweep import Sweep
from jobs.sweeps.sweep_spec import Halving
from jobs.sweeps.trial import Trial


def state_text(trial: Trial) -> str:
    """A trial's state in words: `stopped early` by the sweep, `cancelled` by a person."""
    if trial.state == "gone":
        return "deleted"
    stopped = trial.state == "cancelled" and (trial.error or "").startswith(STOPPED)
    return "stopped early" if stopped else trial.state


def states_text(sweep: Sweep) -> str:
    """How many trials are in each state: `8 succeeded, 4 stopped early`."""
    counts = Counter(state_text(trial) for trial in sweep.trials)
    order = (*STATES, "stopped early", "deleted")
    return ", ".join(f"{counts[state]:,} {state}" for state in order if counts[state])


def score_text(score: Score) -> str:
    """What a point came to: `1.234 ± 0.012 (3)`, the mean and the standard deviation of so many seeds.

    Where not all seeds have a value, it says so: `1.234 (1 of 3)`.
    """
    if score.mean is None:
        return ""
    if not isfinite(score.mean):
        return "diverged"
    spread = "" if score.deviation is None else f" ± {score.deviation:.2g}"
    of = f" of {score.seeds}" if score.n < score.seeds else ""
    return f"{number_text(score.mean)}{spread}" + (f" ({score.n}{of})" if score.seeds > 1 else "")


def point_text(point: Point) -> str:
    """A point in words: `learning_rate 0.001, units 128`."""
    return ", ".join(f"{name} {value_text(value)}" for name, value in point.items())


def value_text(value: Value | None) -> str:
    """A value of a parameter on one line."""
    if isinstance(value, tuple):
        return " ".join(value_text(each) for each in value)
    if value is None:
        return ""
    return escape_line(f"{value:g}" if isinstance(value, float) else shown_data(str(value)))


def number_text(value: float) -> str:
    """A trial's result to five significant digits."""
    return f"{value:.5g}"


def promotion_text(sweep: Sweep, score: Score) -> str:
    """That halving left a point behind: `not promoted`; empty for one that ran whole, and without halving."""
    if score.whole or not isinstance(sweep.spec.early_terminate, Halving):
        return ""
    return "not promoted yet" if sweep.state == "running" else "not promoted"
