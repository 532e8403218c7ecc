"""Which columns of a table, or names of a JSON object, hold a review's text and its label."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from jobs.wording import alternatives
from worker.tasks.sentiment.file_options import NAME_COLUMNS, FileOptions

_RATINGS = frozenset(
    ("star", "stars", "starrating", "rating", "ratings", "reviewrating", "reviewsrating", "score", "scores")
) | {"reviewscore", "overall"}
"""Names of columns with one to five stars, as `_plain` returns them."""

_USUAL = {"text": ("text", "review"), "label": ("label", "sentiment")}
"""Names that are taken at their word, the first before the second."""

_GUESSED = {
    "text": frozenset(
        ("reviewtext", "reviewbody", "sentimenttext", "content", "phrase", "sentence", "comment", "comments")
    )
    | {"reviewstext", "body", "tweet"},
    "label": _RATINGS | {"polarity", "liked"},
}
"""Names that are taken where there is one of them, and none that is usual."""


class Columns(NamedTuple):
    """Where a review is in a row.

    Attributes:
        text: the place of its text.
        label: the place of its label; None where labels are not needed.
        text_name: the name of that column; empty in a table without a header.
        label_name: the name of that column; empty without one.
        note: a sentence about what was guessed; empty where nothing was.
        unusual: those that are not the usual ones, by parameter: `(("label_column", "Score"),)`.
    """

    text: int
    label: int | None
    text_name: str
    label_name: str
    note: str = ""
    unusual: tuple[tuple[str, str], ...] = ()

    @property
    def is_rated(self) -> bool:
        """Whether the name of the label's column is that of stars."""
        return _plain(self.label_name) in _RATINGS


class NoColumns(Exception):
    """What was looked for among some names, what is there instead, and a hint."""

    def __init__(self, expected: str, given: str, hint: str = NAME_COLUMNS) -> None:
        super().__init__(expected)
        self.expected, self.given, self.hint = expected, given, hint


def find_columns(names: Sequence[str], options: FileOptions, *, labelled: bool) -> Columns:
    """Find the columns: those that the options name, else those that are named as they usually are.

    Args:
        names: of the columns.
        options: of the job.
        labelled: whether reviews need a label.

    Raises:
        NoColumns: one is not there, or more than one may be meant.
    """
    wanted = {"text": options.text_column, **({"label": options.label_column} if labelled else {})}
    found = {
        what: _usual(names, what) if name is None else _named(names, what, name)
        for what, name in wanted.items()
    }
    guessed = {
        what: _guessed(names, what, set(found.values())) for what, place in found.items() if place is None
    }
    if missing := [" or ".join(_USUAL[what]) for what, place in guessed.items() if place is None]:
        raise NoColumns(f"the column names {' and '.join(missing)}", shown_names(names))
    places = found | guessed
    text, label = places["text"], places.get("label")
    assert text is not None
    if text == label:
        raise NoColumns("two different columns for text and label", f"{names[text]!r} for both")
    unusual = tuple(
        (f"{what}_column", names[place])
        for what, place in places.items()
        if place is not None and place != _usual(names, what)
    )
    label_name = "" if label is None else names[label]
    return Columns(text, label, names[text], label_name, _note(names, guessed), unusual)


def numbered_columns(row: Sequence[str], options: FileOptions, *, labelled: bool) -> Columns | None:
    """The columns of a table without a header that the options name by number, counted from 1.

    Where one of two columns is named, the label or the text is in the other.

    Args:
        row: the first one.
        options: of the job.
        labelled: whether reviews need a label.

    Returns:
        None where the options name none by number.

    Raises:
        NoColumns: there is no column of that number, or one is named and the other is not.
    """
    names = {"text": options.text_column, **({"label": options.label_column} if labelled else {})}
    numbers = {what: int(name) for what, name in names.items() if name and re.fullmatch(r"\d{1,9}", name)}
    if not numbers:
        return None
    missing = [what for what, name in names.items() if name is None]
    if len(row) == len(names) == 2 and len(missing) == 1:
        numbers[missing[0]] = 3 - next(iter(numbers.values()))
    if numbers.keys() != names.keys():
        raise NoColumns("the columns of text and label, both by name or both by number", shown_names(row))
    wrong = [number for number in numbers.values() if not 1 <= number <= len(row)]
    if wrong or len(set(numbers.values())) < len(numbers):
        given = f"{wrong[0]} of {len(row)}" if wrong else "the same number twice"
        raise NoColumns("numbers of columns, counted from 1", given)
    return _nameless(numbers, "", labelled=labelled)


def unnamed_columns(
    row: Sequence[str], options: FileOptions, labels: Mapping[str, int], *, labelled: bool
) -> Columns | None:
    """The columns of a table without a header, where its first row is plainly a review: a text and a label.

    Args:
        row: the first one.
        options: of the job; one that names a column means another file.
        labels: what counts as a label, in lower case.
        labelled: whether reviews need a label.

    Returns:
        None for any other row.
    """
    places = [place for place, cell in enumerate(row) if cell.strip().lower() in labels]
    is_review = len(row) == 2 and len(places) == 1 and len(row[1 - places[0]].split()) > 1
    if options.text_column or options.label_column or not is_review:
        return None
    note = "its first line is read as a review, since it names no columns"
    return _nameless({"text": 2 - places[0], "label": 1 + places[0]}, note, labelled=labelled)


def _nameless(numbers: Mapping[str, int], note: str, *, labelled: bool) -> Columns:
    wanted = ("text", "label") if labelled else ("text",)
    unusual = tuple((f"{what}_column", str(numbers[what])) for what in wanted)
    return Columns(numbers["text"] - 1, numbers["label"] - 1 if labelled else None, "", "", note, unusual)


def shown_names(names: Iterable[object]) -> str:
    """The names of some columns as a message shows them."""
    return ", ".join(repr(str(name)[:40]) for name in list(names)[:20]) or "none"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name[:100].lower())


def _named(names: Sequence[str], what: str, name: str) -> int:
    """The place of the column that an option names, in any case if there is one of them."""
    stripped = [each.strip() for each in names]
    same = [place for place, each in enumerate(stripped) if each == name.strip()]
    alike = [place for place, each in enumerate(stripped) if each.lower() == name.strip().lower()]
    for places in (same, alike):
        if len(places) == 1:
            return places[0]
    raise NoColumns(f"one column {name[:40]!r} with the {what}", shown_names(names))


def _usual(names: Sequence[str], what: str) -> int | None:
    plain = [name.strip().lower() for name in names]
    return next((plain.index(name) for name in _USUAL[what] if name in plain), None)


def _guessed(names: Sequence[str], what: str, taken: set[int | None]) -> int | None:
    """The place of the only column whose name may mean it.

    Raises:
        NoColumns: there are several.
    """
    places = [
        place for place, name in enumerate(names) if _plain(name) in _GUESSED[what] and place not in taken
    ]
    if len(places) > 1:
        several = alternatives([repr(names[place][:40]) for place in places[:5]], "and")
        raise NoColumns(f"one column that may be the {what}", several, f"--{what}-column names it")
    return places[0] if places else None


def _note(names: Sequence[str], guessed: Mapping[str, int | None]) -> str:
    """What was guessed, to be read after the name of a file."""
    found = {what: repr(names[place][:40]) for what, place in guessed.items() if place is not None}
    if len(found) < 2:
        return "".join(
            f"by its name, the column {name} is read as the {what}" for what, name in found.items()
        )
    return (
        f"by their names, the columns {found['text']} and {found['label']} are read as the text and the label"
    )
