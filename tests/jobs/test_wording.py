"""Counts, articles and values read as a person writes them."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.models import model_names
from jobs.parameters import ACTIONS
from jobs.wording import (
    alternatives,
    counted,
    first_few,
    is_number,
    shown,
    shown_of_file,
    size_text,
    with_article,
)

always_the_same = settings(derandomize=True, database=None, deadline=None)
NOUNS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12)


@always_the_same
@given(NOUNS)
def test_one_is_singular(noun: str) -> None:
    assert counted(1, noun) == f"1 {noun}"
    assert counted(1, noun, "several") == f"1 {noun}"


@always_the_same
@given(st.integers(0, 10**12).filter(lambda count: count != 1), NOUNS)
def test_every_other_number_is_plural_with_separators(count: int, noun: str) -> None:
    assert counted(count, noun) == f"{count:,} {noun}s"
    assert counted(count, noun, "several") == f"{count:,} several"


@pytest.mark.parametrize(
    ("count", "nouns", "text"),
    [
        (0, ["epoch"], "0 epochs"),
        (1, ["epoch"], "1 epoch"),
        (2_000, ["review"], "2,000 reviews"),
        (2, ["batch", "batches"], "2 batches"),
        (1, ["batch", "batches"], "1 batch"),
    ],
)
def test_counts(count: int, nouns: list[str], text: str) -> None:
    assert counted(count, *nouns) == text


@always_the_same
@given(st.text(max_size=30))
def test_an_article_comes_before_the_noun_and_changes_nothing(noun: str) -> None:
    assert with_article(noun) in (f"a {noun}", f"an {noun}")


@always_the_same
@given(NOUNS)
def test_a_consonant_has_the_article_a_and_a_vowel_an_but_for_a_few_words(noun: str) -> None:
    article = with_article(noun).split()[0]
    if noun[0] in "bcdfgjklmnpqrstvwxyz":
        assert article == "a"
    elif noun[0] in "ai":
        assert article == "an"


@pytest.mark.parametrize(
    "phrase",
    [
        *("a review", "an image", "an epoch", "an object", "an upper limit", "an index", "an outlier"),
        *(
            "a unit",
            "a user",
            "a used GPU",
            "a usual case",
            "a uniform sample",
            "a utility",
            "a European job",
        ),
        *(
            "a one-line file",
            "an onion",
            "an hour",
            "an honest answer",
            "a house",
            "a human",
            "an 8 × 8 image",
        ),
        *(
            "an 11-epoch run",
            "an 18th try",
            "an 11th try",
            "a 110-page book",
            "a 28 × 28 image",
            "a 1",
            "an LSTM",
            "a GPU",
            "a PNG file",
        ),
        *("an XML file", "an .npz file", "a .png file", "a .csv file", "an .md file", "an .avi file"),
        *("a .json file", "an .mp4 file", "a .jsonl file", "an .html file", "a .txt file", "a ROC curve"),
    ],
)
def test_articles(phrase: str) -> None:
    assert with_article(phrase.partition(" ")[2]) == phrase


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("model", model_names())
def test_no_job_gets_the_wrong_article(model: str, action: str) -> None:
    assert with_article(f"{model} {action}").startswith("an " if model[0] in "aeio" else "a ")


@always_the_same
@given(
    st.one_of(
        st.integers(), st.floats(), st.booleans(), st.none(), st.text(), st.binary(), st.lists(st.text())
    )
)
def test_a_shown_value_is_one_short_printable_line(value: object) -> None:
    text = shown(value)
    assert 0 < len(text) <= 60
    assert text.isprintable()


@always_the_same
@given(st.text())
def test_a_text_is_quoted_unless_it_is_a_number(text: str) -> None:
    if is_number(text):
        assert shown(text, 10_000) == text
    else:
        assert shown(text, 10_000) == repr(text)


@always_the_same
@given(st.integers())
def test_a_number_is_shown_as_it_is_also_when_it_came_as_text(number: int) -> None:
    assert shown(number) == shown(str(number))


@always_the_same
@given(st.text(), st.integers(10, 100))
def test_a_long_value_is_clipped_and_keeps_its_quotes(text: str, most: int) -> None:
    found = shown(text, most)
    assert len(found) <= most
    assert found[-1] == shown(text, 10_000)[-1]
    assert ("…" in found) or found == shown(text, 10_000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("-1.5e3", "-1.5e3"),
        ("nan", "nan"),
        ("", "''"),
        (" 1", "' 1'"),
        ("1\n", r"'1\n'"),
        (None, "None"),
        (["a"], "['a']"),
        ("\x1b[31m", r"'\x1b[31m'"),
        ("x" * 100, f"'{'x' * 56}…'"),
    ],
)
def test_values(value: object, text: str) -> None:
    assert shown(value) == text


@always_the_same
@given(st.lists(NOUNS, min_size=1, max_size=6))
def test_alternatives_are_all_there_in_their_order(choices: list[str]) -> None:
    assert re.split(", | or ", alternatives(choices)) == choices
    assert alternatives(choices).count(" or ") == min(1, len(choices) - 1)


def test_alternatives_read_as_a_sentence_does() -> None:
    assert alternatives(["low"]) == "low"
    assert alternatives(["low", "high"]) == "low or high"
    assert alternatives(["low", "normal", "high"]) == "low, normal or high"
    assert alternatives(["low", "normal", "high"], "and") == "low, normal and high"


def test_an_integer_that_python_would_not_write_is_described() -> None:
    assert shown(10**5_000) == "an integer of more than 4,000 digits"
    assert shown(10**100).startswith("1000")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        ("True", "'True'"),
        (1, "1"),
        ([True, "a", [None]], "[true, 'a', [null]]"),
        ({"values": [False]}, "{'values': [false]}"),
    ],
)
def test_a_value_of_a_file_is_spelled_as_in_the_file(value: object, text: str) -> None:
    assert shown_of_file(value) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_999, "1.0 MB"), (10**15, "1,000.0 TB")],
)
def test_sizes_read_as_people_say_them(count: int, text: str) -> None:
    assert size_text(count) == text


def test_the_first_few_say_how_many_there_are_beside_them() -> None:
    assert first_few([], 2) == []
    assert first_few(["a", "b"], 2) == ["a", "b"]
    assert first_few(["a", "b", "c"], 2) == ["a", "b", "1 more"]
    assert first_few(["a"] * 1_003, 2)[2:] == ["1,001 more"]
