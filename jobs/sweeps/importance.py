"""How much of the metric's variance each parameter explains: fANOVA (Hutter et al. 2014), by Optuna."""

from collections.abc import Mapping, Sequence
from math import isfinite, log
from typing import TYPE_CHECKING

from jobs.sweeps.distributions import Distribution, Point, Value
from jobs.sweeps.entry import Entry, Outcome
from jobs.sweeps.points import varied_distributions
from jobs.sweeps.spread import count_values, has_point, limits
from jobs.sweeps.sweep_spec import SweepSpec
from jobs.sweeps.trials import Trials

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

FEWEST_POINTS = 20
"""Below so many, the shares are noise."""

MOST_POINTS = 200
"""Of more, every so many in the order of their numbers are used: time grows faster than they do."""

TREES = 32


def importance(
    sweep: SweepSpec, entries: Sequence[Entry], outcomes: Mapping[str, Outcome]
) -> dict[str, float] | None:
    """Each varied parameter's share, which add up to one, the largest first.

    With halving, values of different rungs cannot be compared: those of the highest rung that enough points
    finished are used.

    Returns:
        None if too few points have a value, fewer than two parameters vary, or the metric is always the same.

    Raises:
        ImportError: Optuna or scikit-learn is not installed.
    """
    varied = {name: each for name, each in varied_distributions(sweep).items() if count_values(each) != 1}
    values = _values(Trials(sweep, entries, outcomes))
    if len(varied) < 2 or len(values) < FEWEST_POINTS or len({value for _, value in values}) < 2:
        return None
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space = {name: _distribution(varied[name]) for name in sorted(varied)}
    study = optuna.create_study()
    study.add_trials(
        optuna.create_trial(
            params={name: _place(varied[name], point[name]) for name in space},
            distributions=space,
            value=value,
        )
        for point, value in values
    )
    shares = optuna.importance.get_param_importances(
        study, evaluator=optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, seed=sweep.seed)
    )
    return {name: float(share) for name, share in shares.items()}


def _distribution(distribution: Distribution) -> "BaseDistribution":
    """On the scale of the sweep: Optuna weighs all parts of a range alike, of one on a log scale too."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if distribution.listed:
        return CategoricalDistribution(range(len(distribution.values)))
    low, high = limits(distribution)
    return FloatDistribution(log(low), log(high)) if distribution.log else FloatDistribution(low, high)


def _place(distribution: Distribution, value: Value) -> float:
    """Where a value lies in it."""
    if distribution.listed:
        return distribution.values.index(value)
    return log(float(value)) if distribution.log else float(value)  # type: ignore[arg-type]


def _values(trials: Trials) -> list[tuple[Point, float]]:
    """The points that have a finite value at the rung that is compared, and the values."""
    varied = varied_distributions(trials.sweep)
    by_rung: dict[int, list[tuple[Point, float]]] = {}
    for number, point in trials.points.items():
        for rung in range(trials.top(number) + 1):
            result = trials.result(number, rung)
            if result and result.value is not None and isfinite(result.value) and has_point(varied, point):
                by_rung.setdefault(rung, []).append((point, result.value))
    enough = [found for _, found in sorted(by_rung.items()) if len(found) >= FEWEST_POINTS]
    if not enough:
        return []
    step = -(-len(enough[-1]) // MOST_POINTS)
    return enough[-1][::step]
