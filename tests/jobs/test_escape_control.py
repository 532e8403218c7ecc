"""Text from outside can neither control a terminal nor break a page."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.escape_control import escape_control, escape_json, escape_line

always_the_same = settings(derandomize=True, database=None, deadline=None)
ANY = st.text(st.characters(codec=None), max_size=50)


@pytest.mark.parametrize(
    ("given", "escaped"),
    [
        ("plain – ü 🙂", "plain – ü 🙂"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\x1b[31mred", "[U+001B][31mred"),
        ("a\u202eb", "a[U+202E]b"),
        ("\x00\x7f\x9f", "[U+0000][U+007F][U+009F]"),
        ("\udc80\ufffe", "[U+DC80][U+FFFE]"),
    ],
)
def test_a_character_that_controls_something_is_replaced_by_its_code(given: str, escaped: str) -> None:
    assert escape_control(given) == escaped


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\x85", "\u2028", "\u2029", "\n\n"])
def test_a_sentence_stays_on_one_line(line_break: str) -> None:
    escaped = escape_line(f"a{line_break}b\x1b")
    assert len(escaped.splitlines()) == 1
    assert escaped.endswith("b[U+001B]")


@always_the_same
@given(ANY)
def test_what_was_escaped_once_stays_as_it_is(text: str) -> None:
    once = escape_control(text)
    assert escape_control(once) == once
    assert len(escape_line(text).splitlines()) <= 1


@always_the_same
@given(ANY)
def test_escaped_json_means_the_same(text: str) -> None:
    escaped = escape_json(json.dumps({"text": text}, ensure_ascii=False))
    assert json.loads(escaped) == {"text": text}
    assert escape_control(escaped) == escaped
