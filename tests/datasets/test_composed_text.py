"""Ordinary text is composed as Unicode says, and text that was made to take for ever is composed in time."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tasks.hostile_files import assert_linear, seconds
from worker.datasets.composed_text import JOINER, LONGEST_RUN, LONGEST_TAIL, composed, is_mark, place_to_cut

MARKS = "".join(filter(is_mark, map(chr, range(0x20000))))


@given(st.text())
def test_any_text_without_long_runs_is_in_the_composed_form(text: str) -> None:
    assert composed(text) == unicodedata.normalize("NFC", text)


@given(st.text(st.sampled_from("aeổạ가 가" + MARKS[:60] + MARKS[-20:]), max_size=LONGEST_RUN))
def test_marks_that_people_write_are_composed_and_sorted(text: str) -> None:
    assert composed(text) == unicodedata.normalize("NFC", text)


def test_no_mark_lies_where_none_is_looked_for() -> None:
    assert not any(is_mark(chr(code)) for code in range(0x300) if chr(code).isprintable())
    assert not any(is_mark(chr(code)) for code in range(0x20000, sys.maxunicode + 1))


@pytest.mark.parametrize("mark", ["\u0300", "\u0344", "\u0f73", "\U0001e94a"])
@pytest.mark.parametrize("before", [0, 1, 7, 63])
def test_a_run_that_is_too_long_is_broken_up_wherever_it_begins(mark: str, before: int) -> None:
    marks = mark * (LONGEST_RUN + 1)
    assert JOINER in composed("é" + "b" * before + marks + "c" * 99)
    assert JOINER not in composed("é" + "b" * before + mark * LONGEST_RUN + "c" * 99)


@pytest.mark.quality
@pytest.mark.parametrize(
    "marks", ["\u0315\u0300", "\u0344\u0323", "\u0f73\u0315", "\U0001e94a\U00010a0d", MARKS]
)
def test_a_text_of_combining_marks_is_composed_in_linear_time(marks: str) -> None:
    assert seconds(lambda: composed("good " + marks * (60_000 // len(marks)))) < 0.5
    assert_linear(lambda size: lambda: composed("good " + marks * (size // len(marks))), 200_000)


def test_a_text_that_is_cut_is_composed_as_if_it_were_whole() -> None:
    behind_another = {
        part for code in range(sys.maxunicode + 1) for part in unicodedata.normalize("NFD", chr(code))[1:]
    }
    assert not [
        mark for mark in behind_another if place_to_cut(f"{mark * LONGEST_TAIL}a{mark}") > LONGEST_TAIL
    ]
    text = unicodedata.normalize("NFD", "Tiếng Việt, élève, 한국어, Ελλάδα, Ёлка и йод")
    for end in range(1, len(text)):
        cut = place_to_cut(text[:end])
        assert composed(text[:cut]) + composed(text[cut:]) == unicodedata.normalize("NFC", text)
    assert place_to_cut("\u0301" * 2_000) == 2_000
