"""Unicode's composed form of any text, in time that grows with its length alone.

Ours, since `unicodedata.normalize` sorts each run of combining marks by insertion, which is quadratic, and
holds Python's lock for the while: a text of 100,000 marks would stop a worker's heartbeats for minutes.
"""

import re
import unicodedata
from functools import cache

LONGEST_RUN = 30
"""Combining marks in a row, as in Unicode's stream-safe text format, https://unicode.org/reports/tr15/#UAX15-D3.
No language needs more than a handful."""

JOINER = "\N{COMBINING GRAPHEME JOINER}"
"""What that format puts between the marks of a longer run; marks do not move past it."""

LONGEST_TAIL = 1_000
"""Characters that are searched for a place to cut; any language has a space or one of `_APART` in as many."""

_APART = re.compile("[\\0-\u02ff\u0370-\u0482\u048a-\u0590\u3000-\u3029\u3400-\u9fff\uac00-\ud7a3]")
"""Latin, Greek, Cyrillic, Armenian, Chinese and Korean characters that never compose with one before them."""

_STRIDE = 10


def composed(text: str) -> str:
    """A text in Unicode's composed form (NFC), runs of more than `LONGEST_RUN` marks broken up."""
    if text.isascii():
        return text
    # Of a longer run, `LONGEST_RUN // _STRIDE` marks follow one another in every tenth character of the text.
    sampled = len(text) > LONGEST_RUN and _perhaps(LONGEST_RUN // _STRIDE).search(text[::_STRIDE])
    if sampled and _perhaps(LONGEST_RUN + 1).search(text):
        text = _whole_run().sub(rf"\g<0>{JOINER}", text)
    return unicodedata.normalize("NFC", text)


def place_to_cut(text: str) -> int:
    """Where the beginning of a longer text can be cut, so that both parts may be composed by themselves.

    Returns:
        The position of the last character that never composes with what is before it; the end where none of
        the last `LONGEST_TAIL` is known to be of that kind.
    """
    for place in range(len(text) - 1, max(0, len(text) - LONGEST_TAIL), -1):
        if _APART.match(text, place):
            return place
    return len(text)


def is_mark(character: str) -> bool:
    """Whether a character is a combining mark, or decomposes into such marks alone."""
    return unicodedata.combining(unicodedata.normalize("NFD", character)[0]) > 0


def _class_of_marks(first: int, last: int) -> str:
    return "".join(filter(is_mark, map(chr, range(first, last))))


@cache
def _perhaps(length: int) -> re.Pattern[str]:
    # `re` looks for a single class of this plane by one look into a table; every character beyond it counts.
    likely = f"[{_class_of_marks(0x300, 0x10000)}\U00010000-\U0010ffff]"
    return re.compile(f"{likely}{likely}{{{length - 1}}}")


@cache
def _whole_run() -> re.Pattern[str]:
    # No mark lies beyond the first two planes; a test looks.
    return re.compile(f"[{_class_of_marks(0x300, 0x20000)}]{{{LONGEST_RUN}}}")
