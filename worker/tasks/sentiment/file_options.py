"""How a job reads a person's own file of reviews: its columns, its labels, and what becomes of bad rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NAME_COLUMNS = (
    "--text-column names the column with the text, --label-column the one with the label; in a table without "
    "a header, they are numbers, counted from 1"
)
"""A hint."""

SKIP = "--on-bad-row skip leaves out what cannot be read"
"""A hint."""


@dataclass(frozen=True)
class FileOptions:
    """What a job says about its file; each has a default that leaves it to the file.

    Attributes:
        text_column: the column with the reviews, by name or number.
        label_column: the column with their labels.
        positive: the labels that count as positive; if there are any, all others but `negative` are left out.
        negative: the labels that count as negative.
        skip: whether rows that cannot be read are left out.
    """

    text_column: str | None = None
    label_column: str | None = None
    positive: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    skip: bool = False

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "FileOptions":
        """Those among the parameters of a job, by their names there."""
        return cls(
            parameters.get("text_column"),
            parameters.get("label_column"),
            tuple(parameters.get("positive", ())),
            tuple(parameters.get("negative", ())),
            parameters.get("on_bad_row") == "skip",
        )


NO_OPTIONS = FileOptions()
"""All is left to the file."""
