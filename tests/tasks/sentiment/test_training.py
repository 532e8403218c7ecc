"""Training the review model: its steps, its order, its memory, exact resume."""

import csv
import itertools
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from jobs.errors import InvalidData
from jobs.settings import Settings, read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.support.stopping import train_with_stops
from tests.tasks.sentiment.jobs import (
    SMALL,
    do,
    padded_table,
    some_tokens,
    weights_and_history,
    write_reviews,
)
from worker.context import JobContext
from worker.tasks.sentiment import task
from worker.tasks.sentiment.loss_reviews import loss_reviews
from worker.tasks.sentiment.network import build_sentiment
from worker.tasks.sentiment.reviews import digest_bytes
from worker.tasks.sentiment.sources import open_reviews
from worker.tasks.sentiment.tokens import TokenCollector, Tokens
from worker.tasks.sentiment.training import ReviewTraining
from worker.tasks.sentiment.vocabulary import Vocabulary
from worker.training.compile_cache import forget
from worker.training.seen_examples import digests_of, seen_before


def training_of(
    tokens: Tokens, batch_size: int, seed: int = 0, learning_rate: float = 1e-2
) -> ReviewTraining:
    labels = (np.arange(len(tokens)) % 2).astype(np.uint8)
    everything = np.arange(len(tokens))
    return ReviewTraining(
        build_sentiment(50, seed=1),
        tokens,
        labels,
        training=everything,
        validation=everything[:10],
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
    )


@pytest.mark.parametrize("reviews", [40, 39])
def test_a_step_is_the_one_that_keras_itself_makes(reviews: int) -> None:
    tokens = some_tokens(reviews, 12)
    ours = training_of(tokens, batch_size=40)
    plain = build_sentiment(50, seed=1)
    ours.begin_epoch(0)
    ours.make_steps(0, 1)
    with tf.GradientTape() as tape:
        called = plain(padded_table(tokens)[0])
        loss = keras.losses.BinaryCrossentropy()(np.arange(reviews)[:, np.newaxis] % 2, called)
    gradients = tape.gradient(loss, [weight.value for weight in plain.trainable_variables])
    # Keras' Adam squares the parts of a sparse gradient one by one, which is not what Adam is.
    gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
    keras.optimizers.Adam(1e-2).apply(gradients, plain.trainable_variables)
    for one, other in zip(ours.learner.weights, plain.weights, strict=True):
        assert np.allclose(one, other, atol=2e-5)
    assert ours.recent_loss(0, 1, 0.0)[0] == pytest.approx(float(loss), rel=1e-5)


def test_the_model_has_the_average_of_the_weights() -> None:
    ours = training_of(some_tokens(64, 12), batch_size=16)
    expected = [np.asarray(weight, np.float64) for weight in ours.learner.weights]
    ours.begin_epoch(0)
    for step in range(4):
        ours.make_steps(step, 1)
        keep = (2 + step) / (11 + step)
        expected = [
            keep * average + (1 - keep) * np.asarray(weight)
            for average, weight in zip(expected, ours.learner.weights, strict=True)
        ]
    for average, wanted in zip(ours.model.weights, expected, strict=True):
        assert np.allclose(average, wanted, atol=1e-6)


@pytest.mark.parametrize(("reviews", "batch_size"), [(100, 16), (7, 3), (33, 32), (5, 64)])
def test_every_review_is_read_once_in_an_epoch_in_batches_of_equal_size(
    reviews: int, batch_size: int
) -> None:
    training = training_of(some_tokens(reviews, 9), batch_size)
    orders = []
    for epoch in (0, 1, 0):
        training.begin_epoch(epoch)
        orders.append(np.asarray(training._order).tolist())
        sizes = np.diff(np.asarray(training._bounds))
        assert sizes.sum() == reviews
        assert sizes.max() - sizes.min() <= 1
        assert sizes.max() <= batch_size
        assert len(sizes) == training.steps
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(reviews))
    assert orders[0] == orders[2]
    assert reviews < 10 or orders[0] != orders[1]


def test_reviews_of_like_length_are_read_together() -> None:
    tokens = some_tokens(400, 100)
    training = training_of(tokens, batch_size=20)
    training.begin_epoch(0)
    order, bounds = np.asarray(training._order), np.asarray(training._bounds)
    spreads = [np.ptp(tokens.sizes[order[first:last]]) for first, last in itertools.pairwise(bounds)]
    assert np.mean(spreads) < 15


def test_a_training_run_that_is_stopped_and_resumed_ends_with_the_same_bits(
    tmp_path: Path, trained: JobFolder, own_reviews: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.tasks.sentiment.training.CHUNK_TOKENS", 1)
    spec = JobSpec.make("sentiment", "train", parameters=SMALL, data=str(own_reviews))
    context = JobContext(spec=spec, folder=tmp_path, settings=read_settings(data_dir=tmp_path / "data"))
    # In the middle of the first epoch, and of the second.
    assert train_with_stops(context, task.train, ReviewTraining, after={5, 45}) == 3
    assert weights_and_history(JobFolder(tmp_path)) == weights_and_history(trained)


@pytest.mark.quality
def test_a_job_after_others_of_its_shape_ends_with_the_bits_of_one_that_came_first(
    tmp_path: Path, trained: JobFolder, own_reviews: Path
) -> None:
    forget()
    other = do(tmp_path / "other", "train", own_reviews, seed=5, **SMALL)
    again = do(tmp_path / "again", "train", own_reviews, **SMALL)
    assert weights_and_history(JobFolder(again.folder)) == weights_and_history(trained)
    assert weights_and_history(JobFolder(other.folder)) != weights_and_history(trained)


def test_an_epoch_and_two_more_are_three(tmp_path: Path, trained: JobFolder, own_reviews: Path) -> None:
    do(tmp_path, "train", own_reviews, **SMALL | {"epochs": 1})
    two_more = do(tmp_path, "train", own_reviews, **SMALL)
    assert weights_and_history(JobFolder(two_more.folder)) == weights_and_history(trained)


def test_a_training_job_learns_and_records_what_it_read(trained: JobFolder, own_reviews: Path) -> None:
    assert trained.metrics["validation_loss"] < 0.5
    assert trained.metrics["validation_loss"] == min(row["validation_loss"] for row in trained.history)
    (record,) = trained.job["data"].values()
    assert record["path"] == str(own_reviews)
    assert record["reviews"] == 1_500
    assert (record["training_reviews"], record["validation_reviews"], record["test_reviews"]) == (
        1_080,
        120,
        300,
    )
    *notes, cut = sorted(trained.job["notes"], key=lambda note: "longer than" in note)
    assert cut.endswith(
        "training reviews are longer than the last 30 words, which the model reads: what comes before them has "
        "no effect."
    )
    assert notes == [
        "The data has no test part: a fifth of the different reviews of each label, chosen by a checksum of "
        "their text, is held out for testing.",
        "The training loss is that of the weights as they are saved after an epoch, on 500 of the 1,080 training "
        "reviews (training_loss_reviews.csv).",
    ]
    with (trained.path / "validation.csv").open(newline="") as file:
        rows = [(int(row["label"]), float(row["probability"])) for row in csv.DictReader(file)]
    right = [(probability >= 0.5) == bool(label) for label, probability in rows]
    assert np.mean(right) == pytest.approx(trained.metrics["validation_accuracy"])


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (
            ["good film,pos"] * 30,
            "expected at least 10 different reviews of each label, got 0 negative reviews",
        ),
        (
            ["good film,pos"] * 30 + ["bad film,neg"],
            "expected at least 10 different reviews of each label, got 1 negative review$",
        ),
        (
            [f"p{number},pos" for number in range(20)] + [f"n{number},neg" for number in range(20)],
            "expected training reviews with words in common, got 28 training reviews, in which no word is read "
            "twice",
        ),
        (
            ["good film,pos", "bad film,neg"] * 300,
            "expected at least 10 different reviews of each label, got 1 different among 300 negative reviews$",
        ),
        (
            [f"film {number % 9},{('neg', 'pos')[number % 2]}" for number in range(300)],
            "expected at least 10 different reviews of each label, got 9 different among 150 negative reviews$",
        ),
    ],
)
def test_reviews_that_cannot_be_trained_on_get_one_sentence(
    tmp_path: Path, lines: list[str], sentence: str
) -> None:
    (tmp_path / "own.csv").write_text("\n".join(["text,label", *lines]))
    with pytest.raises(InvalidData, match=sentence):
        do(tmp_path / "run", "train", tmp_path / "own.csv")


def test_a_folder_whose_training_part_lacks_a_label_gets_one_sentence(tmp_path: Path) -> None:
    for part, label, count in (
        ("train", "pos", 7),
        ("train", "neg", 20),
        ("test", "pos", 20),
        ("test", "neg", 20),
    ):
        write_reviews(
            tmp_path / "own",
            [(f"{part}/{label}/{n}.txt", f"{label} film {n}".encode()) for n in range(count)],
        )
    with pytest.raises(
        InvalidData,
        match=r"at least 8 different reviews of each label outside the test part, got 7 positive reviews$",
    ):
        do(tmp_path / "run", "train", tmp_path / "own")


def test_the_training_loss_is_that_of_the_saved_weights_on_the_named_reviews(
    tmp_path: Path, own_reviews: Path, folders: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.tasks.sentiment.loss_reviews.FEWEST", 100)
    job = JobFolder(do(tmp_path, "train", own_reviews, **SMALL | {"epochs": 1}).folder)
    named = [int(row["review"]) - 1 for row in job.numbers("training_loss_reviews.csv")]
    assert len(named) == 120  # as there are validation reviews
    assert "on 120 of the 1,080 training reviews" in job.job["notes"][-1]
    vocabulary = Vocabulary.read(job.path / "vocabulary.json")
    model = build_sentiment(vocabulary.vocab_size, seed=0)
    model.load_weights(job.path / "model.keras")
    reviews = list(open_reviews(str(own_reviews), folders, labelled=True).read(lambda _: None))
    some = [reviews[place] for place in named]
    tokens = TokenCollector(30, vocabulary).add_all(review.text for review in some).tokens()
    labels = np.array([review.label for review in some])[:, np.newaxis]
    expected = keras.losses.BinaryCrossentropy()(labels, model(padded_table(tokens)[0]))
    assert job.metrics["training_loss"] == pytest.approx(float(expected), rel=1e-4)
    known = np.load(job.path / "training_examples.npz")["digests"]
    assert np.isin(digests_of(digest_bytes(review.text) for review in some), known).all()


@pytest.mark.parametrize(
    ("training", "validation", "count"),
    [(400, 50, 400), (2_700, 300, 500), (9_000, 1_000, 1_000), (90_000, 10_000, 2_500)],
)
def test_the_training_loss_is_measured_on_about_as_many_reviews_as_the_validation_loss(
    training: int, validation: int, count: int
) -> None:
    chosen = loss_reviews(np.arange(7, 7 + training), validation, seed=3)
    assert len(set(chosen.tolist())) == count
    assert chosen.min() >= 7
    assert (np.diff(chosen) > 0).all()


def test_what_a_model_has_learned_from_is_kept_and_nothing_else(
    trained: JobFolder, own_reviews: Path, folders: Settings
) -> None:
    reviews = list(open_reviews(str(own_reviews), folders, labelled=True).read(lambda _: None))
    seen = seen_before(trained, digests_of(digest_bytes(review.text) for review in reviews))
    assert seen is not None
    record = trained.job["data"][str(own_reviews)]
    assert int(seen.sum()) == record["training_reviews"]


def test_the_loss_within_an_epoch_is_that_of_the_steps_since() -> None:
    tokens, everything = some_tokens(64, 12), np.arange(64)
    training = training_of(tokens, batch_size=16)
    training.begin_epoch(0)
    training.make_steps(0, 4)
    together, _ = training.recent_loss(0, 4, 0.0)
    weights = build_sentiment(50, seed=1).get_weights()
    training.restart(weights, tokens, everything, everything[:10], seed=0, learning_rate=1e-2)
    training.begin_epoch(0)
    losses, total = [], 0.0
    for step in range(4):
        training.make_steps(step, 1)
        loss, total = training.recent_loss(step, step + 1, total)
        losses.append(loss)
    assert together == pytest.approx(np.mean(losses), rel=1e-5)
    assert training.learning_rate == 1e-2
