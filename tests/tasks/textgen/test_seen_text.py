"""Passages of the training text are found wherever they stand."""

from pathlib import Path

import numpy as np
import pytest

from jobs.store.job_folder import JobFolder
from worker.tasks.textgen import seen_text
from worker.tasks.textgen.seen_text import WINDOW, seen_characters, write_windows
from worker.tasks.textgen.vocabulary import Vocabulary

VOCABULARY = Vocabulary("".join(map(chr, range(0x400, 0x464))))


@pytest.fixture
def texts() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 100, 3_010), rng.integers(0, 100, 1_000)


@pytest.mark.parametrize("block", [7, 1 << 16])
@pytest.mark.parametrize("at", [0, 13, 850])
def test_a_passage_that_both_texts_have_is_found_wherever_it_stands(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    texts: tuple[np.ndarray, np.ndarray],
    at: int,
    block: int,
) -> None:
    monkeypatch.setattr(seen_text, "_BLOCK", block)
    training, other = texts
    write_windows(tmp_path, VOCABULARY, training)
    evaluated = other.copy()
    evaluated[at : at + 150] = training[1_007:1_157]
    seen = seen_characters(JobFolder(tmp_path), VOCABULARY, evaluated, lambda: None)
    assert seen is not None
    # The windows of the training text begin at 1,050 and at 1,100, and the next one is not whole here.
    assert np.flatnonzero(seen).tolist() == list(range(at + 43, at + 143))
    reordered = Vocabulary(VOCABULARY.characters + "道")
    again = seen_characters(JobFolder(tmp_path), reordered, evaluated, lambda: None)
    assert np.array_equal(seen, np.asarray(again))


@pytest.mark.parametrize("length", [0, 1, WINDOW - 1, WINDOW])
def test_a_short_text_has_few_windows(
    tmp_path: Path, texts: tuple[np.ndarray, np.ndarray], length: int
) -> None:
    training, _ = texts
    write_windows(tmp_path, VOCABULARY, training[:length])
    seen = seen_characters(JobFolder(tmp_path), VOCABULARY, training[:length], lambda: None)
    assert np.asarray(seen).tolist() == [length == WINDOW] * length


def test_of_a_model_without_digests_nothing_is_known(tmp_path: Path) -> None:
    assert seen_characters(JobFolder(tmp_path), VOCABULARY, np.zeros(99, np.int32), lambda: None) is None
