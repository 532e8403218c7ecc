"""The review model: its network, its training, its measurements, its labels and their reasons."""

import csv
import itertools
import json
import math
import threading
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn import metrics as sk
from stopping import train_with_stops

from jobs.errors import Cancelled, InvalidData, InvalidJob
from jobs.files import write_json
from jobs.folder import JobFolder
from jobs.settings import read_settings
from jobs.spec import JobSpec
from worker import review_evaluation as evaluation
from worker.data.tokens import UNKNOWN, TokenCollector, Tokens, Vocabulary
from worker.data.toy_reviews import read_toy_reviews
from worker.kept import forget
from worker.models.reading import TURN
from worker.models.sentiment import build_sentiment, logits_of
from worker.report.page import render
from worker.report.parts import Figure, Table, Text
from worker.review_explanation import explain
from worker.review_scoring import ReviewScorer, TokensInMemory, cross_entropy, probabilities_of
from worker.review_training import ReviewTraining, memory_needed
from worker.run import Run
from worker.tasks import sentiment

SOURCE = "20261123-221530-042-k7qd"
MARKUP = "<script>document.title = 'owned'</script>{{ 7 * 7 }}"
SMALL: dict[str, Any] = {
    "epochs": 4,
    "batch_size": 32,
    "vocabulary": 100,
    "length": 30,
    "learning_rate": 0.02,
}


@pytest.fixture(scope="session")
def own_reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some reviews as a file of one's own, with markup in each."""
    path = tmp_path_factory.mktemp("reviews") / "own.csv"
    reviews = [review for review, _ in zip(read_toy_reviews(lambda _: None), range(1_500), strict=False)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        writer.writerows((f"{MARKUP} {review.text}", review.label) for review in reviews)
    return path


def do(
    folder: Path, action: str, data: Path | str | None = None, source: JobFolder | None = None, **fields: Any
) -> Run:
    """Do a job without a worker; its folder has what a finished one has."""
    seed = fields.pop("seed", 0)
    spec = JobSpec.make(
        "sentiment",
        action,
        parameters=fields,
        seed=seed,
        data=None if data is None else str(data),
        **({"from": SOURCE} if source else {}),
    )
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(
        spec=spec,
        folder=folder,
        settings=read_settings(data_dir=folder / "data", checkpoint_seconds=0.1),
        sources={"from": source} if source else {},
    )
    metrics = getattr(sentiment, action)(run)
    assert all(isinstance(value, (int, float)) and math.isfinite(value) for value in metrics.values())
    assert metrics.keys() <= {metric.name for metric in sentiment.METRICS}
    write_json(folder / "metrics.json", metrics)
    moment = "2026-11-23T22:15:30.042Z"
    write_json(
        folder / "job.json",
        {
            "id": SOURCE,
            "state": "succeeded",
            "spec": spec.model_dump(mode="json", by_alias=True),
            "data": run.data,
            "notes": run.notes,
            "attempt": 1,
            "times": {"submitted": moment, "started": moment, "finished": moment},
            "seconds": 1.0,
            "command": f"quartet submit sentiment {action}",
            "device": {"kind": "cpu", "name": "a processor"},
            "versions": {"python": "3.11.9"},
            "worker": "worker-1@host",
            "headline": None,
            "error": None,
            "log_end": None,
            "timeline": [],
        },
    )
    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, own_reviews: Path) -> JobFolder:
    return JobFolder(do(tmp_path_factory.mktemp("trained"), "train", own_reviews, **SMALL).folder)


@pytest.fixture(scope="session")
def evaluated(tmp_path_factory: pytest.TempPathFactory, trained: JobFolder) -> JobFolder:
    return JobFolder(do(tmp_path_factory.mktemp("evaluated"), "evaluate", source=trained).folder)


@pytest.fixture(scope="session")
def network() -> keras.Model:
    """Weights that have something to say."""
    model = build_sentiment(50, seed=3)
    model.set_weights([3 * weight for weight in model.get_weights()])
    return model


def some_tokens(count: int, longest: int, seed: int = 0) -> Tokens:
    random = np.random.default_rng(seed)
    lengths = [longest, *random.integers(1, longest + 1, count - 1)]
    return Tokens.joined([random.integers(1, 50, length).astype(np.int32) for length in lengths])


def side_by_side(tokens: Tokens) -> tuple[tf.Tensor, tf.Tensor]:
    table = np.zeros((len(tokens), int(tokens.sizes.max())), np.int32)
    for place in range(len(tokens)):
        table[place, : tokens.sizes[place]] = tokens.of(place)
    return tf.constant(table), tf.constant(tokens.sizes)


@pytest.fixture
def as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the way that a GPU takes: Keras' own layer."""
    monkeypatch.setattr("worker.models.sentiment.tf.config.list_physical_devices", lambda _: ["GPU:0"])


# --- the network ----------------------------------------------------------------------


def test_the_network_is_the_one_of_the_design() -> None:
    model = build_sentiment(10_002, seed=0)
    layers = [type(layer).__name__ for layer in model.layers]
    assert [name for name in layers if name not in ("InputLayer", "NotEqual")] == [
        "Embedding",
        "LSTM",
        "Dense",
    ]
    assert model.count_params() == 10_002 * 32 + 4 * 64 * (32 + 64 + 1) + 65
    # What Keras asks of a layer that is to run on cuDNN's kernel.
    lstm = model.get_layer("lstm")
    assert (lstm.activation, lstm.recurrent_activation) == (keras.activations.tanh, keras.activations.sigmoid)
    assert (lstm.use_bias, lstm.unroll, lstm.recurrent_dropout) == (True, False, 0)


def test_the_model_file_is_one_that_plain_keras_loads(network: keras.Model, tmp_path: Path) -> None:
    network.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    tokens, _ = side_by_side(some_tokens(5, 9))
    assert np.array_equal(network(tokens), loaded(tokens))


@pytest.mark.parametrize("longest", [1, TURN, TURN + 1, 3 * TURN - 5])
def test_the_fast_way_to_read_gives_what_the_network_gives(network: keras.Model, longest: int) -> None:
    tokens, sizes = side_by_side(some_tokens(40, longest))
    expected = network(tokens)[:, 0]
    assert np.allclose(tf.sigmoid(logits_of(network, tokens, sizes)), expected, atol=1e-5)


@pytest.mark.usefixtures("as_on_a_gpu")
def test_the_way_of_a_gpu_gives_what_the_network_gives(network: keras.Model) -> None:
    tokens, sizes = side_by_side(some_tokens(40, 30))
    assert np.allclose(tf.sigmoid(logits_of(network, tokens, sizes)), network(tokens)[:, 0], atol=1e-5)


@pytest.mark.parametrize("longest", [2, TURN, TURN + 1, 3 * TURN - 5])
def test_the_gradients_of_the_fast_way_are_those_of_autodiff(
    network: keras.Model, monkeypatch: pytest.MonkeyPatch, longest: int
) -> None:
    tokens, sizes = side_by_side(some_tokens(12, longest))
    labels = tf.constant(np.arange(12) % 2, tf.float32)
    found = []
    for devices in ([], ["GPU:0"]):  # ours, and autodiff through Keras' layers
        monkeypatch.setattr("worker.models.sentiment.tf.config.list_physical_devices", lambda _, d=devices: d)
        with tf.GradientTape() as tape:
            logits = logits_of(network, tokens, sizes)
            loss = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
        variables = [weight.value for weight in network.trainable_variables]
        found.append([tf.convert_to_tensor(each).numpy() for each in tape.gradient(loss, variables)])
    for ours, theirs in zip(*found, strict=True):
        assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()


# --- training -------------------------------------------------------------------------


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
        called = plain(side_by_side(tokens)[0])
        loss = keras.losses.BinaryCrossentropy()(np.arange(reviews)[:, np.newaxis] % 2, called)
    gradients = tape.gradient(loss, [weight.value for weight in plain.trainable_variables])
    # Keras' Adam squares the parts of a sparse gradient one by one, which is not what Adam is.
    gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
    keras.optimizers.Adam(1e-2).apply(gradients, plain.trainable_variables)
    for one, other in zip(ours.learner.weights, plain.weights, strict=True):
        assert np.allclose(one, other, atol=2e-5)
    assert ours.measure()["loss"] == pytest.approx(float(loss), rel=1e-5)


def test_what_is_kept_is_the_average_of_the_weights() -> None:
    ours = training_of(some_tokens(64, 12), batch_size=16)
    expected = [np.asarray(weight, np.float64) for weight in ours.learner.weights]
    ours.begin_epoch(0)
    for step in range(4):
        ours.make_steps(step, 1)
        kept = (2 + step) / (11 + step)
        expected = [
            kept * average + (1 - kept) * np.asarray(weight)
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


def test_a_training_that_is_stopped_and_resumed_ends_with_the_same_bits(
    tmp_path: Path, trained: JobFolder, own_reviews: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.review_training.CHUNK_TOKENS", 1)
    spec = JobSpec.make("sentiment", "train", parameters=SMALL, data=str(own_reviews))
    run = Run(spec=spec, folder=tmp_path, settings=read_settings(data_dir=tmp_path / "data"))
    # In the middle of the first epoch, and of the second.
    assert train_with_stops(run, sentiment.train, ReviewTraining, after={5, 45}) == 3
    assert weights_and_history(JobFolder(tmp_path)) == weights_and_history(trained)


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


def weights_and_history(folder: JobFolder) -> tuple[list[bytes], list[list[float]]]:
    model = build_sentiment(Vocabulary.read(folder.path / "vocabulary.json").numbers, seed=0)
    model.load_weights(folder.path / "model.keras")
    names = ("epoch", "loss", "validation_loss", "validation_accuracy")
    return [weight.tobytes() for weight in model.get_weights()], [
        [row[name] for name in names] for row in folder.history
    ]


def test_a_training_learns_and_says_what_it_read(trained: JobFolder, own_reviews: Path) -> None:
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
    assert trained.job["notes"] == [
        "The data keep no reviews for testing, so a fifth of them, chosen by their text, is left for it."
    ]
    with (trained.path / "validation.csv").open(newline="") as file:
        rows = [(int(row["label"]), float(row["probability"])) for row in csv.DictReader(file)]
    right = [(probability >= 0.5) == bool(label) for label, probability in rows]
    assert np.mean(right) == pytest.approx(trained.metrics["validation_accuracy"])


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["good film,pos"] * 30, "0 negative reviews; allowed: 10 or more of each label"),
        (["good film,pos"] * 30 + ["bad film,neg"], "1 negative review; allowed"),
        (
            [f"p{number},pos" for number in range(20)] + [f"n{number},neg" for number in range(20)],
            "no word appears twice; allowed: reviews with words in common",
        ),
    ],
)
def test_reviews_that_cannot_be_trained_on_get_one_sentence(
    tmp_path: Path, lines: list[str], sentence: str
) -> None:
    (tmp_path / "own.csv").write_text("\n".join(["text,label", *lines]))
    with pytest.raises(InvalidData, match=sentence):
        do(tmp_path / "run", "train", tmp_path / "own.csv")


def test_a_training_beyond_all_memory_is_refused_before_it_starts(
    tmp_path: Path, own_reviews: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert memory_needed(10_002, 128 * 200) < 150e6
    assert memory_needed(10_002, 4_096 * 2_200) > 16e9
    monkeypatch.setattr(sentiment, "MEMORY_LIMIT_GB", 0.05)
    with pytest.raises(InvalidJob, match=r"together they need about \d+ GB in each step; allowed: 0.05 GB"):
        do(tmp_path / "run", "train", own_reviews, batch_size=65_536, length=10_000)


# --- scoring and measuring ------------------------------------------------------------


def test_scores_do_not_depend_on_the_reviews_beside_them(network: keras.Model) -> None:
    tokens = some_tokens(600, 40)
    scorer = ReviewScorer(network)
    logits = scorer.logits(tokens)
    assert logits.shape == (600,)
    expected = network(side_by_side(tokens)[0])[:, 0]
    assert np.allclose(probabilities_of(logits), expected, atol=1e-5)
    for place in (0, 599):
        alone = scorer.logits(Tokens.joined([tokens.of(place)]))
        assert np.allclose(alone, logits[place], atol=1e-5)


def test_aligned_tokens_become_a_tensor_without_a_copy_and_others_are_copied() -> None:
    tokens = some_tokens(50, 40).aligned()
    expected = tokens.numbers.tolist()
    shared = TokensInMemory(tokens).numbers
    offsets = np.array([0, len(expected) - 1])
    copied = TokensInMemory(Tokens(tokens.numbers[1:], offsets, tokens.lengths[:1])).numbers
    tokens.numbers[1] += 100
    assert int(shared[1]) == expected[1] + 100
    assert copied.numpy().tolist() == expected[1:]
    tokens.numbers[1] -= 100
    del tokens
    assert shared.numpy().tolist() == expected  # its memory stays as long as it does


def test_scoring_stops_when_asked_to(network: keras.Model) -> None:
    def stop() -> None:
        raise Cancelled("asked")

    with pytest.raises(Cancelled):
        ReviewScorer(network).logits(some_tokens(10, 5), stop)


def test_cross_entropy_is_that_of_scikit_learn_and_finite_for_a_sure_mistake() -> None:
    labels, logits = np.array([1, 0, 1, 0], np.uint8), np.array([2.0, -1.0, -3.0, 0.5], np.float32)
    assert cross_entropy(labels, logits) == pytest.approx(
        sk.log_loss(labels, 1 / (1 + np.exp(-logits))), rel=1e-6
    )
    assert cross_entropy(np.array([1], np.uint8), np.array([-1e4], np.float32)) == pytest.approx(1e4)


def scored(count: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities that go with them, more or less, some of them equal."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count).astype(np.uint8)
    return labels, np.clip(labels * 0.3 + random.normal(0.35, 0.25, count), 0, 1).round(2)


@pytest.mark.parametrize("target", [0.6, 0.75, 0.9, 0.95, 0.999])
def test_a_threshold_is_the_best_of_all_that_reach_the_target(target: float) -> None:
    labels, probabilities = scored()
    every = {
        threshold: (
            sk.precision_score(labels, probabilities >= threshold),
            sk.recall_score(labels, probabilities >= threshold),
        )
        for threshold in np.unique(probabilities)
    }
    choice = evaluation.threshold_for_precision(labels, probabilities, target)
    reaching = [recall for precision, recall in every.values() if precision >= target]
    assert choice.reached == bool(reaching)
    assert every[choice.threshold] == pytest.approx((choice.precision, choice.recall))
    if reaching:
        assert choice.recall == max(reaching)
    else:
        assert choice.precision == max(precision for precision, _ in every.values())
    choice = evaluation.threshold_for_recall(labels, probabilities, target)
    assert choice.reached
    assert choice.recall >= target
    assert choice.precision == max(precision for precision, recall in every.values() if recall >= target)


def test_intervals_are_those_of_drawing_reviews_again_and_again() -> None:
    labels, probabilities = scored()
    found = evaluation.intervals(evaluation.measures(labels, probabilities, 0.5), seed=0)
    random = np.random.default_rng(1)
    accuracies, f1s = [], []
    for _ in range(2_000):
        drawn = random.integers(0, len(labels), len(labels))
        called = probabilities[drawn] >= 0.5
        accuracies.append((called == labels[drawn]).mean())
        f1s.append(sk.f1_score(labels[drawn], called))
    for name, values in (("accuracy", accuracies), ("f1", f1s)):
        low, high = np.percentile(values, [2.5, 97.5])
        assert found[f"{name}_low"] == pytest.approx(low, abs=0.01)
        assert found[f"{name}_high"] == pytest.approx(high, abs=0.01)


def test_curves_hold_what_each_threshold_gives() -> None:
    labels, probabilities = scored()
    rows = evaluation.curves(labels, probabilities)
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    for threshold, precision, recall, f1, false_positives in rows[:: len(rows) // 7]:
        called = probabilities >= threshold
        assert precision == pytest.approx(sk.precision_score(labels, called))
        assert recall == pytest.approx(sk.recall_score(labels, called))
        assert f1 == pytest.approx(sk.f1_score(labels, called))
        assert false_positives == pytest.approx(called[labels == 0].mean())


def test_classes_of_lengths_hold_all_reviews() -> None:
    labels, probabilities = scored()
    lengths = np.random.default_rng(2).integers(0, 700, len(labels)).astype(np.int32)
    rows = evaluation.by_length(labels, probabilities, 0.5, lengths)
    assert sum(row[2] for row in rows) == len(labels)
    shares = np.average([row[3] for row in rows], weights=[row[2] for row in rows])
    assert shares == pytest.approx(sk.accuracy_score(labels, probabilities >= 0.5))


def test_the_surest_errors_come_first() -> None:
    labels = np.array([1, 0, 1, 0, 1], np.uint8)
    probabilities = np.array([0.4, 0.99, 0.001, 0.2, 0.9])
    assert list(evaluation.surest_errors(labels, probabilities, 0.5, 9)) == [2, 1, 0]


def test_an_evaluation_measures_the_reviews_that_were_left_alone(evaluated: JobFolder) -> None:
    metrics = evaluated.metrics
    assert metrics["reviews"] == 300
    assert metrics["accuracy"] > 0.7
    assert metrics["accuracy_low"] < metrics["accuracy"] < metrics["accuracy_high"]
    counts = ("true_positives", "false_positives", "true_negatives", "false_negatives")
    assert sum(metrics[name] for name in counts) == 300
    with (evaluated.path / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = [(float(row["probability"]) >= 0.5) == (row["label"] == "positive") for row in rows]
    assert np.mean(right) == pytest.approx(metrics["accuracy"])
    wrong = json.loads((evaluated.path / "surest_errors.json").read_bytes())
    assert len(wrong) == min(20, right.count(False))
    assert wrong
    assert all(error["text"].startswith(MARKUP) for error in wrong)


@pytest.mark.parametrize("name", ["precision", "recall"])
def test_a_target_is_reached_where_the_threshold_is_chosen(
    tmp_path: Path, trained: JobFolder, name: str
) -> None:
    run = do(tmp_path / "run", "evaluate", source=trained, **{f"target_{name}": 0.9})
    metrics = JobFolder(run.folder).metrics
    assert metrics[f"validation_{name}"] >= 0.9
    assert metrics[f"target_{name}"] == 0.9
    with (trained.path / "validation.csv").open(newline="") as file:
        rows = [(int(row["label"]), float(row["probability"])) for row in csv.DictReader(file)]
    labels, probabilities = map(np.array, zip(*rows, strict=True))
    score = {"precision": sk.precision_score, "recall": sk.recall_score}[name]
    assert score(labels, probabilities >= metrics["threshold"]) == pytest.approx(
        metrics[f"validation_{name}"]
    )
    assert "The threshold was chosen by only 120 validation reviews, so it is rough." in run.notes
    (text,) = [part for part in sentiment.present(JobFolder(run.folder)) if isinstance(part, Text)]
    assert f"Asked for was a {name} of 90.0%" in text.body


def test_other_data_are_measured_whole_with_a_note(tmp_path: Path, trained: JobFolder) -> None:
    run = do(tmp_path / "toy", "evaluate", "toy-reviews", trained)
    assert JobFolder(run.folder).metrics["reviews"] == 1_000
    assert run.notes == [
        "These reviews were made by a grammar; they are no evidence about real text",
        "These are other data than the model was trained on: the part they keep for testing is measured.",
    ]
    (tmp_path / "own.csv").write_text("text,label\nThe plot is clever.,1\nThe plot is dull.,0\n")
    run = do(tmp_path / "own", "evaluate", tmp_path / "own.csv", trained)
    assert JobFolder(run.folder).metrics["reviews"] == 2
    assert "all of their reviews is measured" in run.notes[-1]


def test_reviews_of_one_label_cannot_be_measured_by(tmp_path: Path, trained: JobFolder) -> None:
    (tmp_path / "own.csv").write_text("text,label\nThe plot is clever.,1\n")
    with pytest.raises(
        InvalidData, match="all reviews to measure by are positive; allowed: reviews of both labels"
    ):
        do(tmp_path / "run", "evaluate", tmp_path / "own.csv", trained)


def test_test_reviews_that_were_trained_on_are_counted(tmp_path: Path) -> None:
    for part, texts in (("train", "abcdefghijklmnop"), ("test", "aqrstuvwxyz")):
        for label, mood in (("pos", "good"), ("neg", "bad")):
            folder = tmp_path / "own" / part / label
            folder.mkdir(parents=True)
            for text in texts:
                (folder / f"{text}.txt").write_text(f"{mood} film {text}")
    run = do(tmp_path / "run", "train", tmp_path / "own", epochs=1)
    evaluation_run = do(tmp_path / "evaluation", "evaluate", source=JobFolder(run.folder))
    assert evaluation_run.notes == [
        "Of the 22 test reviews 2 stand, word for word, among the training reviews as well: the data come so."
    ]


# --- labelling ------------------------------------------------------------------------


def predictions(folder: Path) -> list[dict[str, str]]:
    with (folder / "predictions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


TEXTS = ["The plot is clever. The acting is superb.", "The plot is dull.\nThe music is awful.", "Ωμέγα"]


def test_texts_are_labelled_as_evaluation_reads_them(tmp_path: Path, trained: JobFolder) -> None:
    run = do(tmp_path, "generate", source=trained, text=TEXTS)
    rows = predictions(run.folder)
    assert [row["label"] for row in rows][:2] == ["positive", "negative"]
    assert [row["review"] for row in rows] == ["1", "2", "3"]
    assert rows[1]["text"] == "“The plot is dull. The music is awful.”"
    vocabulary = Vocabulary.read(trained.path / "vocabulary.json")
    model = build_sentiment(vocabulary.numbers, seed=0)
    model.load_weights(trained.path / "model.keras")
    tokens = TokenCollector(30, vocabulary).add_all(TEXTS).tokens()
    expected = model(side_by_side(tokens)[0])[:, 0]
    assert np.allclose([float(row["probability"]) for row in rows], expected, atol=1e-5)
    assert run.notes == ["1 review has no word that the model knows; what it says of such is no judgement."]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "{0}\n\n{1}\n"),
        ("a.csv", 'id,text\n1,"{0}"\n2,"{1}"\n'),
        ("a.tsv", "text\n{0}\n{1}\n"),
        ("a.jsonl", '{{"text": "{0}"}}\n{{"text": "{1}"}}\n'),
    ],
)
def test_files_are_labelled_whatever_their_form(
    tmp_path: Path, trained: JobFolder, name: str, content: str
) -> None:
    texts = [text.replace("\n", " ") for text in TEXTS[:2]]
    (tmp_path / name).write_text(content.format(*texts))
    run = do(tmp_path / "run", "generate", tmp_path / name, trained)
    given = do(tmp_path / "text", "generate", source=trained, text=texts)
    assert predictions(run.folder) == predictions(given.folder)


def test_many_reviews_are_labelled_in_blocks(
    tmp_path: Path, trained: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.review_labelling.BLOCK", 7)
    (tmp_path / "a.txt").write_text("\n".join([TEXTS[0], "The plot is dull."] * 20))
    run = do(tmp_path / "run", "generate", tmp_path / "a.txt", trained)
    rows = predictions(run.folder)
    assert [int(row["review"]) for row in rows] == list(range(1, 41))
    assert [row["label"] for row in rows] == ["positive", "negative"] * 20
    metrics = JobFolder(run.folder).metrics
    assert (metrics["reviews"], metrics["positive_share"]) == (40, 0.5)


def test_a_threshold_decides_what_is_called_positive(tmp_path: Path, trained: JobFolder) -> None:
    probability = float(
        predictions(do(tmp_path / "a", "generate", source=trained, text=TEXTS[:1]).folder)[0]["probability"]
    )
    run = do(tmp_path / "b", "generate", source=trained, text=TEXTS[:1], threshold=(1 + probability) / 2)
    assert predictions(run.folder)[0]["label"] == "negative"


def test_nothing_to_label_gets_one_sentence(tmp_path: Path, trained: JobFolder) -> None:
    (tmp_path / "a.txt").write_text("\n\n")
    with pytest.raises(InvalidData, match="there is no review to label; allowed: one or more"):
        do(tmp_path / "run", "generate", tmp_path / "a.txt", trained)


@pytest.mark.parametrize("fields", [{}, {"text": ["good"], "data": "toy-reviews"}])
def test_reviews_come_from_one_place(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidJob, match="allowed: either --text or --data"):
        JobSpec.make(
            "sentiment",
            "generate",
            parameters={"text": fields.get("text", [])},
            data=fields.get("data"),
            **{"from": SOURCE},
        )


def test_one_target_is_enough() -> None:
    targets = {"target_precision": 0.9, "target_recall": 0.9}
    with pytest.raises(InvalidJob, match="there is a target_precision as well; allowed: one of the two"):
        JobSpec.make("sentiment", "evaluate", parameters=targets, **{"from": SOURCE})


def test_a_words_weight_is_what_hiding_it_changes(network: keras.Model) -> None:
    vocabulary = Vocabulary(tuple(f"w{number}" for number in range(48)))
    tokens = some_tokens(6, 12)
    scorer = ReviewScorer(network)
    logits = scorer.logits(tokens)
    effects = explain(scorer, vocabulary, tokens, logits)
    assert len(effects) == 6
    for place, found in enumerate(effects):
        row = tokens.of(place)
        assert {effect.word for effect in found} == {
            vocabulary.shown(word) for word in row if word != UNKNOWN
        }
        assert [abs(effect.weight) for effect in found] == sorted(
            (abs(e.weight) for e in found), reverse=True
        )
        first = found[0]
        number = int(first.word[1:]) + 2
        hidden = np.where(row == number, UNKNOWN, row).astype(np.int32)
        without = scorer.logits(Tokens.joined([hidden]))[0]
        assert first.weight == pytest.approx(logits[place] - without, abs=1e-4)
        assert first.times == int((row == number).sum())


def test_explanations_stay_within_their_budget(network: keras.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.review_explanation.BUDGET_TOKENS", 200)
    vocabulary = Vocabulary(tuple(f"w{number}" for number in range(48)))
    tokens = some_tokens(40, 12)
    scorer = ReviewScorer(network)
    effects = explain(scorer, vocabulary, tokens, scorer.logits(tokens))
    assert 0 < len(effects) < 40


def test_the_words_that_decide_are_the_ones_with_a_meaning(tmp_path: Path, trained: JobFolder) -> None:
    run = do(tmp_path, "generate", source=trained, text=TEXTS[:2])
    decisions = json.loads((run.folder / "decisions.json").read_bytes())
    liked, disliked = ({word["word"] for word in decision["words"][:3]} for decision in decisions)
    assert liked & {"clever", "superb"}
    assert disliked & {"dull", "awful"}


# --- reports --------------------------------------------------------------------------


def test_each_action_has_something_to_show(tmp_path: Path, trained: JobFolder, evaluated: JobFolder) -> None:
    reading, words = sentiment.present(trained)
    assert isinstance(reading, Text)
    assert "reads the last 30 words of a review" in reading.body
    assert isinstance(words, Text)
    shown = list(sentiment.present(evaluated))
    figures = {part.name for part in shown if isinstance(part, Figure)}
    assert figures == {"confusion", "precision_recall", "roc", "thresholds", "by_length"}
    assert all(part.alt for part in shown if isinstance(part, Figure))
    (text,) = [part for part in shown if isinstance(part, Text)]
    assert "test reviews positive" in text.body
    titles = [part.title for part in shown if isinstance(part, Table)]
    assert titles == ["Classification report", "What precision costs", "Where it is surest and wrong"]
    labelled = do(tmp_path, "generate", source=trained, text=TEXTS)
    (table,) = sentiment.present(JobFolder(labelled.folder))
    assert isinstance(table, Table)
    assert [row[1] for row in table.rows][:2] == ["positive", "negative"]


def test_markup_in_a_review_stays_text_and_no_table_takes_it_for_a_formula(
    tmp_path: Path, trained: JobFolder, evaluated: JobFolder
) -> None:
    run = do(
        tmp_path,
        "generate",
        source=trained,
        text=[f"clever plot {MARKUP}", "=HYPERLINK(1)", "\x1b[31m\x00 dull"],
    )
    assert all(row["text"].startswith("“") for row in predictions(run.folder))
    assert predictions(run.folder)[2]["text"] == "“[31m dull”"
    for folder in (run.folder, evaluated.path):
        render(folder)
        page = (folder / "report.html").read_text(encoding="utf-8")
        assert "<script>document" not in page
        assert "&lt;script&gt;document.title = &#39;owned&#39;&lt;/script&gt;{{ 7 * 7 }}" in page


def test_labelling_stops_when_asked_to(tmp_path: Path, trained: JobFolder) -> None:
    spec = JobSpec.make("sentiment", "generate", data="toy-reviews", **{"from": SOURCE})
    run = Run(
        spec=spec,
        folder=tmp_path,
        settings=read_settings(),
        sources={"from": trained},
        stop=threading.Event(),
    )
    run.stop.set()
    with pytest.raises(Cancelled):
        sentiment.generate(run)
    assert not (tmp_path / "predictions.csv").exists()
