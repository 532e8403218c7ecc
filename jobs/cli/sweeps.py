"""`quartet sweeps`: look at sweeps, and stop, extend, retry or delete them."""

from typing import TYPE_CHECKING

import click

from jobs.cli.common import as_json, confirm, print_json
from jobs.cli.usage import Group
from jobs.errors import InvalidInput, RedisUnreachable
from jobs.showing.waits import why_a_sweep_waits

if TYPE_CHECKING:
    from jobs.client import Client
    from jobs.sweeps.sweep import Sweep

MOST_SWEEPS = 50
"""Sweeps that `list` shows unless it is asked for all."""

sweep_argument = click.argument("name", metavar="SWEEP")


@click.group("sweeps", cls=Group, invoke_without_command=True)
@click.pass_context
def sweeps_command(context: click.Context) -> None:
    """List sweeps, show or watch one, stop, extend, retry or delete it."""
    if context.invoked_subcommand is None:
        context.invoke(sweeps_list)


@sweeps_command.command("list")
@click.option("--all", "every", is_flag=True, help="all sweeps, not only the newest")
@as_json
def sweeps_list(every: bool = False, as_json: bool = False) -> None:
    """List sweeps, newest first: how far they are, and the best point so far."""
    from jobs.client import Client

    client = Client()
    sweeps, away = client.sweeps_known()
    shown = sweeps if every else sweeps[:MOST_SWEEPS]
    if as_json:
        print_json([sweep.summary() for sweep in shown])
    else:
        _show_list(client, shown)
    if away is not None:
        raise RedisUnreachable(f"{away}; these are the sweeps with a file", hint=away.hint)
    if not as_json and len(shown) < len(sweeps):
        click.echo(f"these are the newest {MOST_SWEEPS}; `quartet sweeps list --all` lists all", err=True)


def _show_list(client: "Client", shown: "list[Sweep]") -> None:
    from jobs.cli.sweep_table import show_sweeps
    from jobs.store.history import History

    show_sweeps(shown, History(client.results))


@sweeps_command.command("show")
@sweep_argument
@click.option("--all", "every", is_flag=True, help="all points, not only the best ten")
@as_json
def sweeps_show(name: str, every: bool, as_json: bool) -> None:
    """Show how far a sweep is, and what its points came to, the best first."""
    from jobs.client import Client
    from jobs.sweeps.sweep_folder import sweep_folder

    client = Client()
    sweep = client.find_sweep(name)
    waits = why_a_sweep_waits(sweep.state, client)
    if as_json:
        print_json((sweep.summary() if sweep.problem else sweep.as_dict()) | {"waits": waits})
        return
    from jobs.cli.sweep_table import show_sweep

    show_sweep(sweep, waits, str(sweep_folder(client.results, sweep.name)), every)


@sweeps_command.command("watch")
@sweep_argument
def sweeps_watch(name: str) -> None:
    """Watch a sweep until it has ended or was stopped. Ctrl-C leaves it running."""
    from jobs.client import Client
    from jobs.showing.sweep_progress import check_any_succeeded, show_sweep_progress

    sweep = Client().find_sweep(name)
    if sweep.state == "running" and sweep.why:
        click.echo(f"note: {sweep.why}", err=True)
    check_any_succeeded(show_sweep_progress(sweep))


@sweeps_command.command("stop")
@sweep_argument
@click.option("--keep-running", is_flag=True, help="leave the jobs that it has queued; they run to their end")
def sweeps_stop(name: str, keep_running: bool) -> None:
    """Stop a sweep and cancel its unfinished jobs, whose checkpoints are kept."""
    from jobs.client import Client

    sweep = Client().find_sweep(name).stop(keep_running=keep_running)
    click.echo(f"{sweep.name} {sweep.state}")


@sweeps_command.command("extend")
@sweep_argument
@click.option("--run-cap", metavar="N|+N", required=True, help="the most trials, or how many more")
def sweeps_extend(name: str, run_cap: str) -> None:
    """Run more trials of a sweep, also of one that has ended."""
    from jobs.client import Client

    sweep = Client().find_sweep(name).extend(run_cap)
    click.echo(f"{sweep.name} {sweep.state}, at most {sweep.spec.most_trials():,} trials")


@sweeps_command.command("retry")
@sweep_argument
@as_json
def sweeps_retry(name: str, as_json: bool) -> None:
    """Queue a sweep's failed and deleted trials again, and what was cancelled when it was stopped."""
    from jobs.client import Client

    sweep = Client().find_sweep(name)
    before = {entry.key: entry.job for entry in sweep.entries}
    new = {job.id for job in sweep.retry()}
    retried = [(before.get(entry.key), entry.job) for entry in sweep.entries if entry.job in new]
    if as_json:
        print_json([{"job": old, "retried_as": job} for old, job in retried])
        return
    for old, job in retried:
        click.echo(f"{old} -> {job}")
    if not retried:
        click.echo("no failed or deleted trial is left to retry", err=True)


@sweeps_command.command("delete")
@sweep_argument
@click.option("--yes", is_flag=True, help="do not ask")
def sweeps_delete(name: str, yes: bool) -> None:
    """Forget a sweep that does not run, with its comparison; its jobs stay, and its name is free."""
    import sys

    from jobs.client import Client
    from jobs.wording import counted

    sweep = Client().find_sweep(name)
    if not yes and not sys.stdin.isatty():
        raise InvalidInput("--yes", expected="--yes, since no terminal can be asked", given="none")
    if not yes:
        stay = f"{counted(len(sweep.entries), 'job')} of it stay" + ("s" if len(sweep.entries) == 1 else "")
        confirm(f"Delete the sweep {sweep.name} for good? ({stay})")
    sweep.delete()
    click.echo(f"{sweep.name} deleted")
