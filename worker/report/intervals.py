"""Confidence intervals that hold for few examples, and for shares of 0 and 1."""

import math

CONFIDENCE = 0.95
"""Of every interval in a report."""

_Z = 1.959963984540054
"""The standard normal distribution's quantile at (1 + CONFIDENCE) / 2."""


def share_interval(hits: int, count: int) -> tuple[float, float]:
    """The interval of a share by Wilson's score, at 95 % confidence.

    It stays between 0 and 1 and has a width for every `count`; see Brown, Cai and DasGupta (2001),
    https://doi.org/10.1214/ss/1009213286

    Args:
        hits: how many of the examples count, from 0 to `count`.
        count: how many examples there are, at least 1.

    Returns:
        Its lower and its upper end.
    """
    share, z2 = hits / count, _Z**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    low = 0.0 if hits == 0 else middle - half
    return low, 1.0 if hits == count else middle + half
