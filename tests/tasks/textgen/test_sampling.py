"""A text is a function of its own generator; characters are drawn with the right probabilities."""

import os
from collections.abc import Callable

import keras
import numpy as np
import pytest

from tests.tasks.textgen.jobs import states
from worker.tasks.textgen.network import logits_of, zero_state
from worker.tasks.textgen.sampling import Writer, draw

PROMPT = np.array([3, 1, 4, 1], np.int32)


def rngs(count: int, seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, number]) for number in range(count)]


def test_a_greedy_text_is_the_one_of_predicting_character_by_character(
    network: keras.Model, writer: Writer
) -> None:
    written = writer.write(PROMPT, 12, 0.0, rngs(1))[0]
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
    together = wide.write(PROMPT, 30, 1.0, rngs(70))
    assert together.shape == (70, 30)
    assert len({tuple(text) for text in together.tolist()}) == 70
    assert np.array_equal(wide.write(PROMPT, 30, 1.0, rngs(3)), together[:3])
    for number in (0, 69):
        assert np.array_equal(writer.write(PROMPT, 30, 1.0, [rngs(70)[number]])[0], together[number])


def test_the_number_of_cores_changes_no_character(
    network: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    for cores in (1, 3):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)), raising=False)
        calls: list[None] = []
        wide = Writer(network, 40)
        written.append(wide.write(PROMPT, 30, 1.0, rngs(40), lambda calls=calls: calls.append(None)))
        # One core writes 32 texts in a call; three write all 40.
        assert len(calls) == {1: 2, 3: 1}[cores]
    assert np.array_equal(*written)


def test_a_longer_text_begins_as_the_shorter_one(writer: Writer) -> None:
    long, short = (writer.write(PROMPT, length, 1.0, rngs(1)) for length in (700, 30))
    assert np.array_equal(long[:, :30], short)


@pytest.mark.parametrize(("prompt", "length"), [(1, 1), (256, 1), (257, 256), (300, 255), (2, 513)])
def test_a_prompt_may_be_longer_than_a_block(
    network: keras.Model, writer: Writer, prompt: int, length: int
) -> None:
    codes = np.resize(PROMPT, prompt)
    written = writer.write(codes, length, 0.0, rngs(1))
    assert written.shape == (1, length)
    logits, _ = logits_of(network, codes[:, np.newaxis], zero_state(network, 1))
    assert written[0, 0] == np.argmax(logits[-1, 0])


def test_only_the_likeliest_character_is_the_greedy_one(network: keras.Model, writer: Writer) -> None:
    greedy = writer.write(PROMPT, 50, 0.0, rngs(1))
    assert np.array_equal(Writer(network, 1, top_k=1).write(PROMPT, 50, 1.0, rngs(1)), greedy)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_a_text_is_drawn_at_the_temperature_that_was_asked_for(
    network: keras.Model, writer: Writer, temperature: float
) -> None:
    logits, _ = logits_of(network, PROMPT[:, np.newaxis], zero_state(network, 1))
    weights = np.exp(np.float64(logits[-1, 0]) / temperature)
    shares = np.cumsum(weights / weights.sum())
    for number in range(30):
        # A number is drawn for each character read as well, the prompt's first one aside.
        uniform = 1 - np.random.default_rng([7, number]).random(len(PROMPT), np.float32)[-1]
        if np.abs(shares - uniform).min() > 1e-4:
            written = writer.write(PROMPT, 1, temperature, [np.random.default_rng([7, number])])
            assert written[0, 0] == np.searchsorted(shares, uniform)


@pytest.fixture
def drawn() -> Callable[..., np.ndarray]:
    """Shares of 100,000 characters drawn from logits, whose uniforms are evenly spread."""
    logits = np.array([[2.0, -1.0, 0.5, 0.5, 1.5, -30.0]], np.float32)
    uniforms = ((np.arange(100_000) + 0.5) / 100_000).astype(np.float32)

    def shares(temperature: float, limits: tuple[int, float] | None = None) -> np.ndarray:
        codes = draw(np.repeat(logits, 100_000, axis=0), uniforms, np.float32(temperature), limits)
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
