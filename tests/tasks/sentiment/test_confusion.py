"""Measures of the four counts, and their intervals."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from tests.tasks.sentiment.jobs import scored
from worker.tasks.sentiment.confusion import MEASURES, Confusion, confusion_of

SKLEARN = {
    "balanced_accuracy": sk.balanced_accuracy_score,
    "accuracy": sk.accuracy_score,
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "f1": sk.f1_score,
}


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.77, 0.95])
def test_measures_are_those_of_scikit_learn(threshold: float) -> None:
    labels, probabilities = scored()
    called = probabilities >= threshold
    counts = confusion_of(labels, probabilities, threshold)
    assert tuple(counts) == tuple(sk.confusion_matrix(labels, called).ravel())
    found = counts.measures()
    assert list(found) == list(MEASURES)
    for name, score in SKLEARN.items():
        assert found[name] == pytest.approx(score(labels, called)), name


@pytest.mark.parametrize(
    "counts", [(40, 3, 7, 50), (120, 0, 0, 120), (95, 0, 5, 0), (1, 0, 0, 1), (3, 2, 0, 1)]
)
def test_intervals_of_shares_are_those_of_wilson(counts: tuple[int, int, int, int]) -> None:
    found = Confusion(*counts).intervals()
    negatives_right, wrong, missed, right = counts
    for name, hits, count in (
        ("accuracy", right + negatives_right, sum(counts)),
        ("precision", right, right + wrong),
        ("recall", right, right + missed),
    ):
        if not count:
            assert f"{name}_low" not in found
            continue
        low, high = stats.binomtest(hits, count).proportion_ci(method="wilson")
        assert (found[f"{name}_low"], found[f"{name}_high"]) == pytest.approx((low, high), abs=1e-12)
    for name, value in Confusion(*counts).measures().items():
        assert 0 <= found[f"{name}_low"] <= value <= found[f"{name}_high"] <= 1
        assert found[f"{name}_high"] - found[f"{name}_low"] > 0.001


@pytest.mark.parametrize(
    ("shares", "count"),
    [((0.45, 0.05, 0.05, 0.45), 30), ((0.45, 0.05, 0.05, 0.45), 500), ((0.93, 0.02, 0.02, 0.03), 200)],
)
def test_intervals_of_f1_and_balanced_accuracy_hold_as_often_as_they_say(
    shares: tuple[float, float, float, float], count: int
) -> None:
    true = Confusion(*(round(1e6 * share) for share in shares)).measures()
    drawn = np.random.default_rng(0).multinomial(count, shares, 1_000)
    for name in ("f1", "balanced_accuracy"):
        held = [
            ends[f"{name}_low"] <= true[name] <= ends[f"{name}_high"]
            for ends in (Confusion(*row).intervals() for row in drawn.tolist())
            if f"{name}_low" in ends
        ]
        assert 0.925 <= np.mean(held) <= 0.985, name


def test_constant_answers_win_no_balanced_accuracy_however_rare_a_class() -> None:
    labels = np.repeat([0, 1], [95, 5]).astype(np.uint8)
    everything, nothing = (confusion_of(labels, np.full(100, 0.7), at).measures() for at in (0.5, 0.9))
    assert nothing["accuracy"] == 0.95
    assert everything["balanced_accuracy"] == nothing["balanced_accuracy"] == 0.5
    assert "precision" not in nothing  # nothing is called positive: there is none, neither 0 nor 1
    assert (nothing["recall"], nothing["f1"]) == (0, 0)


def test_a_perfect_classifier_is_not_certain_to_be_perfect() -> None:
    counts = Confusion(60, 0, 0, 60)
    assert set(counts.measures().values()) == {1.0}
    ends = counts.intervals()
    assert all(ends[f"{name}_high"] == 1.0 for name in MEASURES)
    assert all(0.9 < ends[f"{name}_low"] < 0.99 for name in MEASURES)


@pytest.mark.parametrize(
    ("label", "defined"), [(1, {"accuracy", "precision", "recall", "f1"}), (0, {"accuracy"})]
)
def test_one_review_has_the_measures_that_mean_something(label: int, defined: set[str]) -> None:
    probability = np.array([0.9 if label else 0.1])
    counts = confusion_of(np.array([label], np.uint8), probability, 0.5)
    assert counts.measures().keys() == defined
    assert set(counts.measures().values()) == {1.0}
    assert {name.rsplit("_", 1)[0] for name in counts.intervals()} == defined
    assert counts.intervals()["accuracy_low"] < 0.3
