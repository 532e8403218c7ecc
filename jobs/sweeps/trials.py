"""A sweep's jobs by trial and by point, and what became of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite
from statistics import fmean

from jobs.sweeps.distributions import Point
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.sweep_spec import SweepSpec

_QUEUED = Outcome("queued")


@dataclass(frozen=True)
class Result:
    """What a point came to at one rung, once all its trials there have ended.

    Attributes:
        value: the mean over its seeds, of those that have a value; None if none has: the point failed. It is
            infinite, the worst there is, if a trial diverged.
        stopped: whether a trial was stopped early.
        epochs: after how many epochs the value was taken, 0 where that is not known.
    """

    value: float | None
    stopped: bool = False
    epochs: int = 0


class Trials:
    """A sweep's jobs by trial and by point.

    Attributes:
        sweep: its description.
        jobs: trial -> rung -> its job.
        following: trial, rung and `then` of each job that follows a trial -> the job.
        points: number -> point, in the order of the numbers, as is `seen`.
        seen: number -> what the search had been told when it asked for the point.
    """

    def __init__(self, sweep: SweepSpec, entries: Sequence[Entry], outcomes: Mapping[str, Outcome]) -> None:
        self.sweep = sweep
        self.jobs: dict[int, dict[int, Entry]] = {}
        self.following: dict[tuple[int, int, int], Entry] = {}
        self.points: dict[int, Point] = {}
        self.seen: dict[int, str] = {}
        self._outcomes = outcomes
        self._results: dict[tuple[int, int], Result | None] = {}
        for entry in sorted(entries, key=lambda each: (each.trial, each.rung)):
            if entry.then is not None:
                self.following[entry.trial, entry.rung, entry.then] = entry
                continue
            self.jobs.setdefault(entry.trial, {})[entry.rung] = entry
            self.points.setdefault(self.point_of(entry.trial), entry.point)
            self.seen.setdefault(self.point_of(entry.trial), entry.seen)

    def point_of(self, trial: int) -> int:
        """The number of a trial's point."""
        return trial // len(self.sweep.seeds)

    def trials_of(self, number: int) -> range:
        """The numbers of a point's trials, one for each seed."""
        return range(number * len(self.sweep.seeds), (number + 1) * len(self.sweep.seeds))

    def seed_of(self, trial: int) -> int:
        """A trial's random seed."""
        return self.sweep.seeds[trial % len(self.sweep.seeds)]

    def outcome(self, entry: Entry) -> Outcome:
        """What became of a job so far."""
        return self._outcomes.get(entry.job, _QUEUED)

    @cached_property
    def unfinished(self) -> list[Entry]:
        """The trials' jobs that have not ended, in order."""
        return [
            entry for rungs in self.jobs.values() for entry in rungs.values() if not self.outcome(entry).ended
        ]

    @property
    def followed(self) -> bool:
        """Whether all jobs that follow trials have ended."""
        return all(self.outcome(entry).ended for entry in self.following.values())

    @property
    def failures(self) -> int:
        """How many trials have failed; those that a person cancelled or deleted do not count."""
        return sum(self.outcome(rungs[max(rungs)]).state == "failed" for rungs in self.jobs.values())

    def top(self, number: int) -> int:
        """The highest rung that a trial of a point has reached, or is on its way to."""
        return max(max(self.jobs[trial]) for trial in self.trials_of(number) if trial in self.jobs)

    def entries_at(self, number: int, rung: int) -> list[Entry]:
        """A point's jobs at a rung, in the order of its seeds."""
        found = (self.jobs.get(trial, {}).get(rung) for trial in self.trials_of(number))
        return [entry for entry in found if entry is not None]

    def missing_at(self, number: int, rung: int) -> list[int]:
        """The trials of a point that are to have a job at a rung, and have none: only those that succeeded
        at the rung below can be promoted.
        """
        below = {entry.trial: entry for entry in self.entries_at(number, rung - 1)} if rung else {}
        return [
            trial
            for trial in self.trials_of(number)
            if rung not in self.jobs.get(trial, {})
            and (not rung or (trial in below and self.outcome(below[trial]).state == "succeeded"))
        ]

    def value(self, entry: Entry) -> float | None:
        """A trial's value at a rung; None if it runs, failed, or was cancelled by a person.

        One that succeeded without a finite value diverged, and has the worst infinity.
        """
        outcome = self.outcome(entry)
        value = outcome.value
        if outcome.stopped and outcome.history:
            value = value if value is not None else outcome.history[max(outcome.history)]
        elif outcome.state != "succeeded":
            return None
        return self.finite_or_worst(value)

    def values_at(self, number: int, rung: int) -> dict[int, float]:
        """Trial -> value, for those of a point's trials that have one at a rung.

        Where one was stopped early, each value is that after the last epoch that all of them have done: a
        mean over seeds is of the same epoch.
        """
        entries = self.entries_at(number, rung)
        values = {entry.trial: value for entry in entries if (value := self.value(entry)) is not None}
        valued = [entry for entry in entries if entry.trial in values]
        epoch = self._common_epoch(valued)
        if epoch is None:
            return values
        return {each.trial: self.finite_or_worst(self.outcome(each).history[epoch]) for each in valued}

    def epochs_at(self, number: int, rung: int) -> int | None:
        """After how many epochs the values at a rung are taken; None where the sweep decides no epochs."""
        entries = self.entries_at(number, rung)
        common = self._common_epoch([entry for entry in entries if self.value(entry) is not None])
        given = [entry.epochs for entry in entries if entry.epochs is not None]
        return min(given, default=None) if common is None else common

    def _common_epoch(self, valued: Sequence[Entry]) -> int | None:
        """The last epoch that all trials have done, if one of them was stopped early."""
        outcomes = [self.outcome(entry) for entry in valued]
        if not any(outcome.stopped for outcome in outcomes):
            return None
        return max(set.intersection(*(set(outcome.history) for outcome in outcomes)), default=None)

    def lost(self, number: int) -> int:
        """How many of a point's trials have ended without a value: failed, cancelled by a person, deleted."""
        latest = [rungs[max(rungs)] for trial in self.trials_of(number) if (rungs := self.jobs.get(trial))]
        return sum(self.outcome(entry).ended and self.value(entry) is None for entry in latest)

    def finite_or_worst(self, value: float | None) -> float:
        """A number, or the worst infinity in place of one that is infinite or none."""
        worst = inf if self.sweep.metric.goal == "minimize" else -inf
        return value if value is not None and isfinite(value) else worst

    def badness(self, value: float) -> float:
        """A number that is the smaller, the better a value is."""
        return value if self.sweep.metric.goal == "minimize" else -value

    def result(self, number: int, rung: int) -> Result | None:
        """What a point came to at a rung; None as long as a trial of it has not ended there."""
        key = number, rung
        if key not in self._results:
            self._results[key] = self._result(number, rung)
        return self._results[key]

    def _result(self, number: int, rung: int) -> Result | None:
        entries = self.entries_at(number, rung)
        if not entries or self.missing_at(number, rung):
            return None
        outcomes = [self.outcome(entry) for entry in entries]
        if not all(outcome.ended for outcome in outcomes):
            return None
        values = self.values_at(number, rung)
        if not values:
            return Result(None)
        stopped = any(outcome.stopped for outcome in outcomes)
        return Result(fmean(values.values()), stopped, self.epochs_at(number, rung) or 0)

    def latest(self, number: int) -> tuple[int, Result] | None:
        """The highest rung at which a point has come to something, and what; None if there is none."""
        for rung in range(self.top(number), -1, -1):
            if result := self.result(number, rung):
                return rung, result
        return None
