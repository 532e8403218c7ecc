"""What a model gives its report: metrics, figures, tables and texts."""

from collections.abc import Iterable, Mapping, Sequence
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
        digits: decimals to show; 0 for a count, None for all that the number has.
        unit: what it is measured in, if anything.
        better: which direction is an improvement, if either is.
        tile: whether it is shown large beside the headline; at most four of an action are.
        interval: the names of the two numbers that are the ends of its 95 % interval. They are shown with it
            and need no metric of their own.
        definition: what exactly is measured, and on what: one short sentence.
        column: the column of `history.csv` that it is taken from; the axis of the losses gets the unit of
            the one whose column is `validation_loss`.
        at: the name of another number, a threshold, at which this one is measured; it follows the label.
    """

    name: str
    label: str
    digits: int | None = 4
    unit: str = ""
    better: Literal["lower", "higher"] | None = None
    tile: bool = False
    interval: tuple[str, str] | None = None
    definition: str = ""
    column: str = ""
    at: str = ""


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


@dataclass(frozen=True)
class Compared:
    """One of several runs, as the `compare` of a wing's `compare.py` takes it, the best first.

    Attributes:
        label: what it is called, alone among them.
        detail: its parameters in a few words, for a legend; it may be empty.
        folders: action -> the folder of the succeeded job that did it: the training job's, and those of jobs
            that used its model, as far as they are compared.
    """

    label: str
    detail: str
    folders: "Mapping[str, JobFolder]"

    @property
    def legend(self) -> str:
        """Label and detail."""
        return f"{self.label}: {self.detail}" if self.detail else self.label
