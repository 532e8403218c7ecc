"""Scores of tokenised reviews."""

import keras
import numpy as np
import pytest
from sklearn import metrics as sk

from jobs.errors import Cancelled
from tests.tasks.sentiment.jobs import padded_table, some_tokens
from worker.tasks.sentiment.scoring import (
    BATCH,
    ReviewScorer,
    TokensInMemory,
    cross_entropy,
    probabilities_of,
)
from worker.tasks.sentiment.tokens import Tokens


def test_scores_do_not_depend_on_the_reviews_beside_them(network: keras.Model) -> None:
    tokens = some_tokens(600, 40)
    scorer = ReviewScorer(network)
    logits = scorer.logits(tokens)
    assert logits.shape == (600,)
    expected = network(padded_table(tokens)[0])[:, 0]
    assert np.allclose(probabilities_of(logits), expected, atol=1e-5)
    for place in (0, 599):
        alone = scorer.logits(Tokens.joined([tokens.of(place)]))
        assert np.allclose(alone, logits[place], atol=1e-5)


def test_scores_do_not_depend_on_how_many_batches_one_call_computes(
    network: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens, stops = some_tokens(600, 40), []
    scorer = ReviewScorer(network)
    at_once = scorer.logits(tokens, lambda: stops.append(1))
    assert len(stops) == 1
    monkeypatch.setattr("worker.tasks.sentiment.scoring.CALL_TOKENS", 2 * BATCH * 40)
    assert np.array_equal(scorer.logits(tokens, lambda: stops.append(1)), at_once)
    assert len(stops) > 2
    monkeypatch.setattr("worker.tasks.sentiment.scoring.BATCH_TOKENS", 20 * 40)
    assert np.allclose(scorer.logits(tokens), at_once, atol=1e-6)


def test_aligned_tokens_become_a_tensor_without_a_copy_and_others_are_copied() -> None:
    tokens = some_tokens(50, 40).aligned()
    expected = tokens.ids.tolist()
    shared = TokensInMemory(tokens).ids
    offsets = np.array([0, len(expected) - 1])
    copied = TokensInMemory(Tokens(tokens.ids[1:], offsets, tokens.lengths[:1])).ids
    tokens.ids[1] += 100
    assert int(shared[1]) == expected[1] + 100
    assert copied.numpy().tolist() == expected[1:]
    tokens.ids[1] -= 100
    del tokens
    assert shared.numpy().tolist() == expected  # its memory stays as long as it does


def test_scoring_stops_on_request(network: keras.Model) -> None:
    def stop() -> None:
        raise Cancelled("a stop was requested")

    with pytest.raises(Cancelled):
        ReviewScorer(network).logits(some_tokens(10, 5), stop)


def test_cross_entropy_is_that_of_scikit_learn_and_finite_for_a_sure_mistake() -> None:
    labels, logits = np.array([1, 0, 1, 0], np.uint8), np.array([2.0, -1.0, -3.0, 0.5], np.float32)
    assert cross_entropy(labels, logits) == pytest.approx(
        sk.log_loss(labels, 1 / (1 + np.exp(-logits))), rel=1e-6
    )
    assert cross_entropy(np.array([1], np.uint8), np.array([-1e4], np.float32)) == pytest.approx(1e4)
