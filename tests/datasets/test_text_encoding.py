"""Which encodings a text may be in, and what is said of the one that it is read in."""

import codecs

import pytest

from worker.datasets.text_encoding import SHOWN, candidates, encoding_notes


@pytest.mark.parametrize(
    ("beginning", "found"),
    [
        (b"plain", ("utf-8", "cp1252")),
        (b"", ("utf-8", "cp1252")),
        (codecs.BOM_UTF8 + b"a", ("utf-8-sig",)),
        (codecs.BOM_UTF16_LE + b"a\0", ("utf-16",)),
        (codecs.BOM_UTF32_LE, ("utf-32",)),
    ],
)
def test_a_mark_tells_the_encoding_and_without_one_two_are_tried(
    beginning: bytes, found: tuple[str, ...]
) -> None:
    assert candidates(beginning) == found
    assert set(found) <= SHOWN.keys()


def test_every_encoding_but_utf_8_is_noted() -> None:
    assert encoding_notes("a.txt", "utf-8") == encoding_notes("a.txt", "utf-8-sig") == []
    assert encoding_notes("a.txt", "utf-16") == ["a.txt was read as UTF-16."]
    assert encoding_notes("a.txt", "cp1252") == ["a.txt was read as Windows-1252, since it is not UTF-8."]
