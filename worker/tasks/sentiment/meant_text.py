r"""Reads HTML entities and backslash escapes in a review as the characters that they stand for.

Web pages leave `&amp;` and `&#39;` behind, programs that print strings `\n`, `\"` and `\u00e9`; of each the
letters would count as words. What people write by themselves stays: `AT&T`, `and\or`. Of IMDB's 50,000
reviews seven have an entity such as `&#305;`, none a backslash escape.
"""

import html
import re
from html.entities import html5

from jobs.wording import counted

# A run of backslashes is looked at once, from its first one.
_ESCAPE = re.compile(r"(?<!\\)\\++(?:([nrt])|(['\"/])|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_PASSES = 2
"""Entities are often encoded twice: `&amp;quot;`."""


def as_meant(text: str) -> str:
    """A text with its HTML entities and backslash escapes decoded."""
    if "&" in text:
        for _ in range(_PASSES):
            text = _ENTITY.sub(_character, text)
    return _ESCAPE.sub(_escaped, text) if "\\" in text else text


def note_on_encoded(reviews: int) -> str:
    """Return the sentence for a report in which so many reviews have something to decode."""
    return (
        f"{counted(reviews, 'review has', 'reviews have')} HTML entities or backslash escapes, such as &amp; "
        "or \\n: they are read as the characters that they stand for."
    )


def _character(entity: re.Match[str]) -> str:
    name = entity[0][1:]
    # `html.unescape` takes the beginning of an unknown name for a known one.
    return html.unescape(entity[0]) if name.startswith("#") else html5.get(name, entity[0])


def _escaped(escape: re.Match[str]) -> str:
    space, quote, *codes = escape.groups()
    if space:
        return "\n"
    return quote or chr(int(codes[0] or codes[1], 16))
