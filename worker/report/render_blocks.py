"""Prepares the blocks of a page, those of the model and of its training, and writes their figures."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from matplotlib.figure import Figure as Drawing

from jobs.errors import DamagedFolder
from jobs.store.job_folder import JobFolder
from worker.report.blocks import Block, Columns, Figure, Presented, Table, Text
from worker.report.cells import shown_cells
from worker.report.figure_files import Embedded, embed_drawing, write_drawing
from worker.report.theme import themed
from worker.report.thumbnail import write_thumbnail
from worker.report.training_blocks import training_blocks

log = logging.getLogger(__name__)

LONGEST_TEXT = 20_000
"""Characters of one text that the page shows; the folder holds all of it."""

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
    """A table whose cells are text; the columns that are `numeric` are right-aligned."""

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
    """Texts side by side."""

    kind: ClassVar[str] = "columns"
    title: str
    texts: Sequence[ShownText]


ShownBlock = ShownFigure | ShownTable | ShownText | ShownColumns


def shown_blocks(folder: JobFolder, model: Presented, *, strict: bool) -> tuple[list[ShownBlock], bool]:
    """Write figures/ and prepare the blocks of a job with results.

    Args:
        folder: of the job.
        model: of the job.
        strict: whether every block must succeed, as for a job that did. Otherwise the first block that
            fails ends the model's part of the page, and that on its training still follows.

    Returns:
        What the page shows, and whether that is everything.

    Raises:
        DamagedFolder: a file on the training cannot be read.
        OSError: the folder cannot be written.
        Exception: whatever the model's `present` raises, where `strict`.
    """
    shown: list[ShownBlock] = []
    first: Drawing | None = None
    complete = True
    with themed():
        try:
            for block in model.present(folder):
                shown.append(_shown(block, folder))
                first = first or _drawing_of(block)
        except Exception as error:
            if strict:
                raise
            # A file that the job did not come to write is what is to be expected.
            unexpected = not isinstance(error, OSError | DamagedFolder)
            log.info("the report has what the job left: %s", error, exc_info=unexpected)
            complete = False
        for block in training_blocks(folder, model.metrics):
            shown.append(_shown(block, folder))
            first = first or _drawing_of(block)
    if first is not None:
        write_thumbnail(first, folder.path / "figures")
    return shown, complete


def _drawing_of(block: Block) -> Drawing | None:
    return block.drawing if isinstance(block, Figure) else None


def block_without_files(block: Block) -> ShownBlock:
    """Prepare a block for a page beside which no figures are written; call it within `theme.themed()`."""
    return _shown(block, None)


def _shown(block: Block, folder: JobFolder | None) -> ShownBlock:
    match block:
        case Figure():
            image = (
                embed_drawing(block.drawing)
                if folder is None
                else write_drawing(block.drawing, folder.path / "figures", block.name)
            )
            return ShownFigure(block.name, block.title, block.caption, block.alt, image)
        case Table():
            rows, numeric = shown_cells(block.rows[:LONGEST_TABLE])
            left_out = max(0, len(block.rows) - LONGEST_TABLE)
            return ShownTable(block.title, block.caption, block.header, rows, numeric, left_out)
        case Text():
            return _shown_text(block)
        case Columns():
            return ShownColumns(block.title, [_shown_text(text) for text in block.texts])


def _shown_text(text: Text) -> ShownText:
    left_out = max(0, len(text.body) - LONGEST_TEXT)
    return ShownText(text.title, text.body[:LONGEST_TEXT], text.monospace, left_out)
