"""What a job with results shows: its model's own parts and the loss curve, their figures written."""

import importlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from jobs.folder import JobFolder
from worker.report.drawings import Embedded, write_drawing, write_thumbnail
from worker.report.loss_curve import loss_curve
from worker.report.parts import Columns, Figure, Part, Table, Text
from worker.report.style import look
from worker.report.tables import shown_cells

log = logging.getLogger(__name__)

LONGEST_TEXT = 20_000
"""Characters of one text that the page shows; a longer one lies in the folder."""

LONGEST_TABLE = 500
"""Rows of one table that the page shows."""


@dataclass(frozen=True)
class ShownFigure:
    """A figure with its image embedded."""

    kind: ClassVar[str] = "figure"
    name: str
    title: str
    caption: str
    alt: str
    image: Embedded


@dataclass(frozen=True)
class ShownTable:
    """A table whose cells are text; `numeric` says which columns are aligned to the right."""

    kind: ClassVar[str] = "table"
    title: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[bool]
    left_out: int


@dataclass(frozen=True)
class ShownText:
    """A text, or the beginning of a long one."""

    kind: ClassVar[str] = "text"
    title: str
    body: str
    monospace: bool
    left_out: int


@dataclass(frozen=True)
class ShownColumns:
    """Texts next to each other."""

    kind: ClassVar[str] = "columns"
    title: str
    texts: Sequence[ShownText]


ShownPart = ShownFigure | ShownTable | ShownText | ShownColumns


def shown_parts(folder: JobFolder, model: str, *, whole: bool) -> tuple[list[ShownPart], bool]:
    """Write figures/ and return what the page shows, and whether that is everything.

    Loads the model's task module, and with it TensorFlow.

    Args:
        folder: of a job with results.
        model: of the job.
        whole: whether the job ended well, so that every file must be there. Without it, a part that
            cannot be made ends the model's parts, and the loss curve is shown all the same.
    """
    shown: list[ShownPart] = []
    complete = True
    with look():
        try:
            for part in _parts(folder, model):
                shown.append(_shown(part, folder))
        except Exception:
            if whole:
                raise
            log.info("not every part of the report can be made", exc_info=True)
            complete = False
        curve = loss_curve(folder.history)
        if curve is not None:
            shown.append(_shown(curve, folder))
    first = next((part for part in shown if isinstance(part, ShownFigure)), None)
    if first is not None:
        write_thumbnail(folder.path / "figures", first.name)
    return shown, complete


def _parts(folder: JobFolder, model: str) -> Iterator[Part]:
    task = importlib.import_module(f"worker.tasks.{model}")
    yield from task.present(folder)


def _shown(part: Part, folder: JobFolder) -> ShownPart:
    match part:
        case Figure():
            image = write_drawing(part.drawing, folder.path / "figures", part.name)
            return ShownFigure(part.name, part.title, part.caption, part.alt, image)
        case Table():
            rows, numeric = shown_cells(part.rows[:LONGEST_TABLE])
            left_out = max(0, len(part.rows) - LONGEST_TABLE)
            return ShownTable(part.title, part.caption, part.header, rows, numeric, left_out)
        case Text():
            return _shown_text(part)
        case Columns():
            return ShownColumns(part.title, [_shown_text(text) for text in part.texts])


def _shown_text(text: Text) -> ShownText:
    left_out = max(0, len(text.body) - LONGEST_TEXT)
    return ShownText(text.title, text.body[:LONGEST_TEXT], text.monospace, left_out)
