"""The scores of the validation reviews, by which evaluations choose their thresholds."""

from pathlib import Path

import numpy as np

from jobs.settings import Settings
from jobs.store.job_folder import JobFolder
from tests.tasks.sentiment.jobs import padded_table
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.reviews import digest_bytes
from worker.tasks.sentiment.sources import open_reviews
from worker.tasks.sentiment.tokens import TokenCollector
from worker.tasks.sentiment.vocabulary import Vocabulary
from worker.training.seen_examples import digests_of, seen_before, validated_before


def test_they_are_those_of_the_saved_weights_on_reviews_that_were_not_learned(
    trained: JobFolder, own_reviews: Path, folders: Settings
) -> None:
    reviews = list(open_reviews(str(own_reviews), folders, labelled=True).read(lambda _: None))
    digests = digests_of(digest_bytes(review.text) for review in reviews)
    validates, seen = validated_before(trained, digests), seen_before(trained, digests)
    assert validates is not None
    assert seen is not None
    assert (int(validates.sum()), int(seen.sum())) == (120, 1_080)
    some = [review for review, of in zip(reviews, validates, strict=True) if of]
    vocabulary = Vocabulary.read(trained.path / "vocabulary.json")
    model = build_sentiment(vocabulary.vocab_size, seed=0)
    model.load_weights(trained.path / "model.keras")
    tokens = TokenCollector(30, vocabulary).add_all(review.text for review in some).tokens()
    rows = trained.numbers("validation.csv")
    assert [row["label"] for row in rows] == [review.label for review in some]
    expected = np.asarray(model(padded_table(tokens)[0]))[:, 0]
    np.testing.assert_allclose([row["probability"] for row in rows], expected, atol=2e-5)
    losses = -np.log(np.where([review.label for review in some], expected, 1 - expected))
    best = trained.history[int(trained.metrics["best_epoch"]) - 1]
    assert abs(best["validation_loss"] - losses.mean()) < 1e-4
