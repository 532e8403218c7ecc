"""Words are counted without their case."""

from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.store.job_folder import JobFolder
from worker.tasks.textgen.artifacts import read_words, save_corpus
from worker.tasks.textgen.text import Text, corpus_of
from worker.tasks.textgen.word_stats import common_words, have_meaning, word_use, words_in


def test_words_are_counted_without_their_case() -> None:
    known = frozenset(common_words("To be, or not to be: that's the question", 100))
    assert known == {"to", "be", "or", "not", "that's", "the", "question"}
    assert common_words("b b a", 1) == ["b"]
    use = word_use("To be OR zounds! To be or zounds", known)
    assert use == (8, 0.5, pytest.approx(1 / 3), 0.75)
    assert word_use("... 42", known) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("It was the best of times", True),
        ("안녕하세요 세계", True),
        ("हिन्दी में नमस्ते", True),
        ("道可道，非常道。名可名，非常名。", False),
        ("吾輩は猫である。名前はまだ無い。", False),
        ("สวัสดีชาวโลก ภาษาไทย", False),
        ("ACGTTGCA" * 20, False),
        ("3.14 159 265", False),
        ("It was the best of times 道可道", True),
    ],
)
def test_words_mean_something_where_spaces_separate_them(text: str, meaning: bool) -> None:
    assert have_meaning(common_words(text, 100)) == meaning


def test_vowel_signs_are_part_of_a_word() -> None:
    assert list(words_in("हिन्दी में l'élève")) == ["हिन्दी", "में", "l'élève"]


@pytest.mark.parametrize(
    ("text", "are_listed"),
    [("道可道非常道名可名非常名無名天地之始\n" * 90, False), ("To be or not to be. " * 90, True)],
)
def test_words_are_listed_where_a_text_consists_of_words(
    opened: Callable[[bytes], Text], tmp_path: Path, text: str, are_listed: bool
) -> None:
    save_corpus(tmp_path, corpus_of(opened(text.encode())))
    assert (tmp_path / "words.txt").exists() == are_listed
    assert have_meaning(read_words(JobFolder(tmp_path))) == are_listed
