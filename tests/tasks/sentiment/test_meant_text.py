"""Entities and escapes are read as what they stand for, and what people write by themselves is left alone."""

import pytest

from tests.tasks.hostile_files import assert_linear
from worker.tasks.sentiment.meant_text import as_meant
from worker.tasks.sentiment.tokeniser import words_of
from worker.tasks.sentiment.tokens import TokenCollector


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("don&#39;t, don&#x27;t, don&rsquo;t", "don't, don't, don’t"),
        ("it&#146;s", "it’s"),
        ("&quot;good&quot;&nbsp;film", '"good"\xa0film'),
        ("&amp;quot;good&amp;#39;s", "\"good's"),
        ("caf&eacute; &Eacute;t&eacute;", "café Été"),
        (r"one\ntwo\r\nthree\tfour", "one\ntwo\n\nthree\nfour"),
        (r"one\\ntwo", "one\ntwo"),
        (r"\"good\", he said: it\'s and\/or", '"good", he said: it\'s and/or'),
        (r"caf\u00e9 caf\xe9", "café café"),
        (r"a \ud83d\ude00 b", "a \ud83d\ude00 b"),
    ],
)
def test_what_is_encoded_is_decoded(text: str, meant: str) -> None:
    assert as_meant(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "AT&T",
        "R&B;",
        "&notaword;",
        "&copy 1999",
        "a & b; c",
        "&#;",
        "&#99999999;",
        r"and\or",
        r"¯\_(ツ)_/¯",
        "\\",
        "café",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    assert as_meant(text) == text


def test_the_words_are_those_that_are_meant() -> None:
    assert words_of("Good&amp;bad&lt;br /&gt;It&#39;s&nbsp;CAF&Eacute;") == ["good", "bad", "it's", "café"]
    assert words_of(r"one\ntwo \"three\" caf\u00e9") == ["one", "two", "three", "café"]
    assert words_of("<p>one</p><b>two</b><br>three <I>four</I>") == ["one", "two", "three", "four"]
    assert TokenCollector(9).add_all(["a &amp; b", "a & b", r"a\nb"]).encoded == 2


@pytest.mark.parametrize("piece", ["&", "&amp;", "&a", "&#9", "&amp", "\\", "\\u", "\\n", "\\u00e9", "</b"])
def test_a_review_of_nothing_else_is_read_in_linear_time(piece: str) -> None:
    assert_linear(lambda size: lambda: words_of(piece * (size // len(piece))), 100_000)
