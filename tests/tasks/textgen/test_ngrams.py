"""N-grams are probabilities, and those of a slow program that follows the formulas word by word."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np
import pytest

from worker.tasks.textgen.ngrams import FALLBACK, discounts, nats_by_order
from worker.tasks.textgen.pydoc import prose
from worker.tasks.textgen.vocabulary import Vocabulary

BEGINNING = -1


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    text = prose()[:60_000]
    return Vocabulary("".join(sorted(set(text)))).encode(text)[0]


def slow_kneser_ney(training: list[int], vocab_size: int, order: int) -> Callable[[list[int], int], float]:
    """Chen and Goodman (1998), equations 22 to 26, in dictionaries: a function of a context and a character."""
    padded = [BEGINNING] * (order - 1) + training
    counts: dict[int, Counter[tuple[int, ...]]] = {
        order: Counter(tuple(padded[at : at + order]) for at in range(len(training)))
    }
    for length in range(order - 1, 0, -1):
        longer = Counter(
            tuple(([BEGINNING] * length + training)[at : at + length + 1]) for at in range(len(training))
        )
        counts[length] = Counter(gram[1:] for gram in longer)  # how many different characters come before
    off = {}
    for length, of_length in counts.items():
        n1, n2, n3, n4 = (sum(count == k for count in of_length.values()) for k in (1, 2, 3, 4))
        off[length] = FALLBACK
        if n1 and n2 and n3 and n4:
            y = n1 / (n1 + 2 * n2)
            estimated = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
            off[length] = estimated if min(estimated) > 0 else FALLBACK
    behind: dict[tuple[int, ...], list[tuple[int, int]]] = defaultdict(list)
    for of_length in counts.values():
        for gram, count in of_length.items():
            behind[gram[:-1]].append((gram[-1], count))

    def probability(context: list[int], character: int) -> float:
        result = 1 / vocab_size
        for length in range(1, order + 1):
            known = behind.get(tuple(context[len(context) - length + 1 :]), [])
            if not known:
                break
            one, two, more = (
                off[length][k - 1] * sum(min(count, 3) == k for _, count in known) for k in (1, 2, 3)
            )
            count = dict(known).get(character, 0)
            kept = count - (off[length][min(count, 3) - 1] if count else 0)
            result = (kept + (one + two + more) * result) / sum(count for _, count in known)
        return result

    return probability


@pytest.mark.parametrize("order", [1, 2, 3, 6])
@pytest.mark.parametrize("count", [40, 3_000])
def test_they_are_those_of_a_slow_program_that_follows_the_formulas(
    codes: np.ndarray, order: int, count: int
) -> None:
    size, ahead = int(codes.max()) + 2, 6
    training, measured = codes[:count], codes[count : count + 400]
    *_, nats = nats_by_order(training, measured, size, order)
    slow = slow_kneser_ney(training.tolist(), size, order)
    text = [BEGINNING] * ahead + codes.tolist()
    for at, found in enumerate(nats, count + ahead):
        assert found == pytest.approx(-math.log(slow(text[at - order + 1 : at], text[at])), rel=1e-9)


@pytest.mark.parametrize("context", [[], [5], [0, 1, 2, 3], [20, 21, 20, 21, 20, 21]])
@pytest.mark.parametrize("order", [1, 5])
def test_the_probabilities_after_a_context_sum_to_one(
    codes: np.ndarray, context: list[int], order: int
) -> None:
    size = int(codes.max()) + 3  # two characters that were never seen have a probability too
    after = []
    for character in range(size):
        *_, nats = nats_by_order(codes[:20_000], np.array([*context, character]), size, order)
        after.append(math.exp(-nats[-1]))
    assert sum(after) == pytest.approx(1)
    assert min(after) > 0


@pytest.mark.parametrize("training", [[0], [1, 1], [0, 1] * 50, [1] * 1_000, list(range(200))])
def test_a_text_that_is_tiny_or_dull_leaves_every_character_a_probability(training: list[int]) -> None:
    measured = np.array([2, 1, 0, 1, 0, 1, 1])
    for nats in nats_by_order(np.array(training), measured, 201, 8):
        assert np.all(np.isfinite(nats))
        assert np.all(nats >= 0)


def test_discounts_follow_from_counts_of_counts() -> None:
    counts = np.repeat([0, 1, 2, 3, 4, 5, 900], [7, 40, 20, 12, 8, 3, 1])
    assert discounts(counts) == pytest.approx((0.5, 2 - 3 * 0.5 * 0.6, 3 - 4 * 0.5 * 8 / 12))
    assert discounts(np.array([1, 1, 2, 3])) == FALLBACK  # none occurs four times
    assert discounts(np.repeat([1, 2, 3, 4], [10, 1, 9, 9])) == FALLBACK  # 2 - 3 · 0.83 · 9 is below 0


def test_longer_ngrams_predict_a_text_better_that_they_did_not_count(codes: np.ndarray) -> None:
    size = int(codes.max()) + 1
    one, two, three, four, five = (
        nats.mean() for nats in nats_by_order(codes[:50_000], codes[50_000:], size, 5)
    )
    assert five < four < three < two < one < np.log(size)
