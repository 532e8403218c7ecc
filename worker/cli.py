"""`quartet-worker`: starts a worker, or says how one is.

What a worker needs is imported when one starts: `quartet-worker health` runs every few seconds beside it.
"""

import os
import re
import sys

import click

from jobs.cli.usage import Group
from jobs.error_output import print_error
from jobs.errors import InvalidInput, QuartetError, RedisUnreachable
from jobs.wording import shown
from worker import health as state

PROGRAM = "quartet-worker"
ALL_QUEUES = "short,training"

_name = click.option(
    "--name",
    default="worker",
    show_default=True,
    help="the worker's name, before @ and the name of this host",
)


@click.group(
    cls=Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--queues",
    default=ALL_QUEUES,
    show_default=True,
    help="comma-separated queues to take jobs from: training, and short for evaluate and generate",
)
@_name
@click.pass_context
def worker(context: click.Context, queues: str, name: str) -> None:
    """Run jobs until stopped; the running job then goes back to the queue, with its checkpoint."""
    if context.invoked_subcommand is None:
        from jobs.ledger.messages import celery_queues
        from jobs.settings import read_settings
        from worker.engine.main_process import start

        node = _on_this_host(name)
        start(read_settings(), celery_queues(queues), node)


@worker.command()
@_name
def health(name: str) -> None:
    """Check that the worker of this name on this host is well; exit code 0 if it is."""
    code, sentence = state.examine(state.state_dir(), _on_this_host(name))
    if code == state.NO_REDIS:
        raise RedisUnreachable(sentence)
    if code != state.HEALTHY:
        raise QuartetError(sentence)
    click.echo(sentence)


def _on_this_host(name: str) -> str:
    """The name with this host's; Celery, the ledger and the lock read it alike, as they do not read `%n`.

    Raises:
        InvalidInput: the name may mean different things to them.
    """
    if not re.fullmatch(r"[\w.-]{1,64}", name, re.ASCII):
        raise InvalidInput(
            "--name",
            expected="1 to 64 characters, each an ASCII letter, a digit, or one of _ . -",
            given=shown(name),
        )
    return f"{name}@{os.uname().nodename}"


def main() -> None:
    """Run the command line; an error is printed as one sentence, with its hint, and sets the exit code."""
    try:
        sys.exit(worker.main(prog_name=PROGRAM, standalone_mode=False) or 0)
    except QuartetError as error:
        sys.exit(print_error(PROGRAM, error))
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)


if __name__ == "__main__":
    main()
