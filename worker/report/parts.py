"""What a task module gives the report: metrics to headline, figures, tables and texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the page of a failed job is made where matplotlib is not loaded
    from matplotlib.figure import Figure as Drawing


@dataclass(frozen=True)
class Metric:
    """One number of `metrics.json` as a person reads it."""

    name: str
    label: str
    digits: int = 4
    unit: str = ""
    better: Literal["lower", "higher"] | None = None


@dataclass(frozen=True)
class Figure:
    """A drawing, written as figures/<name>.png and .svg; `alt` says it in words for who cannot see it."""

    name: str
    title: str
    caption: str
    alt: str
    drawing: "Drawing"


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers; the page escapes every cell."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str | float]]
    caption: str = ""


@dataclass(frozen=True)
class Text:
    """A text as it is: a sample, a sentence about the numbers. `monospace` keeps its lines."""

    title: str
    body: str
    monospace: bool = False


@dataclass(frozen=True)
class Columns:
    """Texts to compare, next to each other where the page is wide enough."""

    title: str
    texts: Sequence[Text]


Part = Figure | Table | Text | Columns
Parts = Iterable[Part]
