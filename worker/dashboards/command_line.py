"""What the dashboards' commands share: the folder that they show, and errors in one sentence."""

import sys
from pathlib import Path

import click

from jobs.error_output import print_error
from jobs.errors import InvalidInput, QuartetError
from jobs.wording import shown


def check_folder(folder: Path) -> Path:
    """The results folder, resolved.

    Args:
        folder: as it was given.

    Raises:
        InvalidInput: it is no folder, or may not be looked at.
    """
    try:
        if folder.is_dir():
            return folder.resolve()
    except OSError:
        pass
    raise InvalidInput("folder", expected="the results folder", given=shown(str(folder)))


def run(command: click.Command, program: str) -> None:
    """Run a dashboard's command; an error is printed as one sentence, and sets the exit code.

    Args:
        command: to run with this process' arguments.
        program: what it is called in its help and its errors.
    """
    try:
        sys.exit(command.main(prog_name=program, standalone_mode=False) or 0)
    except QuartetError as error:
        sys.exit(print_error(program, error))
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
