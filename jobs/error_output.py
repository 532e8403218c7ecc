"""Prints an error as all of Quartet's programs do: one sentence, and its hint on a line of its own."""

import os
import sys
from pathlib import Path
from typing import TextIO

from jobs.errors import InvalidSweep, QuartetError
from jobs.escape_control import escape_line
from jobs.secrets import hide_secrets


def print_error(program: str, error: QuartetError) -> int:
    """Print an error to standard error, in characters that leave a terminal alone, without passwords.

    Of a description with several mistakes, each is printed.

    Args:
        program: the program's name, which the sentence begins with.
        error: what was raised.

    Returns:
        The exit code to end with.
    """
    several = error.problems if isinstance(error, InvalidSweep) else ()
    lines = [line for each in several or [error] for line in _lines_of(program, each)]
    try:
        sys.stderr.write("".join(f"{escape_line(hide_secrets(line))}\n" for line in lines))
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # closed, or it goes to a full disk; the exit code is left
        pass
    return error.exit_code


def _lines_of(program: str, error: QuartetError) -> list[str]:
    return [f"{program}: {error}", *([f"hint: {error.hint}"] if error.hint else [])]


def prepare_output() -> None:
    """Let a program print whatever it likes, wherever its output goes.

    A character that the output's encoding lacks is written by its code; what goes to a closed file is lost.
    """
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - to the end
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
