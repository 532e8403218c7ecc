"""Which encodings a person's text may be in, by the mark that it begins with or else by its bytes."""

from worker.datasets.byte_order_marks import marked_encoding

READABLE = "text in UTF-8, UTF-16 with a byte order mark or Windows-1252"

PLAIN = ("utf-8", "cp1252")
"""Of a text without a mark, the first that all of it can be read in. Windows-1252 has what Latin-1 prints."""

SHOWN = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows-1252",
    "utf-16": "UTF-16",
    "utf-32": "UTF-32",
}
"""Python's names of all encodings that are read -> what a person calls them."""


def candidates(beginning: bytes) -> tuple[str, ...]:
    """Python's names of the encodings that a text may be in, the likeliest first.

    Args:
        beginning: its first four bytes, or more.
    """
    marked = marked_encoding(beginning)
    return PLAIN if marked is None else (marked,)


def encoding_notes(name: str, encoding: str) -> list[str]:
    """A sentence about the encoding that a file was read in, if it is not the one that anybody would expect.

    Args:
        name: of the file.
        encoding: Python's name of it.
    """
    if SHOWN[encoding] == "UTF-8":
        return []
    why = ", since it is not UTF-8" if encoding in PLAIN else ""
    return [f"{name} was read as {SHOWN[encoding]}{why}."]
