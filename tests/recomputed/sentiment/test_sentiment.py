"""Every number and table of the review model's jobs, recomputed from their folders and the raw reviews."""

import numpy as np
import pytest
from sklearn import metrics

from jobs.store.job_folder import JobFolder
from tests.recomputed.job_runs import is_headline
from tests.recomputed.sentiment import reviews as own
from tests.recomputed.sentiment.review_jobs import (
    SEEN,
    TARGET_PRECISION,
    TARGET_RECALL,
    VALIDATED,
    Jobs,
)

pytestmark = [pytest.mark.quality, pytest.mark.timeout(600)]

approx = pytest.approx


Scored = tuple[own.Array, own.Array]
"""Labels (n,), and the network's probabilities (n,)."""


def scored(network: own.Network, reviews: own.Reviews) -> Scored:
    return own.labels_of(reviews), network.probabilities(review.text for review in reviews)


@pytest.fixture(scope="module")
def validation(jobs: Jobs, network: own.Network) -> Scored:
    return scored(network, jobs.validation)


@pytest.fixture(scope="module")
def test(jobs: Jobs, network: own.Network) -> Scored:
    return scored(network, jobs.test)


def written(folder: JobFolder) -> Scored:
    """The validation reviews as a training job's folder has them."""
    rows = folder.numbers("validation.csv")
    return np.array([int(row["label"]) for row in rows]), np.array([row["probability"] for row in rows])


def test_validation_scores_are_those_of_the_saved_network_on_reviews_it_was_not_trained_on(
    jobs: Jobs, validation: Scored
) -> None:
    labels, probabilities = written(jobs.training)
    np.testing.assert_array_equal(labels, validation[0])
    np.testing.assert_allclose(probabilities, validation[1], atol=1e-5)


def test_every_metric_of_training(jobs: Jobs, network: own.Network, validation: Scored) -> None:
    labels, probabilities = validation
    loss_reviews = [
        jobs.reviews[int(row["review"]) - 1] for row in jobs.training.table("training_loss_reviews.csv")
    ]
    assert (len(labels), len(set(loss_reviews))) == (406, 500)
    assert set(loss_reviews) <= set(jobs.learnt)
    measured = scored(network, loss_reviews)
    history = jobs.training.history
    best = min(history, key=lambda row: row["validation_loss"])
    of_validation = {
        "loss": float(metrics.log_loss(labels, probabilities)),
        **own.measures(labels, probabilities >= 0.5, own.NAMES[:2]),
        **own.intervals(labels, probabilities >= 0.5, own.NAMES[:2]),
    }
    found = {
        **{f"validation_{name}": value for name, value in of_validation.items()},
        **own.constants(labels, "validation_"),
        "training_loss": float(metrics.log_loss(*measured)),
        "best_epoch": best["epoch"],
        "reviews_per_second": 3 * len(jobs.learnt) / sum(row["seconds"] for row in history),
        "training_reviews": len(jobs.learnt),
        "positive_training_reviews": int(own.labels_of(jobs.learnt).sum()),
        "validation_reviews": len(labels),
        "positive_validation_reviews": int(labels.sum()),
    }
    assert jobs.training.metrics == approx(found, rel=1e-4)
    assert is_headline(jobs.training, found["validation_balanced_accuracy"])
    assert (best["validation_loss"], best["loss"], best["validation_accuracy"]) == approx(
        (found["validation_loss"], found["training_loss"], found["validation_accuracy"]), rel=1e-4
    )
    assert jobs.training.json("sentiment.json") == {"length": own.LENGTH, "threshold": 0.5}


def test_every_metric_of_an_evaluation(jobs: Jobs, test: Scored) -> None:
    found = own.at_threshold(*test, 0.5) | {"seen_reviews": 0, "validated_reviews": 0}
    assert jobs.evaluation.metrics == approx(found, rel=1e-4)
    assert is_headline(jobs.evaluation, found["balanced_accuracy"])


@pytest.mark.parametrize("target", ["precision", "recall"])
def test_a_threshold_is_chosen_on_the_validation_reviews(
    jobs: Jobs, validation: Scored, test: Scored, target: str
) -> None:
    folder = jobs.precise if target == "precision" else jobs.complete
    share = TARGET_PRECISION if target == "precision" else TARGET_RECALL
    labels, probabilities = written(jobs.training)
    called, bound, is_reached = own.called_for(target, share, labels, probabilities)
    assert is_reached
    threshold = folder.metrics["threshold"]
    np.testing.assert_array_equal(probabilities >= threshold, called)
    gap = probabilities[~called].max(), probabilities[called].min()
    assert threshold == approx(sum(gap) / 2, abs=(gap[1] - gap[0]) / 10 + 1e-12)
    by_network, at_half = (validation[1] >= threshold, validation[1] >= 0.5)
    found = own.at_threshold(*test, threshold) | {
        "seen_reviews": 0,
        "validated_reviews": 0,
        f"target_{target}": share,
        "target_margin": own.measures(test[0], test[1] >= threshold, [target])[target] - share,
        "validation_bound": bound,
        **{
            f"validation_{name}": value
            for name, value in {
                **own.measures(validation[0], by_network, ("precision", "recall")),
                **own.measures(validation[0], at_half, own.NAMES[:1]),
                **own.intervals(validation[0], at_half, own.NAMES[:1]),
            }.items()
        },
    }
    assert folder.metrics == approx(found, rel=1e-4)


def test_reviews_that_were_trained_or_validated_on_are_counted_and_left_out(
    jobs: Jobs, network: own.Network
) -> None:
    labels, probabilities = scored(network, jobs.of_file)
    seen, validated = (of(jobs.training, jobs.of_file) for of in (own.is_trained_on, own.is_validated_with))
    assert (seen.sum(), validated.sum(), (seen & validated).sum()) == (SEEN, VALIDATED, 0)
    unseen = ~(seen | validated)
    rest = labels[unseen], probabilities[unseen] >= 0.5
    found = {
        **own.at_threshold(labels, probabilities, 0.5),
        "seen_reviews": SEEN,
        "validated_reviews": VALIDATED,
        **own.measures(*rest, own.NAMES[:2], "_unseen"),
        **own.intervals(*rest, own.NAMES[:2], "_unseen"),
    }
    assert jobs.partly_seen.metrics == approx(found, rel=1e-4)
    assert found["accuracy_unseen"] < found["accuracy"]
    assert f"{SEEN} of the {len(jobs.of_file)} test reviews" in jobs.partly_seen.job["warnings"][0]


def test_predictions_are_those_of_the_saved_network(jobs: Jobs, test: Scored) -> None:
    for folder in (jobs.evaluation, jobs.precise):
        rows = folder.table("predictions.csv")
        assert [row["label"] == "positive" for row in rows] == (test[0] == 1).tolist()
        np.testing.assert_allclose([float(row["probability"]) for row in rows], test[1], atol=1e-5)


def test_the_classification_report_is_scikit_learns(jobs: Jobs, test: Scored) -> None:
    labels, probabilities = test
    for folder in (jobs.evaluation, jobs.precise):
        called = probabilities >= folder.metrics["threshold"]
        expected = metrics.classification_report(
            labels, called, target_names=("negative", "positive"), output_dict=True
        )
        rows = {row.pop("class"): row for row in folder.table("classification_report.csv")}
        assert rows.keys() == expected.keys() - {"accuracy"}
        for name, row in rows.items():
            assert [float(value) for value in row.values()] == approx(list(expected[name].values()), rel=1e-6)


def test_the_points_of_the_curves(jobs: Jobs, test: Scored) -> None:
    labels = test[0]
    probabilities = np.array([float(row["probability"]) for row in jobs.evaluation.table("predictions.csv")])
    rows = jobs.evaluation.numbers("curves.csv")
    assert 300 < len(rows) <= 401
    best = max(rows, key=lambda row: row["f1"])
    precision, recall, _ = metrics.precision_recall_curve(labels, probabilities)
    assert best["f1"] == approx((2 * precision * recall / np.maximum(precision + recall, 1e-9)).max())
    for row in [*rows[::5], best]:
        called = probabilities >= row["threshold"]
        values = own.measures(labels, called, ("precision", "recall", "f1"))
        values["false_positive_rate"] = called[labels == 0].mean()
        assert row == approx({"threshold": row["threshold"], **values}, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("target", ["precision", "recall"])
def test_the_price_of_a_target_has_thresholds_of_validation_reviews(
    jobs: Jobs, test: Scored, target: str
) -> None:
    labels, probabilities = written(jobs.training)
    folder = jobs.precise if target == "precision" else jobs.complete
    rows = folder.numbers(f"{target}_price.csv")
    assert rows[0]["target"] == 0
    assert rows[0]["threshold"] == folder.metrics["threshold"]
    reachable = {}
    for share in (0.8, 0.85, 0.9, 0.95, 0.98):
        called, _, is_reached = own.called_for(target, share, labels, probabilities)
        if is_reached:
            reachable[share] = called
    assert [row["target"] for row in rows[1:]] == list(reachable)
    assert reachable, "nothing to compare"
    for row in rows:
        if row["target"]:
            np.testing.assert_array_equal(probabilities >= row["threshold"], reachable[row["target"]])
        called = test[1] >= row["threshold"]
        counts = own.confusion(test[0], called)
        expected = own.measures(test[0], called, ("precision", "recall"))
        expected |= {name: counts[name] for name in ("false_positives", "false_negatives")}
        assert {name: row[name] for name in expected} == approx(expected)


def test_accuracy_by_length(jobs: Jobs, test: Scored) -> None:
    lengths = np.array([len(own.words_of(review.text)) for review in jobs.test])
    for folder in (jobs.evaluation, jobs.precise):
        right = (test[1] >= folder.metrics["threshold"]) == test[0]
        rows = folder.numbers("by_length.csv")
        assert sum(row["reviews"] for row in rows) == len(lengths)
        for row in rows:
            inside = (lengths >= row["from"]) & (lengths <= row["to"])
            assert (row["reviews"], row["accuracy"]) == approx((inside.sum(), right[inside].mean()))


def test_the_surest_errors_are_the_surest(jobs: Jobs, test: Scored) -> None:
    labels, probabilities = test
    for folder in (jobs.evaluation, jobs.precise):
        of_truth = np.where(labels == 1, probabilities, 1 - probabilities)
        wrong = (probabilities >= folder.metrics["threshold"]) != labels
        surest = np.sort(of_truth[wrong])[:20]
        rows = folder.json("surest_errors.json")
        found = [row["probability"] if row["label"] == "positive" else 1 - row["probability"] for row in rows]
        np.testing.assert_allclose(found, surest, atol=1e-5)
        for row in rows:
            review = jobs.reviews[row["review"] - 1]
            assert row["label"] == ("negative", "positive")[review.label]
            assert row["words"] == len(own.words_of(review.text))
            assert review.text.split()[:5] == row["text"].split()[:5]


@pytest.mark.parametrize("is_precise", [False, True])
def test_the_surest_errors_are_those_at_the_threshold_of_the_headline(
    jobs: Jobs, network: own.Network, *, is_precise: bool
) -> None:
    """Of reviews whose errors at one threshold are others than at another, and in another order."""
    folder = jobs.precise_of_borderline if is_precise else jobs.of_borderline
    labels, probabilities = scored(network, jobs.borderline)
    thresholds = 0.5, jobs.precise_of_borderline.metrics["threshold"]
    threshold = folder.metrics["threshold"]
    assert threshold == thresholds[is_precise]
    wrong, other = ((probabilities >= value) != labels for value in (threshold, thresholds[not is_precise]))
    assert 2 < wrong.sum() < 20
    assert (wrong != other).any()
    of_truth = np.where(labels == 1, probabilities, 1 - probabilities)
    rows = folder.json("surest_errors.json")
    found = np.array([row["review"] - 1 for row in rows])
    assert sorted(found.tolist()) == np.flatnonzero(wrong).tolist()
    np.testing.assert_allclose(of_truth[found], np.sort(of_truth[found]), atol=1e-5)
    if is_precise:
        from_threshold = np.abs(probabilities[found] - threshold)
        assert (np.diff(from_threshold) > 1e-4).any(), "another ranking would be the same"
    for row in rows:
        assert row["probability"] == approx(probabilities[row["review"] - 1], abs=1e-5)
        assert row["text"].split()[:5] == jobs.borderline[row["review"] - 1].text.split()[:5]
