"""The search that learns: TPE (Bergstra et al. 2011), by Optuna, in memory.

It is rebuilt from the points and their results each time it is asked, and asks the same again: points are
told in the order of their numbers, and what is random depends on the sweep's seed and the point's number
alone. Which results there are when a point is asked for depends on timing; so each point records them.

What the sweep tells it of a point: the mean over its seeds, once all its trials have ended; that it failed,
if no trial has a value (Optuna leaves those out); where trials were stopped, or have a rung above them, their
epochs and their value so far, which rank behind all that ran whole. The others count as running, and it
keeps away from them. It may ask for an equal point again.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from jobs.sweeps.distributions import Distribution, Point, Value
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.halving import on_last_rung
from jobs.sweeps.points import RANDOM_STARTS, new_points, random_point, varied_distributions
from jobs.sweeps.points_seen import Seen, read_seen, write_seen
from jobs.sweeps.spread import has_point, limits, multiple, multiples, rounded, stepped
from jobs.sweeps.sweep_spec import SweepSpec
from jobs.sweeps.trials import Result, Trials

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial


def asked_again(
    sweep: SweepSpec, entries: Sequence[Entry], outcomes: Mapping[str, Outcome], number: int
) -> Point:
    """What a search that is rebuilt asks for, told what this point's search had been told.

    Args:
        sweep: the sweep's description, as it was when the point was asked for.
        entries: its jobs.
        outcomes: what became of them; of those that the search had seen, the same as then.
        number: the point's number.

    Returns:
        The point, if nothing went wrong the same as the one recorded.
    """
    trials = Trials(sweep, entries, outcomes)
    return Search(trials, read_seen(trials.seen[number])).ask(number)


def results_now(trials: Trials) -> list[Seen]:
    """Of which points the search can be told a result by now."""
    found = ((number, trials.latest(number)) for number in trials.points)
    return [Seen(each[0], each[1].value is None, number) for number, each in found if each]


class Search:
    """A search that has been told of the points before.

    Args:
        trials: the sweep's.
        seen: the results that the sweep tells it.
    """

    def __init__(self, trials: Trials, seen: Sequence[Seen]) -> None:
        self._trials = trials
        self._varied = varied_distributions(trials.sweep)
        self._seen = {each.number: each for each in seen}
        self._told = {number: self._result(each) for number, each in self._seen.items()}
        self._points = dict(trials.points)
        self._study: Study | None = None
        self.seen = write_seen(seen)

    def ask(self, number: int) -> Point:
        """The point of this number. One that is asked for next counts it as running."""
        valued = sum(result.value is not None for result in self._told.values())
        before = [point for known, point in self._points.items() if known < number]
        if valued < RANDOM_STARTS or not self._varied:
            drawn = random_point(self._varied, self._trials.sweep.seed, number)
            point = next(new_points(self._trials.sweep, before), drawn)
        else:
            point = self._learned(number)
        if number == max(self._points, default=-1) + 1:
            self._points[number] = point
            if self._study is not None:
                self._study.add_trial(self._trial(number))
        return point

    def _result(self, seen: Seen) -> Result:
        if seen.failed:
            return Result(None)
        return self._trials.result(seen.number, seen.rung) or Result(None)

    def _learned(self, number: int) -> Point:
        from optuna.samplers import TPESampler
        from optuna.trial import TrialState

        seed = int.from_bytes(sha256(f"{self._trials.sweep.seed}/{number}".encode()).digest()[:4])
        next_one = number == max(self._points, default=-1) + 1
        study = self._study if self._study is not None and next_one else self._built(number)
        study.sampler = TPESampler(
            seed=seed, multivariate=True, constant_liar=True, n_startup_trials=RANDOM_STARTS
        )
        trial = study.ask(self._space())
        study.tell(trial, state=TrialState.FAIL)  # `ask` adds it again, with rounded values
        if next_one:
            self._study = study
        return {name: _value(each, trial.params[name]) for name, each in self._varied.items()}

    def _built(self, number: int) -> "Study":
        """A study that was told of the points before this one."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            study_name="sweep", direction=self._trials.sweep.metric.goal, pruner=optuna.pruners.NopPruner()
        )
        study.add_trials(self._trial(known) for known in sorted(self._points) if known < number)
        return study

    def _space(self) -> "dict[str, BaseDistribution]":
        return {name: optuna_distribution(self._varied[name]) for name in sorted(self._varied)}

    def _trial(self, number: int) -> "FrozenTrial":
        from optuna.trial import TrialState, create_trial

        point, result = self._points[number], self._told.get(number)
        if not has_point(self._varied, point) or (result is not None and result.value is None):
            return create_trial(state=TrialState.FAIL)
        given: dict[str, Any] = {
            "params": {name: optuna_value(self._varied[name], point[name]) for name in sorted(self._varied)},
            "distributions": self._space(),
        }
        if result is None:
            return create_trial(state=TrialState.RUNNING, **given)
        seen = self._seen[number]
        assert result.value is not None
        if result.stopped or not on_last_rung(self._trials, number, seen.rung):
            values = {result.epochs: result.value}
            return create_trial(state=TrialState.PRUNED, intermediate_values=values, **given)
        return create_trial(state=TrialState.COMPLETE, value=result.value, **given)


def optuna_distribution(distribution: Distribution) -> "BaseDistribution":
    """Listed values by their place, stepped ones by the multiple: of these Optuna takes any."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if distribution.listed:
        return CategoricalDistribution(range(len(distribution.values)))
    if stepped(distribution):
        return IntDistribution(*multiples(distribution), log=distribution.log)
    low, high = limits(distribution)
    return FloatDistribution(low, high, log=distribution.log)


def optuna_value(distribution: Distribution, value: Value) -> Any:
    """A value as `optuna_distribution` has it."""
    if distribution.listed:
        return distribution.values.index(value)
    if stepped(distribution):
        return round(float(value) / float(multiple(distribution, 1)))  # type: ignore[arg-type]
    return float(value)  # type: ignore[arg-type]


def _value(distribution: Distribution, given: Any) -> Value:
    if distribution.listed:
        value: Value = distribution.values[given]
        return value
    if stepped(distribution):
        return multiple(distribution, given)
    return rounded(distribution, given)
