"""Training: its steps are Keras' own, it resumes exactly, and it refuses what cannot be trained."""

import math
from pathlib import Path

import keras
import numpy as np
import pytest

from jobs.errors import InvalidData, InvalidJob
from jobs.settings import read_settings
from jobs.spec import JobSpec
from jobs.store.job_folder import JobFolder
from tests.support.stopping import train_with_stops
from tests.tasks.textgen.jobs import MARKUP, SMALL, TRAIN, do, states, weights_and_history
from worker.context import JobContext
from worker.tasks.textgen import task
from worker.tasks.textgen.network import build, logits_of, zero_state
from worker.tasks.textgen.pydoc import prose
from worker.tasks.textgen.scoring import RUN_IN
from worker.tasks.textgen.text import corpus_of, open_text
from worker.tasks.textgen.training import (
    DECAY_STEPS,
    TextTraining,
    fitting_shape,
    memory_needed,
    sample_of,
    warn_of_divergence,
)
from worker.training.best_epoch import CRITERION, BestEpoch
from worker.training.compile_cache import forget

MEMORY = (
    r"^batch_size, window, layers and units: expected at most 16 GB for a training step, got about \d+ GB$"
)


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
    _, expected = logits_of(model, read_by_then, zero_state(model, 2))
    assert np.allclose(training.variables()[-2], expected, atol=1e-5)
    training.begin_epoch(1)
    training.make_steps(0, 1)
    assert float(training.variables()[-1]) < 4  # the loss of one step, not of four


def test_the_learning_rate_falls_with_the_steps_made_and_starts_anew_with_a_run() -> None:
    model = build(9, units=6)
    codes = np.random.default_rng(0).integers(0, 9, 200).astype(np.uint8)
    training = TextTraining(model, codes, codes, streams=2, window=8, learning_rate=1e-2, seed=0)
    assert training.learning_rate == pytest.approx(1e-2)
    (steps_made,) = [variable for variable in training.variables() if variable.dtype == "int64"]
    steps_made.assign(3 * DECAY_STEPS + 1)
    assert training.learning_rate == pytest.approx(1e-2 / 2)
    training.restart(model.get_weights(), 0, 3e-2)
    assert training.learning_rate == pytest.approx(3e-2)


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
    monkeypatch.setattr("worker.tasks.textgen.training.CHUNK_MULTIPLICATIONS", 2e6)
    spec = JobSpec.make("textgen", "train", parameters=SMALL, data=str(own_text))
    context = JobContext(spec=spec, folder=tmp_path, settings=read_settings())
    # In the middle of the second epoch.
    assert train_with_stops(context, task.train, TextTraining, after={8}) == 2
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


def test_the_training_loss_is_that_of_the_saved_weights(trained: JobFolder, own_text: Path) -> None:
    corpus = corpus_of(open_text(TRAIN, str(own_text), read_settings()))
    sample = sample_of(corpus.training, len(corpus.validation))
    assert len(sample) == len(corpus.validation)
    model = build(len(corpus.vocabulary), units=12)
    model.load_weights(trained.path / "model.keras")
    for name, codes in (("training_nats", sample), ("validation_nats", corpus.validation)):
        first = min(RUN_IN + 1, len(codes) // 2)
        probabilities, *_ = model.predict_on_batch([codes[np.newaxis, :-1], *states(model, 1)])
        likelihoods = probabilities[0, np.arange(first - 1, len(codes) - 1), codes[first:]]
        assert trained.metrics[name] == pytest.approx(-np.log(likelihoods).mean(), rel=1e-4)


def test_the_sample_is_training_text_from_ten_places() -> None:
    training = np.arange(1_003)
    assert sample_of(training, 20).tolist() == [100 * place + at for place in range(10) for at in (0, 1)]
    assert len(sample_of(training, 55)) == 55
    assert sample_of(training[:30], 90).tolist() == list(range(30))


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([2.5, 2.0], None),
        (
            [41.0, 45.0],
            "The network is no better than knowing how frequent each character is: it needs 41.000",
        ),
        ([2.5, 41.0], "Training diverged: after the last epoch the network needs 41.000"),
    ],
)
def test_a_training_that_diverged_gets_a_warning(
    context: JobContext, losses: list[float], said: str | None
) -> None:
    history = [{"epoch": epoch, CRITERION: loss} for epoch, loss in enumerate(losses, 1)]
    warn_of_divergence(context, BestEpoch(history, history[0] if said else history[1]), 3.3)
    assert [warning.startswith(said or "") for warning in context.warnings] == [True] * (said is not None)


def test_a_short_text_is_read_in_fewer_streams_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text(prose()[:1_000])
    context = do(tmp_path / "run", "train", path, epochs=1, units=4)
    assert context.notes == ["The text is short, so it was read as 33 streams in windows of 25 characters."]


@pytest.mark.parametrize(
    ("asked", "given"),
    [((64, 25), (39, 25)), ((4, 25), (4, 25)), ((64, 5_000), (1, 999)), ((999, 2), (499, 2))],
)
def test_streams_and_windows_fit_into_a_text(asked: tuple[int, int], given: tuple[int, int]) -> None:
    assert fitting_shape(1_000, *asked) == given


def test_a_training_beyond_all_memory_is_refused_before_it_starts(tmp_path: Path, own_text: Path) -> None:
    assert memory_needed(65, 1, 128, 64 * 25) < 20e6
    with pytest.raises(InvalidJob, match=MEMORY):
        do(tmp_path / "run", "train", own_text, layers=8, units=4_096)


def test_one_character_in_the_training_part_gets_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("a" * 1_900 + "b" * 100)
    with pytest.raises(
        InvalidData, match=r"expected at least two different .* nine tenths, got nothing but 'a'"
    ):
        do(tmp_path / "run", "train", path, epochs=1)
