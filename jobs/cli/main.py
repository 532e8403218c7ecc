"""The command line's entry: its group of commands, and how it ends.

A thin shell: nothing heavier than click is loaded before a command is called, so `quartet --help` is fast.
"""

import sys
from importlib import import_module

import click

from jobs.cli.usage import PROGRAM, Group
from jobs.error_output import prepare_output, print_error
from jobs.errors import QuartetError
from jobs.wording import reason_of

COMMANDS = {
    "running": ("run", "submit", "up", "watch"),
    "looking": ("list", "show", "report", "fetch", "verify"),
    "compare": ("compare",),
    "logs": ("logs",),
    "labels": ("note", "tag"),
    "changing": ("cancel", "retry", "resume", "rerun", "delete"),
    "cleaning": ("prune", "archive", "restore"),
    "data": ("data",),
    "sweep": ("sweep", "schema"),
    "sweeps": ("sweeps",),
    "export": ("export",),
    "exporter": ("exporter",),
    "tensorboard": ("tensorboard",),
    "worker": ("worker",),
    "upkeep": ("rebuild", "doctor", "gpus", "settings"),
}
"""The commands of each module beside this one, where `quartet NAME` is the function `NAME_command`."""


class _Commands(Group):
    """Loads the module of a command when it is called or described."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All commands, by name."""
        return sorted(name for names in COMMANDS.values() for name in names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a name, or None."""
        for module, names in COMMANDS.items():
            if cmd_name in names:
                found: click.Command = getattr(import_module(f"jobs.cli.{module}"), f"{cmd_name}_command")
                return found
        return None


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="quartet", message="quartet %(version)s")
def quartet() -> None:
    """Train, evaluate and sample Keras models as batch jobs.

    Start with `quartet run --help`, which lists the models.
    """


def main() -> None:
    """Run the command line; an error is printed as one sentence, with its hint, and sets the exit code."""
    prepare_output()
    try:
        sys.exit(quartet.main(prog_name=PROGRAM, standalone_mode=False) or 0)
    except QuartetError as error:
        sys.exit(print_error(PROGRAM, error))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
    except OSError as error:  # a folder that this user may not read, a volume that is full or gone
        where, why = error.filename, reason_of(error)
        place = f"{where}: " if isinstance(where, str) else ""
        sys.exit(print_error(PROGRAM, QuartetError(f"{place}{why}")))


if __name__ == "__main__":
    main()
