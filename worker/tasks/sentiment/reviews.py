"""What a labelled review is, where reviews come from, and how a message or a report shows one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from jobs.datasets import shown_path
from jobs.errors import InvalidData
from worker.datasets.composed_text import composed
from worker.tasks.sentiment.file_options import NO_OPTIONS, FileOptions
from worker.tasks.sentiment.meant_text import as_meant

LONGEST_REVIEW = 10_000_000
"""Characters, and bytes in a file of its own. Anything longer is not a review but a damaged file,
such as a CSV with a quote that is never closed; it must not fill the memory before anyone notices."""

LARGEST_FILE = 2**40
"""Bytes of a file with reviews. It is read line by line, so that a large one takes time but no memory."""

LABELS = {
    **dict.fromkeys(("1", "1.0", "pos", "positive", "true"), 1),
    **dict.fromkeys(("0", "0.0", "neg", "negative", "false"), 0),
}
"""How people write a label, in lower case, and what it means: 1 is positive."""

LABEL_NAMES = ("negative", "positive")

EXCERPT = 300
"""Characters of a review that a table shows."""

Note = Callable[[str], None]
"""Takes a sentence for the report."""


class Review(NamedTuple):
    """One review.

    Attributes:
        label: 1 for positive, 0 for negative, None where labels are not needed.
        test: whether its source reserves it for testing.
        group: of reviews that are about the same things, such as films, and not about those of another
            group; None where that is not known.
    """

    text: str
    label: int | None
    test: bool = False
    group: int | None = None


@dataclass(frozen=True)
class ReviewSource:
    """Reviews that can be read as often as needed, always in the same order.

    Attributes:
        name: the dataset's name, or the path as it was given.
        path: the file or folder that they are read from; None for reviews that are made here.
        sha256: changes with anything that `read` would yield.
        read: yields the reviews; passes a note on whatever it skipped or found odd. Raises InvalidData.
        published: whether it is a dataset, whose test part is measured whole, as others measure it.
        options: how a file of one's own is read; the same bytes are other reviews with others.
        read_as: the columns and labels that were found, where they are not as usual, by parameter.
    """

    name: str
    path: Path | None
    sha256: str
    read: Callable[[Note], Iterator[Review]] = field(compare=False)
    published: bool = False
    options: FileOptions = NO_OPTIONS
    read_as: tuple[tuple[str, str], ...] = ()


def excerpt(text: str) -> str:
    """A text on one line, printable; of a long one its beginning and its end."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= EXCERPT else f"{line[: EXCERPT // 2]} … {line[-EXCERPT // 2 :]}"


def digest_bytes(text: str) -> bytes:
    """A text as bytes by which equal reviews are equal, however their letters and spaces are encoded."""
    return " ".join(composed(as_meant(text)).split()).encode("utf-8", "surrogatepass")


def without_surrogates(text: str) -> str:
    """`text` with half a character pair (JSON can hold one: `"\\ud83d"`) replaced, so UTF-8 can hold it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def unreadable(path: Path, error: OSError, expected: str = "a readable file") -> InvalidData:
    """Return the error for a file or folder that cannot be read.

    Args:
        path: of it.
        error: the reason.
        expected: what it should have been.
    """
    reason = (error.strerror or str(error)).lower()
    return InvalidData(shown_path(path), expected=expected, given=f"one that cannot be read ({reason})")
