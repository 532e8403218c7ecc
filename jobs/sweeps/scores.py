"""Ranks a sweep's points by its metric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from statistics import fmean, stdev

from jobs.sweeps.distributions import Point
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.halving import on_last_rung, top_epochs
from jobs.sweeps.sweep_spec import SweepSpec
from jobs.sweeps.trials import Trials


@dataclass(frozen=True)
class Score:
    """How good a point is.

    Attributes:
        number: the point's.
        point: the values of the parameters that vary.
        rung: the highest one at which it has a value; with halving all numbers are of this rung.
        mean: over its seeds, of the metric; infinite if a trial diverged, None if there is no value.
        deviation: the standard deviation of a seed's value, by n - 1; None below two values, or if one is
            infinite.
        n: how many seeds have a value.
        seeds: how many the sweep runs it with.
        epochs: after how many the value is taken; None where nothing is stopped early, or there is no value.
        whole: whether every seed that has a value has run to its end: nothing runs or is to be run, no trial
            was stopped early, and the rung is the last one.
        best_trial: the trial with the best value at this rung; None if there is none.
    """

    number: int
    point: Point
    rung: int
    mean: float | None
    deviation: float | None
    n: int
    seeds: int
    epochs: int | None
    whole: bool
    best_trial: int | None


def scores(sweep: SweepSpec, entries: Sequence[Entry], outcomes: Mapping[str, Outcome]) -> list[Score]:
    """All points of a sweep, the best first.

    With halving, those on a higher rung come before all that did not get there. Points of which a seed was
    stopped early come after those without; so do, on each rung, those of which a seed failed, was cancelled
    or deleted, and those that diverged. Points without a value come last. Of equals the one asked for first
    comes first.
    """
    trials = Trials(sweep, entries, outcomes)
    found = [(_stopped(trials, number), _score(trials, number)) for number in trials.points]
    return [score for _, score in sorted(found, key=lambda each: _order(trials, *each))]


def best_point(ranked: Sequence[Score]) -> Score | None:
    """The first of ranked points that ran whole with every seed; None if none ran whole and did not diverge.

    A point of which a seed has no value is the best only where there is no other.
    """
    whole = [each for each in ranked if each.whole and isfinite(each.mean or 0)]
    return next((each for each in whole if each.n == each.seeds), whole[0] if whole else None)


def _score(trials: Trials, number: int) -> Score:
    """A point at the highest rung where a trial has a value."""
    rung, values = 0, dict[int, float]()
    for rung in range(trials.top(number), -1, -1):
        if values := trials.values_at(number, rung):
            break
    finite = all(map(isfinite, values.values()))
    result = trials.result(number, rung)
    whole = result is not None and result.value is not None and not result.stopped
    whole = whole and on_last_rung(trials, number, rung)
    return Score(
        number,
        trials.points[number],
        rung,
        mean=fmean(values.values()) if values else None,
        deviation=stdev(values.values()) if len(values) > 1 and finite else None,
        n=len(values),
        seeds=len(trials.sweep.seeds),
        epochs=_epochs(trials, number, rung, whole) if values else None,
        whole=whole,
        best_trial=min(values, key=lambda trial: (trials.badness(values[trial]), trial), default=None),
    )


def _epochs(trials: Trials, number: int, rung: int, whole: bool) -> int | None:
    if whole and trials.sweep.early_terminate is not None:
        return top_epochs(trials.sweep, trials.points[number])
    return trials.epochs_at(number, rung)


def _stopped(trials: Trials, number: int) -> bool:
    return any(
        trials.outcome(entry).stopped
        for rung in range(trials.top(number) + 1)
        for entry in trials.entries_at(number, rung)
    )


def _order(trials: Trials, stopped: bool, score: Score) -> tuple[bool, bool, int, bool, bool, float, int]:
    badness = 0 if score.mean is None else trials.badness(score.mean)
    lost = score.mean is not None and trials.lost(score.number) > 0
    return score.mean is None, stopped, -score.rung, badness == inf, lost, badness, score.number
