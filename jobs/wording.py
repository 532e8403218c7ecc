"""Counts, articles, values and sizes as messages and reports write them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

_VOWEL_WORD = re.compile(
    r"(?!uni|us[aeiu]|uti|eu|one(?![a-z]))[aeiou]|hour|honest|8|1[18](?!\d)", re.IGNORECASE
)
_VOWEL_LETTER = re.compile("[fhlmnrsx]", re.IGNORECASE)
"""Words, and consonants that are spelled out, whose sound begins with a vowel."""


def counted(count: int, one: str, several: str | None = None) -> str:
    """A number with its noun: `1 epoch`, `2,000 reviews`.

    Args:
        count: how many.
        one: the noun for one.
        several: the noun for any other number; without it, `one` with an s.
    """
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def with_article(noun: str) -> str:
    """A noun with its indefinite article: `an image`, `a review`, `an LSTM`, `a .csv file`.

    What has no vowel, an abbreviation or a file's suffix, is spelled out when it is read.
    """
    word = (re.findall(r"\w+", noun) or [""])[0]
    abbreviation = noun.startswith(".") or word.isupper()
    spelled = abbreviation and not set(word.lower()) & set("aeiou")
    vowel = (_VOWEL_LETTER if spelled else _VOWEL_WORD).match(word)
    return f"{'an' if vowel else 'a'} {noun}"


MOST_DIGITS = 4_000
"""Of an integer that a message quotes; Python refuses to write one of more than 4,300."""


MOST_QUOTED = 60
"""Characters of a value that a message quotes."""


def shown(value: object, most: int = MOST_QUOTED) -> str:
    """A value as a message quotes it: a number as it is, anything else as Python's `repr`, clipped.

    Args:
        value: what was given.
        most: characters to show at most.
    """
    if isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
        return f"an integer of more than {MOST_DIGITS:,} digits"
    if isinstance(value, str | bytes | list | tuple):
        value = value[: 4 * most]  # a huge one would be written out in full, to be clipped then
    text = value if isinstance(value, str) and is_number(value) else repr(value)
    return text if len(text) <= most else f"{text[: most - 3]}…{text[-1]}"


def shown_of_file(value: object) -> str:
    """As `shown`, for a value from YAML or JSON: `true`, `false` and `null` are spelled as they are there."""
    return shown(_spelled_as_in_files(value))


def _spelled_as_in_files(value: object) -> object:
    if isinstance(value, bool) or value is None:
        return _Literal(json.dumps(value))
    if isinstance(value, list):
        return [_spelled_as_in_files(each) for each in value[:MOST_QUOTED]]
    if isinstance(value, dict):
        return {key: _spelled_as_in_files(each) for key, each in islice(value.items(), MOST_QUOTED)}
    return value


@dataclass(frozen=True)
class _Literal:
    """A word that is quoted without quotation marks."""

    word: str

    def __repr__(self) -> str:
        return self.word


def is_number(text: str) -> bool:
    """Whether a person reads a text as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return text.isprintable() and text == text.strip()


def alternatives(choices: list[str], last: str = "or") -> str:
    """Several choices in a sentence: `low, normal or high`.

    Args:
        choices: at least one.
        last: the word before the last choice.
    """
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} {last} {choices[-1]}"


def first_few(texts: Sequence[str], most: int) -> list[str]:
    """The first texts and, if there are others, how many: `a`, `b`, `3 more`.

    Args:
        texts: of all.
        most: how many of them are shown.
    """
    more = len(texts) - most
    return [*texts[:most], *([f"{more:,} more"] if more > 0 else [])]


def size_text(count: int) -> str:
    """A size in bytes, as a person reads it: `812 B`, `13.4 kB` or `2.1 MB`."""
    if count < 1000:
        return f"{count} B"
    amount = float(count)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:,.1f} TB"


def reason_of(error: OSError) -> str:
    """Why the operating system refused something, to be read in brackets: `permission denied`."""
    return (error.strerror or type(error).__name__).lower()
