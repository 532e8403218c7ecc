"""Where output goes: how wide a line may be, and whether colours are shown."""

import os
import shutil
import sys

import click
from rich.cells import cell_len, set_cell_size


def line_width() -> int | None:
    """The columns of the terminal; None where the output is no terminal, so that `grep` finds whole lines."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def has_colours() -> bool:
    """Whether a person sees colours: on a terminal that has them, unless NO_COLOR is set (no-color.org)."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def styled(text: str, fg: str | None = None, bold: bool | None = None) -> str:
    """A text in a colour of click's, or bold, where colours are shown."""
    return click.style(text, fg=fg, bold=bold) if has_colours() else text


def clipped(text: str, width: int) -> str:
    """A text that is at most so many columns wide; one that is wider ends in `…`."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def padded(text: str, width: int) -> str:
    """A text that is exactly so many columns wide."""
    return set_cell_size(clipped(text, width), width)
