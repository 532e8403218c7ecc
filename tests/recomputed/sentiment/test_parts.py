"""What the review model learns from, chooses by and is measured by, recomputed from the folders and raw reviews."""

import numpy as np
import pytest

from tests.recomputed.job_runs import Runs
from tests.recomputed.sentiment import reviews as own
from tests.recomputed.sentiment.review_jobs import PARAMETERS, Jobs

pytestmark = [pytest.mark.quality, pytest.mark.timeout(600)]

approx = pytest.approx


def test_no_review_is_in_two_of_the_parts_for_training_validation_and_testing(jobs: Jobs) -> None:
    assert not own.is_trained_on(jobs.training, jobs.test).any()
    learnt, validation = ({" ".join(r.text.split()) for r in part} for part in (jobs.learnt, jobs.validation))
    assert not learnt & validation
    assert len(jobs.validation) == approx(0.1 * len(jobs.others), rel=0.25)
    stated = jobs.training.job["data"]["imdb"]
    assert (stated["training_reviews"], stated["validation_reviews"], stated["test_reviews"]) == (
        len(jobs.learnt), len(jobs.validation), len(jobs.test),
    )  # fmt: skip
    evaluated = [jobs.reviews[int(row["review"]) - 1] for row in jobs.evaluation.table("predictions.csv")]
    assert evaluated == jobs.test


def test_reviews_of_one_film_are_not_in_training_and_validation(jobs: Jobs) -> None:
    """A film's reviews have neighbouring numbers."""
    validates = {review.name for review in jobs.validation}
    for label in (0, 1):
        numbered = sorted((own.number_of(r.name), r.name) for r in jobs.others if r.label == label)
        sides = np.array([name in validates for _, name in numbered])
        assert 0.05 < sides.mean() < 0.2
        assert (sides[1:] != sides[:-1]).sum() < 0.02 * len(sides)  # of parts drawn by text, 0.18
    assert jobs.training.job["data"]["imdb"]["split_by"] == "group"


def test_the_vocabulary_has_the_most_frequent_words_of_the_training_reviews_alone(
    jobs: Jobs, network: own.Network
) -> None:
    counts: dict[str, int] = {}
    for review in jobs.learnt:
        for word in own.words_of(review.text)[-own.LENGTH :]:
            counts[word] = counts.get(word, 0) + 1
    most = sorted((count for count in counts.values() if count >= 2), reverse=True)[: own.VOCABULARY]
    assert [counts.get(word, 0) for word in network.words] == most
    assert len(set(network.words)) == len(most) == own.VOCABULARY


def test_nothing_is_learnt_from_test_reviews(jobs: Jobs, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two training jobs, the second with other test reviews: words, weights and thresholds are the same."""
    few = [*jobs.test[:60], *jobs.test[-60:]], [*jobs.others[:300], *jobs.others[-300:]]
    other_test = [*jobs.test[60:120], *jobs.test[-120:-60]]
    other_test = [own.Review(there.name, here.text) for here, there in zip(other_test, few[0], strict=True)]
    folders = []
    for name, archive in (("one", [*few[0], *few[1]]), ("two", [*other_test, *few[1]])):
        folder = tmp_path_factory.mktemp(name)
        runs = Runs.within(folder)
        own.write_archive(folder / "data" / "aclImdb.tar.gz", archive)
        folders.append(runs.do("sentiment", "train", data="imdb", **PARAMETERS | {"epochs": 1, "length": 50}))
    one, two = folders
    for file in ("vocabulary.json", "validation.csv", "sentiment.json"):
        assert (one.path / file).read_bytes() == (two.path / file).read_bytes()
    for here, there in zip(own.Network(one).model.weights, own.Network(two).model.weights, strict=True):
        np.testing.assert_array_equal(here.numpy(), there.numpy())
