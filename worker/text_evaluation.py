"""What the scores of a held-out text say: beside n-grams, by place in the line, by kind, calibrated."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.data.characters import Codes, Vocabulary
from worker.models.ngrams import NGrams
from worker.models.scoring import Scores

LONGEST_LINE = 120
"""Places in a line that are told apart."""

FEWEST_IN_A_MEAN = 50
"""Characters; the mean of fewer says little."""

BINS = 10
"""Of equal width, for the confidence in the likeliest character."""

Numbers = NDArray[Any]


def baselines(
    codes: Codes, first: int, vocabulary: int, check_stop: Callable[[], None]
) -> tuple[Numbers, Numbers]:
    """Nats for each character from position `first` on, by a unigram and by an interpolated 5-gram.

    Both count what lies before `first`; `check_stop` is called now and then and may raise.
    """
    nats = []
    for order in (1, 5):
        grams = NGrams(codes[:first], vocabulary, order, check_stop)
        begin = max(0, first - order + 1)
        nats.append(-np.log(grams.probabilities(codes[begin:])[first - begin :]))
        check_stop()
    return nats[0], nats[1]


def by_place(line_end: int, codes: Codes, first: int, *nats: Numbers) -> list[tuple[float, ...]]:
    """Means by place in the line: rows of place (1 is the first), characters, and a mean of each of `nats`.

    Args:
        line_end: the code of the newline, -1 if there is none.
        codes: (characters,); those before `first` only say where in its line the first one stands.
        first: position of the first character that counts.
        nats: (characters from `first` on,) each.
    """
    at = np.arange(len(codes))
    after_line_end = np.concatenate([[False], codes[:-1] == line_end])
    places = (at - np.maximum.accumulate(np.where(after_line_end, at, 0)) + 1)[first:]
    return [
        (place, int(here.sum()), *(float(values[here].mean()) for values in nats))
        for place in range(1, min(LONGEST_LINE, int(places.max())) + 1)
        if (here := places == place).sum() >= FEWEST_IN_A_MEAN
    ]


def by_kind(
    vocabulary: Vocabulary, codes: Codes, first: int, *nats: Numbers
) -> list[tuple[str | float, ...]]:
    """The same by kind of character: rows of kind, characters, and a mean of each of `nats`.

    `first` is at least 1: whether a letter begins a word depends on the character before it.
    """
    characters = vocabulary.characters
    letter, digit = (np.array(list(map(test, characters))) for test in (str.isalpha, str.isdigit))
    line_end, space = (np.array([character == kind for character in characters]) for kind in "\n ")
    now, before = codes[first:], codes[first - 1 : -1]
    kinds = {
        "first letter of a word": letter[now] & ~letter[before],
        "later letter": letter[now] & letter[before],
        "space": space[now],
        "line end": line_end[now],
        "digit": digit[now],
        "any other": ~(letter | digit | space | line_end)[now],
    }
    return [
        (kind, int(here.sum()), *(float(values[here].mean()) for values in nats))
        for kind, here in kinds.items()
        if here.any()
    ]


def calibration(scores: Scores) -> list[tuple[float, ...]]:
    """Whether it is right as often as it says: rows of confidence from, to, characters, their mean
    confidence and the share of them that was right.

    After Guo et al. (2017), https://arxiv.org/abs/1706.04599
    """
    bins = np.minimum((scores.confidence * BINS).astype(np.int64), BINS - 1)
    return [
        (
            index / BINS,
            (index + 1) / BINS,
            int(here.sum()),
            float(scores.confidence[here].mean(dtype=np.float64)),
            float(scores.right[here].mean()),
        )
        for index in range(BINS)
        if (here := bins == index).any()
    ]


def expected_calibration_error(rows: list[tuple[float, ...]]) -> float:
    """The mean distance between confidence and share of right ones, weighted by characters."""
    total = sum(count for _, _, count, _, _ in rows)
    return sum(count * abs(confidence - right) for _, _, count, confidence, right in rows) / total
