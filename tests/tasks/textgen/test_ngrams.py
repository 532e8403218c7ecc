"""N-grams are probabilities, and agree with counting by hand."""

import numpy as np
import pytest

from worker.tasks.textgen.ngrams import NGrams
from worker.tasks.textgen.pydoc import prose
from worker.tasks.textgen.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def codes() -> np.ndarray:
    text = prose()[:60_000]
    return Vocabulary("".join(sorted(set(text)))).encode(text)[0]


@pytest.mark.parametrize("context", [[], [5], [0, 1, 2, 3], [20, 21, 20, 21, 20, 21]])
def test_the_probabilities_after_a_context_sum_to_one(codes: np.ndarray, context: list[int]) -> None:
    size = int(codes.max()) + 3  # two characters that were never seen have a probability too
    grams = NGrams(codes, size, 5)
    after = [grams.probabilities(np.array([*context, character]))[-1] for character in range(size)]
    assert sum(after) == pytest.approx(1)
    assert min(after) > 0


def test_a_fivegram_beats_a_unigram_on_text_it_did_not_count(codes: np.ndarray) -> None:
    training, held_out = codes[:50_000], codes[50_000:]
    size = int(codes.max()) + 1
    one, two, five = (
        -np.log(NGrams(training, size, order).probabilities(held_out)).mean() for order in (1, 2, 5)
    )
    assert five < two < one < np.log(size)


def test_ngrams_agree_with_counting_by_hand() -> None:
    grams = NGrams(np.array([0, 1, 0, 1, 1]), 2, 2)
    unigram = np.array([2 + 2 / 2, 3 + 2 / 2]) / (5 + 2)
    after_one = (np.array([1, 1]) + 2 * unigram) / (2 + 2)
    assert grams.probabilities(np.array([1, 0])).tolist() == pytest.approx([unigram[1], after_one[0]])
