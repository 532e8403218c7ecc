"""What the command line shows as text: one job, datasets, settings, the doctor's checks."""

import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from jobs.cli.job_table import COLOURS
from jobs.escape_control import escape_control, escape_line
from jobs.job import Job
from jobs.settings import Settings
from jobs.showing.job_text import describe, headline_text
from jobs.showing.terminal import line_width, padded, styled
from jobs.store.own_data_pin import shown_data

if TYPE_CHECKING:
    from rich.console import Console

    from jobs.cli.doctor import Check

NARROWEST, WIDEST_TEXT = 20, 100
"""Columns that a text gets at least, and that a paragraph has at most."""

NO_COLOURS: Mapping[str, str] = MappingProxyType({})

CHECK_INDENT = 23
"""Columns before what a check of the doctor found."""


def console() -> "Console":
    """Standard output for rich's tables; wide when it is not a terminal."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200)


def show_job(
    job: Job,
    timeline: Iterable[dict[str, Any]],
    progress: dict[str, Any],
    command: str,
    waits: str | None = None,
    data: str | None = None,
) -> None:
    """Print all that is known of one job.

    Args:
        job: the job.
        timeline: its events: `time` (ISO 8601) and `text`.
        progress: its latest progress; shown while it runs.
        command: the command that submits it.
        waits: what it waits for, if that is known.
        data: what it reads, if that is known.
    """
    rows: list[tuple[str, str | None]] = [
        ("job", job.id),
        ("what", job.kind),
        ("name", job.name),
        ("sweep", _sweep_text(job)),
        ("tags", ", ".join(job.tags)),
        ("note", job.note),
        ("state", job.state),
        *(("warning", warning) for warning in job.warnings),
        ("waits", waits),
        ("result", headline_text(job)),
        ("error", job.error),
        ("progress", describe(progress) if job.state == "running" else None),
        ("data", data),
        *(("noted", note) for note in job.notes),
        ("worker", job.worker),
        ("command", command),
        ("report", job.report),
    ]
    show_fields(rows, {"state": COLOURS[job.state], "warning": "yellow"})
    sys.stdout.write("\n")
    for entry in timeline:
        moment = str(entry["time"])[:19].replace("T", " ")
        sys.stdout.write(escape_line(f"{moment}  {entry['text']}") + "\n")


def show_fields(rows: Sequence[tuple[str, str | None]], colours: Mapping[str, str] = NO_COLOURS) -> None:
    """Print labels, each with its text beside it; one that has none is left out.

    Args:
        rows: label and text.
        colours: of some labels' texts.
    """
    indent = max(len(label) for label, value in rows if value) + 2
    for label, value in rows:
        if value:
            _write_field(label, value, indent, colours.get(label))


def _sweep_text(job: Job) -> str | None:
    """Which job of which sweep it is; None for one that is of none."""
    if job.sweep is None:
        return None
    try:
        entry = job.entry or {}
        point = ", ".join(f"{name} {shown_data(str(value))}" for name, value in entry["point"].items())
        return escape_line(f"{job.sweep}, trial {entry['trial']}" + (f": {point}" if point else ""))
    except (LookupError, TypeError, AttributeError):  # of another version
        return job.sweep


def _write_field(label: str, value: str, indent: int, colour: str | None = None) -> None:
    """A label, and beside it a text that may have several lines. A path or a command is never broken by us:
    a terminal breaks it where it must, and gives it back whole when it is copied."""
    first, *others = escape_control(value).splitlines() or [""]
    sys.stdout.write(styled(label, bold=True) + " " * (indent - len(label)) + styled(first, fg=colour) + "\n")
    for line in others:
        sys.stdout.write(" " * indent + styled(line, fg=colour) + "\n")


def show_datasets(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Print a line for each dataset: whether it is in the data folder, and where it comes from.

    Args:
        rows: of each its `name`, `kind`, whether it is `here`, where that is (`path`), what is wrong with it
            (`problem`) and its `origin`.
        folder: the data folder.
    """
    table = [("DATASET", "KIND", "HERE", "FROM")]
    _write_table(table + [(row["name"], row["kind"], row["here"], str(row["origin"])) for row in rows])
    sys.stdout.write(f"\nin {escape_line(str(folder))}\n")
    for row in rows:
        if row["problem"]:
            about = f"{row['name']} {row['here']}: {row['path']}, {row['problem']}"
            sys.stdout.write(escape_line(about) + "\n")


def show_settings(settings: Settings) -> None:
    """Print each setting as `.env` has it, and below it what it is. Secrets are masked."""
    defaults = Settings.defaults().shown()
    width = min(line_width() or WIDEST_TEXT, WIDEST_TEXT)
    for name, value in settings.shown().items():
        text, default = str(type(settings).model_fields[name].description), defaults[name]
        if value != default:
            text += f" [default {escape_line(default) or 'empty'}]"
        sys.stdout.write(styled(f"QUARTET_{name.upper()}", bold=True) + f"={escape_line(value)}\n")
        for line in _wrapped(text, width - 4):
            sys.stdout.write(f"    {line}\n")


def show_checks(checks: Iterable["Check"]) -> None:
    """Print a line for each of the doctor's checks, and the fix below one that failed."""
    width = line_width() or sys.maxsize
    for check in checks:
        state = styled(f"{'ok' if check.passed else 'FAIL':5}", fg="green" if check.passed else "red")
        first, *others = _wrapped(escape_line(check.finding), width - CHECK_INDENT)
        sys.stdout.write(f"{state}{check.name:{CHECK_INDENT - 5}}{first}\n")
        for line in others:
            sys.stdout.write(" " * CHECK_INDENT + line + "\n")
        if not check.passed:
            sys.stdout.write(escape_line(f"{'':{CHECK_INDENT}}fix: {check.fix}") + "\n")


def _write_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Rows whose last column is folded to the width of the terminal; the first row is the header."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)][:-1]
    indent = sum(widths) + len(widths)
    room = (line_width() or WIDEST_TEXT * 2) - indent
    for number, row in enumerate(rows):
        start = " ".join(padded(cell, width) for cell, width in zip(row[:-1], widths, strict=True))
        first, *others = _wrapped(row[-1], room)
        sys.stdout.write(styled(f"{start} {first}", bold=number == 0) + "\n")
        for line in others:
            sys.stdout.write(" " * indent + line + "\n")


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of a text, in which a word that is wider than a line stays whole."""
    return textwrap.wrap(text, max(width, NARROWEST), break_long_words=False, break_on_hyphens=False) or [""]
