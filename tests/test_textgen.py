"""The character model: its network, its training, its measurements, what it writes."""

import json
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from stopping import train_with_stops

from jobs.errors import Cancelled, InvalidData, InvalidJob
from jobs.files import write_json
from jobs.folder import JobFolder
from jobs.settings import read_settings
from jobs.spec import JobSpec
from worker.data.characters import Vocabulary
from worker.data.pydoc import prose
from worker.kept import forget
from worker.models.sampling import Writer, draw
from worker.models.scoring import Scorer, Scores
from worker.models.textgen import build, next_logits, no_state, read
from worker.report.page import render
from worker.report.parts import Columns, Figure, Table, Text
from worker.run import Run
from worker.tasks import textgen
from worker.text_evaluation import by_kind, by_place, calibration, expected_calibration_error
from worker.text_training import TextTraining, fitting_shape, memory_needed

SOURCE = "20261123-221530-042-k7qd"
MARKUP = "<script>document.title = 'owned'</script>{{ 7 * 7 }}"
SMALL: dict[str, Any] = {"epochs": 2, "units": 12, "window": 10, "batch_size": 8}


@pytest.fixture(scope="session")
def own_text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some English of our own, small enough to train on in a second."""
    path = tmp_path_factory.mktemp("text") / "own.txt"
    path.write_text(f"{MARKUP}\n{prose()[:12_000]}", encoding="utf-8")
    return path


def do(
    folder: Path, action: str, data: Path | None = None, source: JobFolder | None = None, **fields: Any
) -> Run:
    """Do a job without a worker; its folder has what a finished one has."""
    parameters = {name: value for name, value in fields.items() if name not in ("seed", "stop")}
    spec = JobSpec.make(
        "textgen",
        action,
        parameters=parameters,
        data=data and str(data),
        seed=fields.get("seed", 0),
        **({"from": SOURCE} if source else {}),
    )
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(
        spec=spec,
        folder=folder,
        settings=read_settings(data_dir=folder / "data", checkpoint_seconds=0.1),
        sources={"from": source} if source else {},
    )
    metrics = getattr(textgen, action)(run)
    assert all(isinstance(value, (int, float)) and math.isfinite(value) for value in metrics.values())
    write_json(folder / "metrics.json", metrics)
    write_json(
        folder / "job.json",
        {
            "id": SOURCE,
            "state": "succeeded",
            "spec": spec.model_dump(mode="json", by_alias=True),
            "data": run.data,
            "notes": run.notes,
        },
    )
    return run


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, own_text: Path) -> JobFolder:
    return JobFolder(do(tmp_path_factory.mktemp("trained"), "train", own_text, **SMALL).folder)


@pytest.fixture(scope="session")
def network() -> keras.Model:
    """Two layers with weights that have something to say."""
    model = build(11, layers=2, units=8, seed=3)
    model.set_weights([3 * weight for weight in model.get_weights()])
    model.compile(jit_compile=False)  # of Keras' own predictions, which are made few at a time here
    return model


def states(model: keras.Model, batch: int) -> list[np.ndarray]:
    return [np.zeros((batch, state.shape[1]), np.float32) for state in model.inputs[1:]]


# --- the network ----------------------------------------------------------------------


def test_the_network_is_the_one_of_the_design() -> None:
    layers = [type(layer).__name__ for layer in build(65).layers]
    assert [name for name in layers if name != "InputLayer"] == ["LSTM", "Dense"]
    assert "OneHot" in [type(operation).__name__ for operation in build(65).operations]
    assert build(65).count_params() == 4 * 128 * (65 + 128 + 1) + 65 * (128 + 1)


def test_the_model_file_is_one_that_plain_keras_loads(network: keras.Model, tmp_path: Path) -> None:
    network.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = [np.array([[3, 1, 4]]), *states(network, 1)]
    for one, other in zip(network.predict(inputs, verbose=0), loaded.predict(inputs, verbose=0), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("cudnn", [False, True])
def test_the_fast_way_to_read_gives_what_the_network_gives(network: keras.Model, cudnn: bool) -> None:
    random = np.random.default_rng(0)
    codes = random.integers(0, 11, (7, 5)).astype(np.int32)
    state = random.normal(size=(2, 2, 5, 8)).astype(np.float32)
    expected, *expected_state = network([tf.constant(codes.T), *map(tf.constant, state.reshape(4, 5, 8))])
    logits, after = read(network, codes, tf.constant(state), cudnn=cudnn)
    assert np.allclose(tf.nn.softmax(logits), np.transpose(expected, (1, 0, 2)), atol=1e-6)
    assert np.allclose(tf.reshape(after, (4, 5, 8)), expected_state, atol=1e-5)
    one_by_one = tf.constant(state)
    for step, row in enumerate(codes):
        last, one_by_one = next_logits(network, tf.constant(row), one_by_one)
        assert np.allclose(last, logits[step], atol=1e-5)


@pytest.mark.parametrize("time", [1, 2, 30])
def test_the_gradients_written_out_are_those_of_autodiff(network: keras.Model, time: int) -> None:
    random = np.random.default_rng(1)
    codes, targets = random.integers(0, 11, (2, time, 6)).astype(np.int32)
    state = tf.constant(random.normal(size=(2, 2, 6, 8)).astype(np.float32))
    weight_of_state = tf.constant(random.normal(size=(2, 2, 6, 8)).astype(np.float32))
    found = []
    for cudnn in (False, True):  # ours, and autodiff through Keras' layers
        with tf.GradientTape() as tape:
            tape.watch(state)
            logits, after = read(network, codes, state, cudnn=cudnn)
            nats = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
            loss = tf.reduce_sum(nats) + tf.reduce_sum(weight_of_state * after)
        variables = [weight.value for weight in network.trainable_variables]
        found.append(
            [tf.convert_to_tensor(each).numpy() for each in tape.gradient(loss, [*variables, state])]
        )
    for ours, theirs in zip(*found, strict=True):
        assert np.abs(ours - theirs).max() < 1e-5 * np.abs(theirs).max()


def test_a_window_whose_length_is_not_known_before_is_read_as_any_other(network: keras.Model) -> None:
    codes = np.random.default_rng(2).integers(0, 11, (37, 4)).astype(np.int32)
    state = no_state(network, 4)
    unknown = tf.function(
        lambda codes: read(network, codes, state), input_signature=[tf.TensorSpec([None, None], tf.int32)]
    )
    for ours, expected in zip(unknown(codes), read(network, codes, state, cudnn=True), strict=True):
        assert np.allclose(ours, expected, atol=1e-5)


# --- training -------------------------------------------------------------------------


def test_a_step_is_the_one_that_keras_itself_makes() -> None:
    model, plain = build(9, units=6), build(9, units=6)
    plain.set_weights(model.get_weights())
    codes = np.random.default_rng(0).integers(0, 9, 4 * 7 + 1).astype(np.uint8)
    ours = TextTraining(model, codes, codes, streams=4, window=7, learning_rate=1e-2, seed=0)
    ours.begin_epoch(0)
    ours.make_steps(0, 1)

    windows = np.stack([codes[7 * stream : 7 * stream + 8] for stream in range(4)])
    probabilities = keras.Model(plain.inputs, plain.outputs[0])
    optimizer = keras.optimizers.Adam(1e-2, global_clipnorm=1.0)
    probabilities.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(), jit_compile=False)
    loss = probabilities.train_on_batch([windows[:, :-1], *states(plain, 4)], windows[:, 1:])

    stepped = ours.variables()[: len(plain.weights)]
    for one, other in zip(stepped, plain.weights, strict=True):
        assert np.allclose(one, other, atol=1e-5)
    assert float(ours.variables()[-1]) == pytest.approx(float(loss), rel=1e-5)


def test_the_state_goes_on_from_window_to_window_and_starts_anew_with_an_epoch() -> None:
    model = build(9, units=6)
    codes = np.random.default_rng(0).integers(0, 9, 200).astype(np.uint8)
    training = TextTraining(model, codes, codes, streams=2, window=8, learning_rate=1e-9, seed=0)
    training.begin_epoch(0)
    training.make_steps(0, 3)
    read_by_then = np.concatenate([training.batch(step)[:-1] for step in range(3)])
    _, expected = read(model, read_by_then, no_state(model, 2))
    assert np.allclose(training.variables()[-2], expected, atol=1e-5)
    training.begin_epoch(1)
    training.make_steps(0, 1)
    assert float(training.variables()[-1]) < 4  # the loss of one step, not of four


def test_every_character_is_trained_on_in_some_epoch() -> None:
    codes = np.arange(101, dtype=np.uint8)
    training = TextTraining(
        build(101, units=2), codes, codes, streams=3, window=10, learning_rate=1e-3, seed=1
    )
    seen: set[int] = set()
    for epoch in range(60):
        training.begin_epoch(epoch)
        for step in range(training.steps):
            seen |= set(np.ravel(training.batch(step)).tolist())
    assert seen == set(range(101))


def test_a_training_that_is_stopped_and_resumed_ends_with_the_same_bits(
    tmp_path: Path, trained: JobFolder, own_text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.text_training.CHUNK_MULTIPLICATIONS", 2e6)
    spec = JobSpec.make("textgen", "train", parameters=SMALL, data=str(own_text))
    run = Run(spec=spec, folder=tmp_path, settings=read_settings())
    # In the middle of the second epoch.
    assert train_with_stops(run, textgen.train, TextTraining, after={8}) == 2
    assert weights_and_history(JobFolder(tmp_path)) == weights_and_history(trained)


def test_a_job_after_others_of_its_shape_ends_with_the_bits_of_one_that_came_first(
    tmp_path: Path, trained: JobFolder, own_text: Path
) -> None:
    forget()
    other = do(tmp_path / "other", "train", own_text, seed=5, **SMALL)
    again = do(tmp_path / "again", "train", own_text, **SMALL)
    assert weights_and_history(JobFolder(again.folder)) == weights_and_history(trained)
    assert weights_and_history(JobFolder(other.folder)) != weights_and_history(trained)


def test_an_epoch_and_one_more_are_two(tmp_path: Path, trained: JobFolder, own_text: Path) -> None:
    do(tmp_path, "train", own_text, **SMALL | {"epochs": 1})
    one_more = do(tmp_path, "train", own_text, **SMALL)
    assert weights_and_history(JobFolder(one_more.folder)) == weights_and_history(trained)


def weights_and_history(folder: JobFolder) -> tuple[list[bytes], list[list[float]]]:
    model = build(len(Vocabulary.read(folder.path / "vocabulary.json")), units=12)
    model.load_weights(folder.path / "model.keras")
    history = [[row[name] for name in ("epoch", "loss", "validation_loss")] for row in folder.history]
    return [weight.tobytes() for weight in model.get_weights()], history


def test_a_training_learns_and_says_what_it_read(trained: JobFolder, own_text: Path) -> None:
    losses = [row["validation_loss"] for row in trained.history]
    assert losses[-1] < losses[0] < math.log(103)
    assert trained.metrics["validation_nats"] == min(losses)
    (record,) = trained.job["data"].values()
    assert record["path"] == str(own_text)
    assert record["characters"] == 12_000 + len(MARKUP) + 1
    assert (
        0 <= 0.9 * record["characters"] - record["training_characters"] - record["validation_characters"] < 10
    )
    assert "words.txt" in {path.name for path in trained.path.iterdir()}


def test_a_short_text_is_read_in_fewer_streams_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text(prose()[:1_000])
    run = do(tmp_path / "run", "train", path, epochs=1, units=4)
    assert run.notes == ["The text is short: 33 streams are read side by side, in windows of 25 characters."]


@pytest.mark.parametrize(
    ("asked", "given"),
    [((64, 25), (39, 25)), ((4, 25), (4, 25)), ((64, 5_000), (1, 999)), ((999, 2), (499, 2))],
)
def test_streams_and_windows_fit_into_a_text(asked: tuple[int, int], given: tuple[int, int]) -> None:
    assert fitting_shape(1_000, *asked) == given


def test_a_training_beyond_all_memory_is_refused_before_it_starts(tmp_path: Path, own_text: Path) -> None:
    assert memory_needed(65, 1, 128, 64 * 25) < 20e6
    with pytest.raises(InvalidJob, match=r"need about \d+ GB in each step; allowed: 16 GB"):
        do(tmp_path / "run", "train", own_text, layers=8, units=4_096)


def test_one_character_in_the_training_part_gets_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("a" * 1_900 + "b" * 100)
    with pytest.raises(InvalidData, match="its first nine tenths have nothing but the character 'a'"):
        do(tmp_path / "run", "train", path, epochs=1)


# --- measuring ------------------------------------------------------------------------


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


def test_scoring_leaves_no_character_out_whatever_the_length(network: keras.Model) -> None:
    scorer = Scorer(network)
    for length in (2, 3, 999, 2_001, 5_003):
        codes = np.random.default_rng(length).integers(0, 11, length).astype(np.uint8)
        assert len(scorer.score(codes, 1).nats) == length - 1


def test_an_evaluation_measures_the_held_out_tenth(tmp_path: Path, trained: JobFolder) -> None:
    metrics = JobFolder(do(tmp_path / "run", "evaluate", source=trained).folder).metrics
    assert metrics["characters"] == 1_205
    assert metrics["bits_per_character"] == pytest.approx(metrics["nats_per_character"] / math.log(2))
    assert metrics["perplexity"] == pytest.approx(math.exp(metrics["nats_per_character"]))
    assert 0 < metrics["accuracy"] < 1
    assert metrics["fivegram_nats"] < metrics["unigram_nats"]
    assert 0 <= metrics["calibration_error"] < 1


def test_another_text_is_measured_without_the_characters_that_are_unknown(
    tmp_path: Path, trained: JobFolder
) -> None:
    path = tmp_path / "other.txt"
    path.write_text("Ça va? " + prose()[:4_000] + "Привет, " * 3, encoding="utf-8")
    run = do(tmp_path / "run", "evaluate", path, trained)
    different, left_out = run.notes
    assert different.startswith("This is another text than the model was trained on.")
    assert left_out.startswith("18 of 403 characters of the held-out part were left out")
    assert "'П'" in left_out


def test_a_text_of_unknown_characters_gets_one_sentence(tmp_path: Path, trained: JobFolder) -> None:
    path = tmp_path / "other.txt"
    path.write_text("Привет! " * 500, encoding="utf-8")
    with pytest.raises(InvalidData, match="the model knows hardly any of its characters"):
        do(tmp_path / "run", "evaluate", path, trained)


def test_places_in_a_line_are_counted_from_its_beginning() -> None:
    codes = np.array([1, 0, 2, 3, 0] * 100, np.uint8)  # lines of 2 and of 3 characters, ends included
    nats = np.where(codes == 0, 1.0, 3.0)
    rows = by_place(0, codes, 5, nats[5:], 2 * nats[5:])
    assert [row[0] for row in rows] == [1, 2, 3]
    assert rows[0][1:] == (198, 3.0, 6.0)
    assert rows[2][1:] == (99, 1.0, 2.0)
    assert by_place(-1, codes, 5, nats[5:]) == []


def test_kinds_of_characters_share_all_of_them() -> None:
    text = "To be, 2 b\n" * 3
    vocabulary = Vocabulary("".join(sorted(set(text))))
    codes = vocabulary.encode(text)[0]
    rows = by_kind(vocabulary, codes, 11, np.ones(22))
    assert {kind: count for kind, count, _ in rows} == {
        "first letter of a word": 6,
        "later letter": 4,
        "space": 6,
        "line end": 2,
        "digit": 2,
        "any other": 2,
    }


def test_a_model_that_is_as_sure_as_right_has_no_calibration_error() -> None:
    confidence = np.repeat([0.25, 0.75], 400).astype(np.float32)
    right = np.concatenate([np.arange(400) < 100, np.arange(400) < 300])
    rows = calibration(Scores(confidence, right, confidence))
    assert [row[2:] for row in rows] == [(400, 0.25, 0.25), (400, 0.75, 0.75)]
    assert expected_calibration_error(rows) == 0
    surer = calibration(Scores(confidence, ~right, confidence))
    assert expected_calibration_error(surer) == pytest.approx(0.5)


# --- writing --------------------------------------------------------------------------


def generators(count: int, seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, number]) for number in range(count)]


PROMPT = np.array([3, 1, 4, 1], np.int32)


@pytest.fixture(scope="session")
def writer(network: keras.Model) -> Writer:
    return Writer(network, 1)


def test_a_greedy_text_is_the_one_of_predicting_character_by_character(
    network: keras.Model, writer: Writer
) -> None:
    written = writer.write(PROMPT, 12, 0.0, generators(1))[0]
    codes, state, expected = PROMPT, states(network, 1), []
    for _ in range(12):
        probabilities, *state = network.predict_on_batch([codes[np.newaxis], *state])
        codes = np.array([probabilities[0, -1].argmax()])
        expected.append(int(codes[0]))
    assert written.tolist() == expected


def test_a_text_depends_on_its_generator_and_not_on_those_beside_it(
    network: keras.Model, writer: Writer
) -> None:
    wide = Writer(network, 70)
    together = wide.write(PROMPT, 30, 1.0, generators(70))
    assert together.shape == (70, 30)
    assert len({tuple(text) for text in together.tolist()}) == 70
    assert np.array_equal(wide.write(PROMPT, 30, 1.0, generators(3)), together[:3])
    for number in (0, 69):
        assert np.array_equal(writer.write(PROMPT, 30, 1.0, [generators(70)[number]])[0], together[number])


def test_a_longer_text_begins_as_the_shorter_one(writer: Writer) -> None:
    long, short = (writer.write(PROMPT, length, 1.0, generators(1)) for length in (700, 30))
    assert np.array_equal(long[:, :30], short)


@pytest.mark.parametrize(("prompt", "length"), [(1, 1), (256, 1), (257, 256), (300, 255), (2, 513)])
def test_a_prompt_may_be_longer_than_a_block(
    network: keras.Model, writer: Writer, prompt: int, length: int
) -> None:
    codes = np.resize(PROMPT, prompt)
    written = writer.write(codes, length, 0.0, generators(1))
    assert written.shape == (1, length)
    logits, _ = read(network, codes[:, np.newaxis], no_state(network, 1))
    assert written[0, 0] == np.argmax(logits[-1, 0])


def test_only_the_likeliest_character_is_the_greedy_one(network: keras.Model, writer: Writer) -> None:
    greedy = writer.write(PROMPT, 50, 0.0, generators(1))
    assert np.array_equal(Writer(network, 1, top_k=1).write(PROMPT, 50, 1.0, generators(1)), greedy)


@pytest.fixture
def drawn() -> Callable[..., np.ndarray]:
    """Shares of 100,000 characters drawn from logits, whose chances are evenly spread."""
    logits = np.array([[2.0, -1.0, 0.5, 0.5, 1.5, -30.0]], np.float32)
    chances = ((np.arange(100_000) + 0.5) / 100_000).astype(np.float32)

    def shares(temperature: float, limits: tuple[int, float] | None = None) -> np.ndarray:
        codes = draw(np.repeat(logits, 100_000, axis=0), chances, np.float32(temperature), limits)
        found: np.ndarray = np.bincount(codes, minlength=6) / 100_000
        return found

    return shares


def expected_shares(temperature: float, kept: list[int]) -> np.ndarray:
    logits = np.array([2.0, -1.0, 0.5, 0.5, 1.5, -30.0])
    weights = np.zeros(6)
    weights[kept] = np.exp((logits[kept] - 2) / temperature)
    shares: np.ndarray = weights / weights.sum()
    return shares


@pytest.mark.parametrize(
    ("temperature", "limits", "kept"),
    [
        (1.0, None, [0, 1, 2, 3, 4, 5]),
        (0.5, None, [0, 1, 2, 3, 4, 5]),
        (10.0, None, [0, 1, 2, 3, 4, 5]),
        (1.0, (0, 0.999_999), [0, 1, 2, 3, 4]),
        (1.0, (3, 1.0), [0, 4, 2]),  # of equal ones the first
        (2.0, (100, 1.0), [0, 1, 2, 3, 4, 5]),
        (1.0, (0, 0.6), [0, 4]),
        (2.0, (4, 0.5), [0, 4]),
        (1e-6, None, [0]),
        (1e-38, None, [0]),
        (0.0, None, [0]),
        (0.0, (2, 0.5), [0]),
    ],
)
def test_characters_are_drawn_with_the_probabilities_that_numpy_computes(
    drawn: Callable[..., np.ndarray], temperature: float, limits: tuple[int, float] | None, kept: list[int]
) -> None:
    assert np.allclose(drawn(temperature, limits), expected_shares(max(temperature, 1e-3), kept), atol=1e-4)


@pytest.mark.parametrize("limits", [None, (3, 0.9)])
def test_what_is_impossible_is_never_drawn(limits: tuple[int, float] | None) -> None:
    logits = np.array([[-np.inf, 0, -200, 1, -np.inf]], np.float32)
    extremes = np.array([2.0**-24, 0.5, 1 - 2.0**-24, 1.0], np.float32)
    codes = draw(np.repeat(logits, 4, axis=0), extremes, np.float32(1), limits)
    assert set(np.asarray(codes).tolist()) <= {1, 3}


def texts_of(folder: Path) -> dict[tuple[float, int], str]:
    samples = json.loads((folder / "samples.json").read_bytes())["samples"]
    return {(sample["temperature"], sample["number"]): sample["text"] for sample in samples}


def test_a_text_depends_on_its_own_seed_and_temperature_alone(tmp_path: Path, trained: JobFolder) -> None:
    shared: dict[str, Any] = {"source": trained, "prompt": "The ", "length": 80}
    several = texts_of(do(tmp_path / "a", "generate", temperature=[0.2, 1.0, 0], samples=2, **shared).folder)
    one = texts_of(do(tmp_path / "b", "generate", temperature=[1.0], samples=2, **shared).folder)
    assert list(several) == [(0.2, 1), (0.2, 2), (1.0, 1), (1.0, 2), (0, 1)]
    assert all(len(text) == 80 for text in several.values())
    assert one == {key: text for key, text in several.items() if key[0] == 1.0}
    assert one[1.0, 1] != one[1.0, 2]


def test_unknown_characters_of_a_prompt_are_named(tmp_path: Path, trained: JobFolder) -> None:
    with pytest.raises(InvalidJob) as caught:
        do(tmp_path / "a", "generate", source=trained, prompt="The Ω and 🎻", length=10)
    assert str(caught.value) == (
        "prompt: the model never saw 'Ω', '🎻'; allowed: characters of its training text, or --on-unknown drop"
    )
    run = do(tmp_path / "b", "generate", source=trained, prompt="The\r\nΩ", length=10, on_unknown="drop")
    assert run.notes == ["Dropped from the prompt, since the model never saw them: 'Ω'."]
    assert json.loads((run.folder / "samples.json").read_bytes())["prompt"] == "The\n"
    with pytest.raises(InvalidJob, match="the model never saw 'Ω'; allowed"):
        do(tmp_path / "c", "generate", source=trained, prompt="Ω", length=10, on_unknown="drop")


def test_writing_stops_when_asked_to(tmp_path: Path, trained: JobFolder) -> None:
    spec = JobSpec.make(
        "textgen", "generate", parameters={"length": 1_000_000, "prompt": "The"}, **{"from": SOURCE}
    )
    run = Run(spec=spec, folder=tmp_path, settings=read_settings(), sources={"from": trained})
    threading.Timer(0.5, run.stop.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        textgen.generate(run)
    assert time.monotonic() - began < 10


# --- reports --------------------------------------------------------------------------


def test_each_action_has_something_to_show(tmp_path: Path, trained: JobFolder) -> None:
    evaluated = JobFolder(do(tmp_path / "evaluated", "evaluate", source=trained).folder)
    written = do(
        tmp_path / "written", "generate", source=trained, prompt="The ", temperature=[0, 1.0], length=200
    )
    (known,) = textgen.present(trained)
    assert isinstance(known, Text)
    assert r"\n" in known.body
    shown = list(textgen.present(evaluated))
    assert {"comparison", "calibration"} <= {part.name for part in shown if isinstance(part, Figure)}
    (verdict,) = [part.body for part in shown if isinstance(part, Text)]
    assert verdict.startswith("No, the 5-gram wins: ")
    shown = list(textgen.present(JobFolder(written.folder)))
    (columns,) = [part for part in shown if isinstance(part, Columns)]
    assert [text.title for text in columns.texts] == ["Temperature 0", "Temperature 1"]
    assert all(text.body.startswith("The ") and text.monospace for text in columns.texts)
    (table,) = [part for part in shown if isinstance(part, Table)]
    assert [row[0] for row in table.rows] == ["0", "1"]
    assert (written.folder / "samples.txt").read_text().startswith("=== temperature 0, text 1 ===\n\nThe ")


def test_markup_in_a_text_stays_text(tmp_path: Path, trained: JobFolder) -> None:
    run = do(tmp_path, "generate", source=trained, prompt=MARKUP, temperature=[0], length=20)
    record = JobFolder(run.folder).job
    write_json(run.folder / "job.json", finished_record(record))
    render(run.folder)
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "<script>document" not in page
    assert "&lt;script&gt;document.title = &#39;owned&#39;&lt;/script&gt;{{ 7 * 7 }}" in page


def finished_record(record: dict[str, Any]) -> dict[str, Any]:
    """What `worker.execute` adds to `job.json`."""
    moment = "2026-11-23T22:15:30.042Z"
    return record | {
        "attempt": 1,
        "times": {"submitted": moment, "started": moment, "finished": moment},
        "seconds": 1.0,
        "command": "quartet submit textgen generate",
        "device": {"kind": "cpu", "name": "a processor"},
        "versions": {"python": "3.11.9"},
        "worker": "worker-1@host",
        "headline": None,
        "error": None,
        "log_end": None,
        "timeline": [],
    }
