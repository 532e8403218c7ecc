"""What a model gives its report: metrics, figures, tables and texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:  # the page of a failed job is rendered without matplotlib
    from matplotlib.figure import Figure as Drawing

    from jobs.store.job_folder import JobFolder


@dataclass(frozen=True)
class Metric:
    """One number of `metrics.json`, as a person reads it.

    Attributes:
        name: its key in `metrics.json`.
        label: what the report calls it.
        digits: decimals to show.
        unit: what it is measured in, if anything.
        better: which direction is an improvement, if either is.
    """

    name: str
    label: str
    digits: int = 4
    unit: str = ""
    better: Literal["lower", "higher"] | None = None


@dataclass(frozen=True)
class Figure:
    """A drawing, written as figures/<name>.png and .svg; `alt` describes it to readers who cannot see it."""

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
    """A text shown verbatim: a sample, a sentence about the numbers. `monospace` keeps its lines."""

    title: str
    body: str
    monospace: bool = False


@dataclass(frozen=True)
class Columns:
    """Texts to compare, side by side where the page is wide enough."""

    title: str
    texts: Sequence[Text]


Block = Figure | Table | Text | Columns
Blocks = Iterable[Block]


class Presented(Protocol):
    """A model, as the report sees it. Both members are used only for jobs with results."""

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Every number the model reports, the headline first."""
        ...

    def present(self, folder: "JobFolder") -> Blocks:
        """What the model's part of the report shows, from the folder's files alone."""
        ...
