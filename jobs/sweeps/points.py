"""Which points a search without learning asks for: grid, random, Sobol.

Each method is a sequence that the description and the sweep's seed alone determine, and no point comes twice.
A sweep that is extended keeps the points that it has; those of the sequence that it lacks come next.
"""

from collections.abc import Collection, Iterator
from hashlib import sha256
from itertools import count, islice, product

from jobs.sweeps.distributions import Distributions, Point, Value
from jobs.sweeps.sobol import sobol_rows
from jobs.sweeps.spread import count_points, has_point, value_at
from jobs.sweeps.sweep_spec import SweepSpec

RANDOM_STARTS = 10
"""Points for which `tpe` draws at random: it learns once as many have a value."""

MOST_DRAWS = 200_000
"""Draws in a row of points that a sweep has already, after which it has all that can be drawn."""

PointKey = tuple[tuple[str, Value], ...]


def point_key(point: Point) -> PointKey:
    """The same for equal points."""
    return tuple(sorted(point.items()))


def varied_distributions(sweep: SweepSpec) -> Distributions:
    """The distributions of the parameters that vary, in the order of the description."""
    return {name: sweep.parameters[name] for name in sweep.varied}


def first_points(sweep: SweepSpec) -> list[Point]:
    """The points that are known before any trial has ended, in the order of their numbers.

    All of a grid, a random or a Sobol search; of `tpe` the first ones, which are random.

    Raises:
        ImportError: Sobol points need SciPy.
    """
    most = sweep.point_limit()
    if sweep.method == "tpe":
        most = min(most, RANDOM_STARTS)
    return list(islice(new_points(sweep, []), most))


def new_points(sweep: SweepSpec, asked: Collection[Point]) -> Iterator[Point]:
    """The points that come next, without end unless the description has no more.

    Args:
        sweep: its description; `tpe` draws at random here.
        asked: the points that it has.
    """
    varied = varied_distributions(sweep)
    known = {point_key(point) for point in asked}
    missing = count_points(varied)
    if missing is not None:
        missing -= len({point_key(point) for point in asked if has_point(varied, point)})
    # The n-th of a sequence without its repetitions is never before the n-th of the sequence.
    sequence, repeated = _sequence(sweep, varied, len(known)), 0
    while missing != 0 and repeated < MOST_DRAWS:
        point = next(sequence)
        if point_key(point) in known:
            repeated += sweep.method != "grid"
            continue
        known.add(point_key(point))
        repeated, missing = 0, missing and missing - 1
        yield point


def _sequence(sweep: SweepSpec, varied: Distributions, start: int) -> Iterator[Point]:
    """The method's points, which may repeat; all but a grid's from a number on."""
    if sweep.method == "grid":
        for values in product(*(each.values for each in varied.values())):
            yield dict(zip(varied, values, strict=True))
    elif sweep.method == "sobol" and varied:
        names = sorted(varied)
        for row in sobol_rows(sweep.seed, len(names), start):
            shares = dict(zip(names, row, strict=True))
            yield {name: value_at(each, shares[name]) for name, each in varied.items()}
    else:
        for number in count(start):
            yield random_point(varied, sweep.seed, number)


def random_point(varied: Distributions, seed: int, number: int) -> Point:
    """A random point, which the seed and its number determine on any platform."""
    return {name: value_at(each, _share(f"{seed}/{number}/{name}")) for name, each in varied.items()}


def _share(text: str) -> float:
    """A number from 0, below 1, spread evenly over all texts."""
    return int.from_bytes(sha256(text.encode()).digest()[:8]) / 2**64 * (1 - 2**-53)
