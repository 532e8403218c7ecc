"""Makes text from outside safe to show: a name, a prompt or an error may hold any character.

Ours, since `html.escape` and rich leave control and bidirectional characters as they are.
"""

import re

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters except tab, line feed and carriage return
    "\u202a-\u202e\u2066-\u2069"  # bidirectional controls, which reorder what is around them
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"  # surrogates and non-characters, invalid in UTF-8 or HTML
)


def escape_control(text: str) -> str:
    """Replace every character that controls a terminal, or is invalid in HTML, by its code: `[U+202E]`."""
    return _UNPRINTABLE.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)


def escape_line(text: str) -> str:
    """The same on one line, for a sentence: line breaks become a space."""
    return re.sub("[\n\r\u2028\u2029]+", " ", escape_control(text))


def escape_json(text: str) -> str:
    """Write such characters of a JSON text as `\\u202e`, which means the same to a JSON parser."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
