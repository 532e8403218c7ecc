"""Scores are those of the plain network, and leave no character out."""

import keras
import numpy as np
import pytest

from tests.tasks.textgen.jobs import states
from worker.tasks.textgen.network import build
from worker.tasks.textgen.scoring import Scorer


def test_scores_are_those_of_the_network_read_from_the_start() -> None:
    model = build(11, units=8)
    model.compile(jit_compile=False)
    codes = np.random.default_rng(2).integers(0, 11, 3_500).astype(np.uint8)
    scores = Scorer(model).score(codes, 500)
    inputs = [codes[np.newaxis, :-1].astype(np.int32), *states(model, 1)]
    probabilities = model.predict_on_batch(inputs)[0][0, 499:]
    assert len(scores.nats) == len(scores.right) == len(scores.confidence) == 3_000
    assert np.allclose(scores.nats, -np.log(probabilities[np.arange(3_000), codes[500:]]), atol=1e-4)
    assert np.allclose(scores.confidence, probabilities.max(axis=1), atol=1e-5)
    assert (scores.right == (probabilities.argmax(axis=1) == codes[500:])).mean() > 0.999


@pytest.mark.quality
def test_scoring_leaves_no_character_out_whatever_the_length(network: keras.Model) -> None:
    scorer = Scorer(network)
    for length in (2, 3, 999, 2_001, 5_003):
        codes = np.random.default_rng(length).integers(0, 11, length).astype(np.uint8)
        assert len(scorer.score(codes, 1).nats) == length - 1
