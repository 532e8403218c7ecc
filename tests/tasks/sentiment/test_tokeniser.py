"""What a word is."""

import string

import pytest

from tests.tasks.hostile_files import assert_linear
from worker.tasks.sentiment.tokeniser import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's GOOD, isn't it?", ["it's", "good", "isn't", "it"]),
        ("don’t", ["don't"]),
        ("'quoted' rock'n'roll '", ["quoted", "rock'n'roll"]),
        ("one<br /><br />two<br>three", ["one", "two", "three"]),
        ("10/10 for 007_s", ["10", "10", "for", "007", "s"]),
        ("Ça va, été", ["ça", "va", "été"]),
        ("e\u0301te\u0301", ["été"]),
        ("фильм хороший", ["фильм", "хороший"]),
        ("<script>alert(1)</script>", ["script", "alert", "1", "script"]),
        ("!!! ... 🎻", []),
        ("", []),
    ],
)
def test_words_are_found(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_every_printable_character_of_ascii_is_kept_or_separates() -> None:
    kept = {
        character
        for character in string.printable
        if words_of(f"x{character}x") == [f"x{character.lower()}x"]
    }
    assert kept == {*string.ascii_letters, *string.digits, "'"}


def test_a_review_of_combining_marks_is_read_in_linear_time() -> None:
    assert_linear(lambda size: lambda: words_of("good " + "\u0315\u0300" * (size // 2)), 200_000)


def test_the_words_of_a_review_do_not_depend_on_a_joiner() -> None:
    marks = "\u0315\u0300" * 50
    assert words_of(f"Très coq{marks} film") == ["très", "coq", "film"]
