"""The order of the n-grams is chosen by validation text, and held-out text decides nothing."""

import numpy as np
import pytest

from worker.tasks.textgen.baselines import baselines, training_baselines
from worker.tasks.textgen.ngrams import nats_by_order
from worker.tasks.textgen.pydoc import prose
from worker.tasks.textgen.text import Corpus, split
from worker.tasks.textgen.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary("".join(sorted(set(prose()))))


@pytest.fixture(scope="module")
def codes(vocabulary: Vocabulary) -> np.ndarray:
    return vocabulary.encode(prose()[:40_000])[0]


def test_the_order_is_the_best_on_validation_whatever_is_measured(
    vocabulary: Vocabulary, codes: np.ndarray
) -> None:
    before, size = codes[:36_000], len(vocabulary)
    training, validation = split(before)
    means = [nats.mean() for nats in nats_by_order(training, validation, size, 8)]
    noise = np.random.default_rng(0).integers(0, size, 4_000)
    for measured in (codes[36_000:], noise):
        found = baselines(before, measured, size, lambda: None)
        assert found.order == 1 + int(np.argmin(means))
        *_, expected = nats_by_order(before, measured, size, found.order)
        assert np.array_equal(found.ngrams, expected)
        assert np.array_equal(found.frequencies, next(nats_by_order(before, measured, size, 1)))


def test_a_training_job_measures_how_much_harder_held_out_text_is(
    vocabulary: Vocabulary, codes: np.ndarray
) -> None:
    training, validation = split(codes[:36_000])
    corpus = Corpus("", vocabulary, training, validation, codes[36_000:], "")
    found = training_baselines(corpus, lambda: None)
    assert found["ngram_validation_nats"] < found["ngram_held_out_nats"] < found["baseline_validation_nats"]
    validated, held_out = (
        [nats.mean() for nats in nats_by_order(training, part, len(vocabulary), 8)]
        for part in (validation, codes[36_000:])
    )
    order = 1 + int(np.argmin(validated))
    assert found == pytest.approx(
        {
            "baseline_validation_nats": validated[0],
            "ngram_validation_nats": validated[order - 1],
            "ngram_order": order,
            "ngram_held_out_nats": held_out[order - 1],
        }
    )
    other = training_baselines(corpus._replace(held_out=codes[:0]), lambda: None)
    assert other == {name: value for name, value in found.items() if name != "ngram_held_out_nats"}
