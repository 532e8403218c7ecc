"""Every number and row of a labelling job, recomputed from its folder and the raw reviews."""

import math

import numpy as np
import pytest

from tests.recomputed.sentiment import reviews as own
from tests.recomputed.sentiment.review_jobs import LABELLED, Jobs

pytestmark = [pytest.mark.quality, pytest.mark.timeout(600)]

approx = pytest.approx


def test_every_metric_and_row_of_a_generation(jobs: Jobs, network: own.Network) -> None:
    rows = jobs.generation.table("predictions.csv")
    probabilities = network.probabilities(row["text"] for row in rows)
    assert [row["text"] for row in rows] == list(jobs.generation.job["spec"]["parameters"]["text"])
    assert [int(row["review"]) for row in rows] == list(range(1, LABELLED + 1))
    np.testing.assert_allclose([float(row["probability"]) for row in rows], probabilities, atol=1e-5)
    called = probabilities >= 0.6
    assert [row["label"] == "positive" for row in rows] == called.tolist()
    assert jobs.generation.metrics == approx(
        {"reviews": LABELLED, "positive_share": called.mean(), "threshold": 0.6}
    )
    known = [sum(number > 1 for number in network.ids(row["text"])) for row in rows]
    assert [int(row["known_words"]) for row in rows] == known


def test_words_weigh_what_the_log_odds_lose_without_them(jobs: Jobs, network: own.Network) -> None:
    decisions = jobs.generation.json("decisions.json")
    rows = jobs.generation.table("predictions.csv")
    assert len(decisions) == LABELLED
    for decision in decisions[:3]:
        ids = network.ids(rows[decision["review"] - 1]["text"])
        known = {network.words[number - 2]: number for number in ids if number > 1}
        assert {word["word"] for word in decision["words"]} == known.keys()
        hidden = [[1 if i == known[word["word"]] else i for i in ids] for word in decision["words"]]
        whole, *without = network.probabilities([ids, *hidden])
        assert decision["probability"] == approx(whole, abs=1e-5)
        weights = [math.log(whole / (1 - whole)) - math.log(p / (1 - p)) for p in without]
        assert [word["weight"] for word in decision["words"]] == approx(weights, abs=2e-4)
        assert [word["probability_without"] for word in decision["words"]] == approx(without, abs=1e-5)
        assert [word["times"] for word in decision["words"]] == [
            ids.count(known[word["word"]]) for word in decision["words"]
        ]
