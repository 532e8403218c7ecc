"""Datasets by name, and the parts of a text."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from jobs.settings import Settings
from tests.tasks.textgen.jobs import TRAIN
from worker.tasks.textgen.pydoc import prose
from worker.tasks.textgen.text import LONGEST_BEGINNING, STRETCHES, Text, beginning_of, open_text, split
from worker.tasks.textgen.vocabulary import Vocabulary

PLAIN = "The quick brown fox jumps over the lazy dog.\n" * 40


def test_pydoc_is_prose_and_always_the_same(folders: Settings) -> None:
    text = prose()
    assert len(text) > 100_000
    assert not [line for line in text.splitlines() if line.startswith((">>>", "***", "   "))]
    opened = open_text(TRAIN, "pydoc", folders)
    assert opened.path is None
    assert opened.vocabulary.decode(opened.codes) == text
    assert opened.sha256 == open_text(TRAIN, "pydoc", folders).sha256


def test_shakespeare_in_the_data_folder_is_used_as_it_is(folders: Settings) -> None:
    folders.data_dir.mkdir()
    (folders.data_dir / "shakespeare.txt").write_text(PLAIN)
    text = open_text(TRAIN, "shakespeare", folders)
    assert (text.name, text.path) == ("shakespeare", folders.data_dir / "shakespeare.txt")
    assert text.sha256 == hashlib.sha256(PLAIN.encode()).hexdigest()


def test_training_validation_and_held_out_parts_share_no_character() -> None:
    codes = np.arange(50_000)
    text = Text("own", None, "", Vocabulary("".join(map(chr, range(0x10000, 0x10000 + 50_000)))), codes)
    training, validation = split(codes[: text.held_out])
    held_out = set(codes[text.held_out :].tolist())
    assert len(held_out) == 5_000
    assert len(validation) == 50_000 * 9 // 10 // 18
    assert not set(training.tolist()) & set(validation.tolist())
    assert not held_out & (set(training.tolist()) | set(validation.tolist()))
    assert text.held_out - len(training) - len(validation) < STRETCHES
    assert training.max() == text.held_out - 1


def test_the_vocabulary_is_that_of_the_training_text(opened: Callable[[bytes], Text]) -> None:
    text = opened((PLAIN + "é").encode())
    assert "é" in text.vocabulary.characters
    assert "é" not in text.vocabulary_before(text.held_out).characters


def test_characters_of_another_vocabulary_are_left_out_and_counted(opened: Callable[[bytes], Text]) -> None:
    text = opened(("ab" * 1_000 + "c" * 7 + "d").encode())
    vocabulary = Vocabulary("aby")
    codes, unknown, left_out = text.codes_in(vocabulary, 1_000)
    assert (unknown, left_out) == ("cd", 8)
    assert vocabulary.decode(codes) == "ab" * 500
    assert codes.dtype == np.uint8


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("First Citizen:\nBefore we proceed", "First Citizen:"),
        ("\n* * *\n\n  A title  \n", "  A title"),
        ("It was the best of times, it was the worst of times", "It was the best of times, it was the"),
        ("\u9053" * 99, "\u9053" * 20),
        ("...\n", "...\n"),
    ],
)
def test_the_beginning_of_a_text_is_its_first_line_or_its_first_words(text: str, beginning: str) -> None:
    assert beginning_of(text) == beginning
    assert len(beginning) <= LONGEST_BEGINNING


def test_a_model_that_learned_letters_and_marks_apart_reads_composed_text() -> None:
    text = Text("own", None, "", Vocabulary("aéŐ"), np.array([0, 1, 2, 1], np.uint8))
    codes, unknown, left_out = text.codes_in(Vocabulary("ae\u0301"))
    assert codes.tolist() == [0, 1, 2, 1, 2]
    assert (unknown, left_out) == ("Ő", 1)
    codes, unknown, left_out = text.codes_in(Vocabulary("aé"))
    assert codes.tolist() == [0, 1, 1]
    assert (unknown, left_out) == ("Ő", 1)
