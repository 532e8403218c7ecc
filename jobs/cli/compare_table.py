"""What `quartet compare` shows: what differs between jobs, beside their numbers, the best first."""

import sys
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len

from jobs.cli.columns import GAP, Column, lines
from jobs.cli.job_table import COLOURS, LEAST_WARNING, LONGEST_CELL, MARK
from jobs.comparison.comparison import Comparison
from jobs.comparison.run import Run
from jobs.comparison.seed_groups import SeedGroup
from jobs.escape_control import escape_line
from jobs.showing.job_text import describe
from jobs.showing.terminal import line_width, padded, styled
from jobs.wording import counted

BEST = "*"
NARROWEST = 20
"""Columns of the terminal to which a sentence is folded at least."""

LONGEST_NAME = 16
"""Columns of the terminal in which a parameter's name is not cut."""

LONGEST_PROGRESS = 40
"""Characters of how far a running job is."""

SHORT_ID = 8
"""Characters of an id's end that a narrow column shows; they are a reference as well."""


@dataclass(frozen=True)
class _Line:
    """One line of the table: jobs that differ in nothing but the seed, or one that did not succeed."""

    runs: Sequence[Run]
    values: dict[str, Any]
    group: SeedGroup | None = None

    @property
    def seeds(self) -> str:
        return " ".join(str(run.seed) for run in self.runs if run.kind)


def show_comparison(comparison: Comparison, metrics: Sequence[str]) -> list[str]:
    """Print what makes the jobs hard to compare, by what they are ranked, and a line for each group of them.

    Args:
        comparison: the jobs.
        metrics: the numbers that get a column, that of the goal first.

    Returns:
        The columns that were left out, since the terminal is too narrow.
    """
    width = line_width()
    for sentence in (*comparison.caveats, _ranking(comparison)):
        text = escape_line(sentence)
        folded = [text] if width is None else textwrap.wrap(text, max(width, NARROWEST))
        sys.stdout.write("\n".join([*folded, ""]))
    sys.stdout.write("\n")
    rows = [_Line(group.runs, group.values, group) for group in comparison.groups]
    rows += [_Line([run], run.values()) for run in comparison.others]
    columns = _columns(comparison, rows, metrics)
    header, *cells = lines(columns, width)
    sys.stdout.write(styled((" " * GAP).join(header).rstrip(), bold=True) + "\n")
    for row, line in zip(rows, cells, strict=True):
        _write_line(row, line, comparison.best)
    leaving = sorted(columns, key=lambda column: column.leaves)[len(header) :]
    return [column.header for column in columns if column in leaving]


def _write_line(row: _Line, cells: Sequence[str], best: SeedGroup | None) -> None:
    text = (" " * GAP).join(cells).rstrip()
    if row.group is None:
        sys.stdout.write(styled(text, fg=COLOURS.get(row.runs[0].state, "red")) + "\n")
    else:
        is_best = best is not None and row.group is best
        sys.stdout.write((styled(text, fg="green", bold=True) if is_best else text) + "\n")


def _ranking(comparison: Comparison) -> str:
    """How many jobs there are, by what they are ranked, and what the mark means, in a sentence."""
    runs, goal = comparison.runs, comparison.goal
    if len(runs) == 1:
        return "There is one job alone, so nothing differs."
    states = Counter(run.state for run in runs)
    counts = ", ".join(f"{number:,} {state}" for state, number in states.items())
    parts = [counted(len(runs), "job") + (f" ({counts})" if comparison.others else "")]
    if any(len(group.runs) > 1 for group in comparison.groups):
        parts.append("those that differ by their seed alone share a line: mean ± standard deviation (seeds)")
    if goal is None:
        lacking = "says which is better" if comparison.metrics else "is common to them"
        parts.append(f"no number {lacking}, so the newest come first")
    else:
        first = "those trained longest first, then " if comparison.by_rung else ""
        parts.append(f"{first}by {goal.name}, {'lower' if goal.goal == 'minimize' else 'higher'} is better")
    if comparison.best is not None:
        parts.append(f"{BEST} marks the best")
    elif not comparison.comparable:
        parts.append("none is marked as the best, since they read different data")
    return "; ".join(parts) + "."


def _columns(comparison: Comparison, rows: Sequence[_Line], metrics: Sequence[str]) -> list[Column]:
    """All columns, which leave in this order: other numbers, names, parameters from the last one, states."""
    names, seeds = comparison.differing, [row.seeds for row in rows]
    taken = {"", "JOB", "NAME", "STATE", "DONE", "SEED"}
    found = [Column("", [_marks(row, comparison.best) for row in rows])]
    first, others = (metrics[:1], metrics[1:]) if comparison.goal is not None else ([], metrics)
    goals = [_metric_column(name, rows, taken, leaves=0) for name in first]
    about = [_value_column(name, rows, taken, leaves=10 + place) for place, name in enumerate(names)]
    if len({each for row, each in zip(rows, seeds, strict=True) if row.values}) > 1:
        about.append(Column("SEED", seeds, most=LONGEST_CELL, least=6, good=12, leaves=9_000))
    if any(_stopped_early(row) for row in rows):
        about.append(Column("DONE", [_done(row) for row in rows], leaves=9_001))
    more = [_metric_column(name, rows, taken, leaves=20_000 + place) for place, name in enumerate(others)]
    people = [_name(row) for row in rows]
    states = [_state(row) for row in rows] if comparison.others else []
    ends = [
        Column("NAME", people, least=8, good=16, most=LONGEST_CELL, leaves=10_000),
        Column("STATE", states, least=9, good=24, most=LONGEST_CELL, leaves=2, fitted=_short_state),
        Column("JOB", [row.runs[0].id for row in rows], least=SHORT_ID, leaves=1, fitted=_short_id),
    ]
    return [*found, *goals, *about, *more, *(column for column in ends if any(column.cells))]


def _marks(row: _Line, best: SeedGroup | None) -> str:
    is_best = best is not None and row.group is best
    return (BEST if is_best else "") + (MARK if any(run.warnings for run in row.runs) else "")


def _metric_column(name: str, rows: Sequence[_Line], taken: set[str], leaves: int) -> Column:
    return Column(_header(name, taken, "metrics"), [_number(row, name) for row in rows], leaves=leaves)


def _value_column(name: str, rows: Sequence[_Line], taken: set[str], leaves: int) -> Column:
    header = _header(name, taken, "value")
    cells = [value_text(row.values[name]) if name in row.values else "" for row in rows]
    least = min(max(cell_len(header), 8), LONGEST_NAME)
    return Column(
        header, cells, least=least, good=LONGEST_NAME, most=LONGEST_CELL, leaves=leaves, fitted=_short_value
    )


def _header(name: str, taken: set[str], kind: str) -> str:
    """A column's header: a parameter and a number may have the same name."""
    header = escape_line(name)
    while header in taken:
        header = f"{kind}.{header}"
    taken.add(header)
    return header


def value_text(value: Any) -> str:
    """A value from JSON on one line."""
    if isinstance(value, list | tuple):
        return " ".join(map(value_text, value))
    if isinstance(value, bool) or value is None:
        return {None: "none", True: "yes", False: "no"}[value]
    return escape_line(f"{value:.8g}" if isinstance(value, float) else str(value))


def _number(row: _Line, name: str) -> str:
    """A number to five digits; of several seeds `mean ± standard deviation (n)`."""
    group = row.group or SeedGroup(row.runs)
    mean, deviation = group.mean(name), group.deviation(name)
    if mean is None:
        return ""
    spread = "" if deviation is None else f" ± {deviation:.2g}"
    count = f" ({len(group.numbers(name))})" if len(row.runs) > 1 else ""
    return f"{number_text(mean)}{spread}{count}"


def number_text(value: float) -> str:
    """A number to five significant digits, a count as a whole."""
    return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.5g}"


def _name(row: _Line) -> str:
    """The names that people gave the jobs; a sweep names its trials by their numbers."""
    names = [run.name for run in row.runs if run.name and run.name != f"{run.sweep}-{run.trial}"]
    return escape_line(names[0]) + (f" +{len(names) - 1}" if len(names) > 1 else "") if names else ""


def _state(row: _Line) -> str:
    [run, *_] = row.runs
    why = describe(run.progress, LONGEST_PROGRESS) if run.state == "running" else run.error or ""
    return run.state if row.group is not None or not why else escape_line(f"{run.state}: {why}")


def _stopped_early(row: _Line) -> bool:
    """Whether it is not plain from the parameter how many epochs were trained."""
    return any(
        run.epochs_done is not None and run.epochs_done != run.parameters.get("epochs") for run in row.runs
    )


def _done(row: _Line) -> str:
    """How many epochs were trained."""
    return " ".join(dict.fromkeys(f"{run.epochs_done:,}" for run in row.runs if run.epochs_done is not None))


def _short_value(text: str, width: int) -> str:
    """A value in so many columns: of a path its end, of anything else its beginning."""
    if not text.startswith("/") or cell_len(text) <= width:
        return padded(text, width)
    end = text[-width:]
    while cell_len(end) >= width:
        end = end[1:]
    return padded(f"…{end}", width)


def _short_state(text: str, width: int) -> str:
    """A state with its reason, or alone where hardly anything of the reason has room."""
    state, _, why = text.partition(": ")
    return padded(text if cell_len(state) + min(cell_len(why), LEAST_WARNING) < width else state, width)


def _short_id(job_id: str, width: int) -> str:
    return padded(job_id if len(job_id) <= width else job_id[-SHORT_ID:], width)
