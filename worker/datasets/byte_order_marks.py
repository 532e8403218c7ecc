"""The marks at the beginning of a text file that tell its encoding."""

import codecs

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def marked_encoding(beginning: bytes) -> str | None:
    """Python's name of the encoding that a file's mark tells; None where it has no mark.

    Args:
        beginning: its first four bytes, or more.
    """
    return next((name for mark, name in _MARKS if beginning.startswith(mark)), None)
