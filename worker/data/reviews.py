"""What a labelled review is, and where reviews come from: the words the readers share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

LONGEST_REVIEW = 10_000_000
"""Characters, and bytes in a file of its own. What is longer is no review but a damaged file,
such as a CSV with a quote that never ends; it must not fill the memory before anyone notices."""

LABELS = {
    **dict.fromkeys(("1", "1.0", "pos", "positive", "true"), 1),
    **dict.fromkeys(("0", "0.0", "neg", "negative", "false"), 0),
}
"""How people write a label, in lower case, and what is meant: 1 is positive."""

LABEL_NAMES = ("negative", "positive")

Note = Callable[[str], None]
"""Takes a sentence for the report."""


class Review(NamedTuple):
    """One review.

    Attributes:
        label: 1 for positive, 0 for negative, None where labels were not asked for.
        test: whether its source keeps it for testing.
    """

    text: str
    label: int | None
    test: bool = False


@dataclass(frozen=True)
class ReviewSource:
    """Reviews that can be read as often as needed, one after the other, always in the same order.

    Attributes:
        name: the dataset's name, or the path as it was given.
        path: the file or folder they are read from; None for reviews that are made here.
        sha256: changes with anything that `read` would give.
        read: yields the reviews; tells a note what it left out or found odd. Raises InvalidData.
    """

    name: str
    path: Path | None
    sha256: str
    read: Callable[[Note], Iterator[Review]] = field(compare=False)


def without_surrogates(text: str) -> str:
    """`text` with half a character pair (JSON can hold one: `"\\ud83d"`) replaced, so UTF-8 can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def counted(count: int, one: str, several: str) -> str:
    """`1 line`, `2,000 lines`: a number with its noun."""
    return f"{count:,} {one if count == 1 else several}"
