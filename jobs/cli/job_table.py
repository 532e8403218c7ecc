"""What `quartet list` shows: a line for each job, as wide as the terminal."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from jobs.cli.columns import GAP, Column, lines
from jobs.escape_control import escape_line
from jobs.job import Job
from jobs.moments import ago
from jobs.showing.job_text import describe, label_text
from jobs.showing.terminal import clipped, line_width, padded, styled

COLOURS = {
    "waiting": "yellow",
    "queued": "yellow",
    "running": "blue",
    "succeeded": "green",
    "failed": "red",
    "cancelled": "magenta",
}

LONGEST_CELL = 80
"""Characters of a text on a terminal; a name that we accept has no more."""

LONGEST_PIPED_CELL = 2_000
"""Elsewhere; whatever a job may hold is shorter, but not what a stranger wrote into Redis."""

MARK, LEAST_WARNING = "!", 10
"""What precedes the result of a job whose numbers are doubtful; how much of the reason is worth showing."""

_REFUSAL = re.compile(r"(?:\S*/)?(?P<field>[^:]+): expected .+?, got (?P<given>.+)", re.DOTALL)
"""The sentence of an `InvalidInput`; a field that is a path or an address, without its folders."""

LEAST_LABEL = 0.4
"""Of a narrow column, what the label gets before the unit."""


@dataclass(frozen=True)
class _Result:
    """What came of a job. In a narrow column, `value` stays, and what is around it is left out or cut."""

    label: str = ""
    value: str = ""
    unit: str = ""
    more: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.label, self.value, self.unit, self.more)))

    def fitted(self, width: int) -> str:
        """The result, exactly so many columns wide."""
        return padded(self._cut(width), width)

    def _cut(self, width: int) -> str:
        short = " ".join(filter(None, (self.label, self.value, self.unit)))
        if not self.value or cell_len(short) + 1 + min(cell_len(self.more), LEAST_WARNING) <= width:
            return clipped(str(self), width)
        if cell_len(short) <= width:
            return short
        value = f"{self.value} {self.unit}".rstrip()
        if width - cell_len(value) - 1 < LEAST_LABEL * width:  # a long unit would leave nothing of the label
            value = self.value
        room = max(width - cell_len(value) - 1, cell_len(MARK) + 2)
        return clipped(f"{clipped(self.label, room)} {value}", width)


@dataclass(frozen=True)
class _Reason:
    """Why a job failed. In a narrow column, what was found comes first: `mnist.npz: got an error …`."""

    text: str

    def __str__(self) -> str:
        return self.text

    def fitted(self, width: int) -> str:
        """The reason, exactly so many columns wide."""
        refusal = _REFUSAL.fullmatch(self.text) if cell_len(self.text) > width else None
        return padded(f"{refusal['field']}: got {refusal['given']}" if refusal else self.text, width)


@dataclass(frozen=True)
class _Progress:
    """How far a running job is: in a narrow column, less of it."""

    values: Mapping[str, Any]

    def __str__(self) -> str:
        return describe(self.values)

    def fitted(self, width: int) -> str:
        """The progress, exactly so many columns wide."""
        return padded(describe(self.values, width), width)


def show_jobs(
    jobs: Sequence[Job], progress: Mapping[str, Mapping[str, Any]] | None = None, metric: str | None = None
) -> None:
    """Print a line for each job: on a terminal what fits, elsewhere all there is, with tabs between cells.

    Ours, since rich's tables take four seconds for ten thousand jobs.

    Args:
        jobs: in the order in which they are shown.
        progress: the latest progress of those that run, by id.
        metric: a number of theirs that gets a column of its own.
    """
    results = [_result(job, (progress or {}).get(job.id, {})) for job in jobs]
    columns = [
        Column("JOB", [job.id for job in jobs]),
        Column("STATE", [job.state for job in jobs], leaves=1),
        Column("WHAT", [escape_line(job.kind) for job in jobs], most=LONGEST_CELL, leaves=3),
        Column(
            "RESULT", results, least=14, good=24, most=LONGEST_CELL, leaves=2 if metric is None else 5,
            fitted=lambda cell, width: cell.fitted(width),
        ),
        Column("SUBMITTED", [ago(job.submitted) for job in jobs], leaves=6),
        Column(
            "NAME", [escape_line(job.name or "") for job in jobs], least=8, good=24, most=LONGEST_CELL,
            leaves=4,
        ),
    ]  # fmt: skip
    if any(job.tags for job in jobs):
        tags = [escape_line(", ".join(job.tags)) for job in jobs]
        columns.append(Column("TAGS", tags, least=8, good=16, most=LONGEST_CELL, leaves=7))
    if metric is not None:
        numbers = [f"{job.metrics[metric]:.5g}" if metric in job.metrics else "" for job in jobs]
        columns.insert(3, Column(escape_line(metric), numbers, leaves=1))
    width = line_width()
    if width is None:
        _write_whole(columns)
        return
    header, *rows = lines(columns, width)
    sys.stdout.write(styled((" " * GAP).join(header).rstrip(), bold=True) + "\n")
    for job, (job_id, *others) in zip(jobs, rows, strict=True):
        if others:
            others[0] = styled(others[0], fg=COLOURS[job.state])
        sys.stdout.write((" " * GAP).join([job_id, *others]).rstrip() + "\n")


def _write_whole(columns: Sequence[Column]) -> None:
    """A line for each row, in which no cell is cut to fit and none holds a tab."""
    sys.stdout.write("\t".join(column.header for column in columns) + "\n")
    for cells in zip(*(column.cells for column in columns), strict=True):
        texts = (clipped(str(cell).replace("\t", " "), LONGEST_PIPED_CELL) for cell in cells)
        sys.stdout.write("\t".join(texts) + "\n")


def _result(job: Job, progress: Mapping[str, Any]) -> _Result | _Reason | _Progress:
    """The headline and the first warning; how far a running job is; why another one ended."""
    mark = f"{MARK} " if job.warnings else ""
    if job.state == "running":
        return _Progress(progress)
    if job.headline is None or job.failed:
        why = job.error or ("stopped on request" if job.state == "cancelled" else "")
        return _Reason(escape_line(mark + why))
    label, value, unit = (str(job.headline[name]) for name in ("label", "value", "unit"))
    more = f"({job.warnings[0]})" if job.warnings else ""
    return _Result(*map(escape_line, (mark + label_text(label), value, unit, more)))
