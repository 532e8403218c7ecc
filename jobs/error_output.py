"""Prints an error as all of Quartet's programs do: one sentence, and its hint on a line of its own."""

import sys

from jobs.errors import QuartetError
from jobs.escape_control import escape_line


def print_error(program: str, error: QuartetError) -> int:
    """Print an error to standard error, in characters that leave a terminal alone.

    Args:
        program: the program's name, which the sentence begins with.
        error: what was raised.

    Returns:
        The exit code to end with.
    """
    lines = [f"{program}: {error}", *([f"hint: {error.hint}"] if error.hint else [])]
    sys.stderr.write("".join(f"{escape_line(line)}\n" for line in lines))
    return error.exit_code
