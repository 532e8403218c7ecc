"""By how much one way to predict a text is better than another, and how sure that is."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

BLOCK = 50
"""Characters, of the shortest blocks: errors within a word or a line go together, those far apart hardly."""

FEWEST_BLOCKS, MOST_BLOCKS = 4, 100

Values = NDArray[Any]


class Gain(NamedTuple):
    """What is saved, per character.

    Attributes:
        mean: nats per character; negative where it is a loss.
        low: the lower end of its 95 % interval.
        high: the upper end.
    """

    mean: float
    low: float
    high: float


def gain(nats: Values, others: Values) -> Gain:
    """Compare two predictions of the same text, character by character.

    The interval is Student's over the means of up to a hundred blocks of the text, since neighbouring
    characters are not independent (Carlstein, 1986, https://doi.org/10.1214/aos/1176350057).

    Args:
        nats: of each character, (characters,), at least `FEWEST_BLOCKS`.
        others: those of the other prediction, from which it is counted.

    Returns:
        The mean of `others` minus `nats`.
    """
    saved = others.astype(np.float64) - nats
    count = min(MOST_BLOCKS, max(FEWEST_BLOCKS, len(saved) // BLOCK))
    means = [block.mean() for block in np.array_split(saved, count)]
    margin = float(stdtrit(count - 1, 0.975) * np.std(means, ddof=1) / np.sqrt(count))
    mean = float(saved.mean())
    return Gain(mean, mean - margin, mean + margin)
