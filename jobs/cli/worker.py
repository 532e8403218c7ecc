"""`quartet worker`: look at the live workers, and drain some."""

import sys

import click

from jobs.cli.common import as_json, print_json
from jobs.cli.usage import Command, Group
from jobs.errors import InvalidInput


@click.group("worker", cls=Group, invoke_without_command=True)
@click.pass_context
def worker_command(context: click.Context) -> None:
    """List workers, or have some finish their job and stop."""
    if context.invoked_subcommand is None:
        context.invoke(worker_list)


@worker_command.command("list")
@as_json
def worker_list(as_json: bool = False) -> None:
    """List the live workers: what each does, on which device, since when."""
    from jobs.client import Client

    workers = Client().workers()
    if as_json:
        print_json([worker.as_dict() for worker in workers])
        return
    from jobs.cli.worker_table import show_workers

    show_workers(workers)
    if not workers:
        click.echo("no worker runs; `quartet up` starts some", err=True)


@worker_command.command("drain", cls=Command)
@click.argument("names", metavar="[WORKER]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="all workers of this moment")
@click.option("--hand-back", is_flag=True, help="their jobs write a checkpoint and go back to the queue")
@click.option("--wait", is_flag=True, help="until they have stopped; Ctrl-C does not call the drain off")
def worker_drain(names: tuple[str, ...], every: bool, hand_back: bool, wait: bool) -> None:
    """Have workers take no more jobs, finish the one they have, and stop.

    It holds until a worker's process ends: one that is started anew takes jobs again.
    """
    from jobs.cli.worker_table import drain_text
    from jobs.client import Client

    if bool(names) == every:
        given = f"{len(names):,} and --all" if every else "none"
        raise InvalidInput("worker", expected="names of workers, or --all", given=given)
    client = Client()
    workers = client.drain(
        *([worker.name for worker in client.workers()] if every else names), hand_back=hand_back
    )
    for worker in workers:
        click.echo(drain_text(worker))
    if not workers:
        click.echo("no worker runs", err=True)
    if wait:
        sys.stdout.flush()
        for worker in client.drained(workers):
            click.echo(f"{worker.name} has stopped")
