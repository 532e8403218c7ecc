"""Makes what strangers wrote safe to show: a name, a prompt, an error may hold anything."""

import re

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls but tab, line feed and carriage return
    "\u202a-\u202e\u2066-\u2069"  # bidirectional controls, which reorder what is around them
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"  # no characters: UTF-8 or HTML have no place for them
)


def visible(text: str) -> str:
    """`text` with every character that moves a terminal or that a page cannot hold shown as `[U+202E]`."""
    return _UNPRINTABLE.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)


def visible_line(text: str) -> str:
    """The same on one line, for a sentence: what would begin a line, or go back on this one, is a space."""
    return re.sub("[\n\r\x85\u2028\u2029]+", " ", visible(text))


def visible_json(text: str) -> str:
    """JSON that says the same in characters that move no terminal."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
