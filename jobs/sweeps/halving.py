"""Successive halving without rounds: ASHA (Li et al. 2020, arXiv 1810.05934).

A point is promoted as soon as it is among the best of those that finished its rung, one in `eta`. A promotion
resumes each of its trials, whose work is not repeated. What ASHA does not say: once nothing more can arrive,
and no point has come to its last rung, the best point of the highest rung goes on all the same, so that every
sweep ends with a whole training run. A point that failed, or diverged, is not promoted.
"""

from collections.abc import Iterator
from math import inf, isfinite

from jobs.models import parameters_of
from jobs.sweeps.distributions import Point
from jobs.sweeps.sweep_spec import Halving, SweepSpec
from jobs.sweeps.trials import Trials


def top_epochs(sweep: SweepSpec, point: Point) -> int:
    """The epochs of a point's whole training run."""
    epochs = point.get("epochs", sweep.fixed.get("epochs"))
    if epochs is None:
        epochs = parameters_of(sweep.model, "train").model_fields["epochs"].default
    return int(epochs)  # type: ignore[arg-type] # a description with other epochs is refused


def rung_epochs(sweep: SweepSpec, point: Point) -> list[int]:
    """The epochs of each of a point's rungs: min_iter × eta^k, and its whole training run."""
    top, halving = top_epochs(sweep, point), sweep.early_terminate
    rungs = []
    if isinstance(halving, Halving):
        epochs = halving.min_iter
        while epochs < top:
            rungs.append(epochs)
            epochs *= halving.eta
    return [*rungs, top]


def on_last_rung(trials: Trials, number: int, rung: int) -> bool:
    """Whether a point has no rung above this one; without halving, each has one alone."""
    if not isinstance(trials.sweep.early_terminate, Halving):
        return True
    return rung + 1 >= len(rung_epochs(trials.sweep, trials.points[number]))


def promotions(trials: Trials) -> Iterator[tuple[int, int]]:
    """The points to be promoted now: the number and the next rung, from the highest rung down."""
    halving = trials.sweep.early_terminate
    if not isinstance(halving, Halving):
        return
    for rung, ranked in sorted(_ranked(trials).items(), reverse=True):
        for number in ranked[: len(ranked) // halving.eta]:
            if _can_go_on(trials, number, rung):
                yield number, rung + 1


def last_promotion(trials: Trials) -> tuple[int, int] | None:
    """Which point goes on although too few have come so far; None if one has come to its last rung.

    To be asked when nothing runs, no point is left to be tried, and there are no `promotions`.
    """
    if not isinstance(trials.sweep.early_terminate, Halving):
        return None
    ranked = sorted(_ranked(trials).items(), reverse=True)
    if any(on_last_rung(trials, number, rung) for rung, numbers in ranked for number in numbers):
        return None
    waiting = ((n, rung + 1) for rung, numbers in ranked for n in numbers if _can_go_on(trials, n, rung))
    return next(waiting, None)


def _ranked(trials: Trials) -> dict[int, list[int]]:
    """Rung -> the points that finished it with a value, the best first; those that lack a seed come later."""
    found: dict[int, list[tuple[bool, bool, float, int]]] = {}
    for number in trials.points:
        for rung in range(trials.top(number) + 1):
            result = trials.result(number, rung)
            if result is not None and result.value is not None:
                badness = trials.badness(result.value)
                lacks = len(trials.values_at(number, rung)) < len(trials.sweep.seeds)
                found.setdefault(rung, []).append((badness == inf, lacks, badness, number))
    return {rung: [number for *_, number in sorted(points)] for rung, points in found.items()}


def _can_go_on(trials: Trials, number: int, rung: int) -> bool:
    result = trials.result(number, rung)
    return (
        result is not None
        and result.value is not None
        and isfinite(result.value)
        and trials.top(number) == rung
        and not on_last_rung(trials, number, rung)
        and bool(trials.missing_at(number, rung + 1))
    )
