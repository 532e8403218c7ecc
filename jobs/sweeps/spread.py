"""The values of a distribution: how many, the one at a share of it, whether it has a given one.

Drawn values are rounded to about seven digits: they read well in a table, and are the same on every platform
although the last digit of `math.exp` is not.
"""

from decimal import Decimal
from math import ceil, exp, floor, log, log10, prod

from jobs.sweeps.distributions import Distribution, Distributions, Point, Scalar, Value

DIGITS = 6
"""Decimals of a number of which one digit is before the point."""


def count_values(distribution: Distribution) -> int | None:
    """How many values it has; None if they are as good as infinitely many."""
    if distribution.listed:
        return len(set(distribution.values))
    step = _step(distribution)
    if step is None:
        return None
    first, last = multiples(distribution)
    return last - first + 1


def count_points(varied: Distributions) -> int | None:
    """How many points there are; None if they are as good as infinitely many."""
    counts = [count_values(each) for each in varied.values()]
    return None if None in counts else prod(each for each in counts if each is not None)


def value_at(distribution: Distribution, share: float) -> Value:
    """The value below which so much of the distribution lies: its inverse cumulative distribution.

    Args:
        distribution: listed values, integers and unrounded multiples have equal shares.
        share: from 0, below 1.
    """
    if distribution.listed:
        return distribution.values[int(share * len(distribution.values))]
    if _step(distribution) is None:
        return rounded(distribution, _between(distribution, share))
    first, last = multiples(distribution)
    if not distribution.log:
        return multiple(distribution, first + int(share * (last - first + 1)))
    nearest = round(_between(distribution, share) / float(_step(distribution) or 1))
    return multiple(distribution, min(max(nearest, first), last))


def has_value(distribution: Distribution, value: Value) -> bool:
    """Whether it is one of the distribution's values."""
    if distribution.listed:
        return value in distribution.values
    if isinstance(value, (str, tuple)):
        return False
    low, high = limits(distribution)
    step = _step(distribution)
    return low <= value <= high and (step is None or Decimal(str(value)) % step == 0)


def has_point(varied: Distributions, point: Point) -> bool:
    """Whether it is one of the points."""
    return point.keys() == varied.keys() and all(
        has_value(each, point[name]) for name, each in varied.items()
    )


def rounded(distribution: Distribution, value: float) -> float:
    """A value of a distribution that is not stepped, to about seven digits, within its limits."""
    low, high = limits(distribution)
    scale = min(high - low, abs(value)) if distribution.log else high - low
    return min(max(round(value, DIGITS - floor(log10(scale))), low), high)


def multiples(distribution: Distribution) -> tuple[int, int]:
    """The first and the last value of a stepped distribution, as multiples of its step.

    A range without any multiple of the step has the one below its start.
    """
    step = _step(distribution)
    if step is None:
        raise ValueError("a distribution of values that are multiples of a step")
    low, high = (Decimal(str(each)) / step for each in limits(distribution))
    return min(ceil(low), floor(high)), floor(high)


def multiple(distribution: Distribution, times: int) -> Scalar:
    """So many times the step of a stepped distribution; an integer where the step is one."""
    step = _step(distribution) or Decimal(1)
    return int(times * step) if step % 1 == 0 else float(times * step)


def stepped(distribution: Distribution) -> bool:
    """Whether its values are multiples of a step."""
    return not distribution.listed and _step(distribution) is not None


def _step(distribution: Distribution) -> Decimal | None:
    if distribution.whole:
        return Decimal(1)
    return None if distribution.q is None else Decimal(str(distribution.q))


def limits(distribution: Distribution) -> tuple[float, float]:
    """The smallest and the largest value of a distribution that is not listed."""
    assert distribution.min is not None
    assert distribution.max is not None
    return distribution.min, distribution.max


def _between(distribution: Distribution, share: float) -> float:
    low, high = limits(distribution)
    if distribution.log:
        return exp(log(low) + share * (log(high) - log(low)))
    return low + share * (high - low)
