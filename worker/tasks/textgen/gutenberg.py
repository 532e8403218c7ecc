"""Tells a book of Project Gutenberg from the header and the licence around it, in a text that streams past.

The marks are those of all its years: `*** START OF THE PROJECT GUTENBERG EBOOK … ***` and `*** END OF …`,
also with THIS for THE or without a space; in its first years a header ended with `*END*THE SMALL PRINT!`
and a book with `End of Project Gutenberg's …`. A list of what people found to mark its books:
https://github.com/c-w/gutenberg/blob/master/gutenberg/_domain_model/text.py
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

_HINTS = ("GUTENBERG", "Gutenberg", "SMALL PRINT")
"""A mark has one of them; most texts have none, and to look for these takes a fraction of the time."""

_OF = r"OF (?:THE|THIS) (?:COPYRIGHTED )?PROJECT GUTENBERG"
_TITLE = r"(?:[^*\n]{0,200}(?:\n[^*\n]{1,200}){0,2}\*\*\*)?"
"""A long title is broken into lines."""

_MARK = re.compile(
    rf"^[ \t]{{0,20}}(?:(?P<begin>\*\*\* ?START {_OF}{_TITLE}|\*END[* ]{{1,3}}THE SMALL PRINT!)"
    rf"|\*\*\* ?END {_OF}{_TITLE}"
    r"|(?:End of (?:[Tt]h(?:e|is) )?Project Gutenberg|END OF (?:TH(?:E|IS) )?PROJECT GUTENBERG))"
    r"[^\n]{0,200}\n?",
    re.MULTILINE,
)

_LONGEST_MARK = 2_000


class Parts(NamedTuple):
    """What a piece of a text consists of; a later piece goes on where this one ends.

    Attributes:
        ahead: what lies before the first mark.
        book: what follows a mark at which a book begins.
        frame: marks, and what follows one at which a book ends.
    """

    ahead: str
    book: str
    frame: str


class Frames:
    """The frames of one text.

    Attributes:
        ahead_is_book: whether what lies before the first mark is a book, since that mark is the end of one,
            or since there is none; known once the text has passed.
    """

    def __init__(self) -> None:
        self.ahead_is_book = True

    def parts(self, blocks: Iterable[str]) -> Iterator[Parts]:
        """Take a text apart.

        Args:
            blocks: of the text.
        """
        place, held, at_line_start = "ahead", "", True
        for block in chain(blocks, (None,)):
            text = held + (block or "")
            # A mark that begins later may lack its end.
            settled = len(text) - (0 if block is None else _LONGEST_MARK)
            found: dict[str, list[str]] = {"ahead": [], "book": [], "frame": []}
            at = 0
            for mark in _MARK.finditer(text) if any(hint in text for hint in _HINTS) else ():
                if mark.start() >= settled:
                    break
                if mark.start() == 0 and not at_line_start:
                    continue
                found[place].append(text[at : mark.start()])
                found["frame"].append(mark[0])
                begins = mark["begin"] is not None
                if place == "ahead":
                    self.ahead_is_book = not begins
                place, at = "book" if begins else "frame", mark.end()
            cut = max(at, settled, 0)
            found[place].append(text[at:cut])
            at_line_start = text[cut - 1] == "\n" if cut else at_line_start
            held = text[cut:]
            yield Parts(**{name: "".join(pieces) for name, pieces in found.items()})

    def of_books(self, parts: Parts) -> str:
        """The text of the books in a piece."""
        return parts.ahead + parts.book if self.ahead_is_book else parts.book
