"""Commands about the installation: rebuild, doctor, gpus, settings."""

import sys

import click

from jobs.cli.common import as_json, print_json
from jobs.cli.usage import Command
from jobs.errors import DamagedFolder, QuartetError


@click.command("rebuild", cls=Command)
def rebuild_command() -> None:
    """Restore the unfinished jobs of a lost Redis from the results folder."""
    from jobs.client import Client
    from jobs.ledger.rebuild import rebuild
    from jobs.wording import counted

    client = Client()
    done = rebuild(client.ledger, client.results)
    click.echo(done)
    if done.unreadable:
        names = ", ".join(str(path.relative_to(client.results.root)) for path in done.unreadable[:5])
        more = f" and {len(done.unreadable) - 5:,} more" if len(done.unreadable) > 5 else ""
        what = counted(len(done.unreadable), "job or sweep", "jobs or sweeps")
        raise DamagedFolder(f"{what} in {client.results.root} could not be read: {names}{more}")


@click.command("doctor", cls=Command)
@as_json
@click.option("--tensorflow", is_flag=True, help="also load TensorFlow, which takes seconds, to see its GPUs")
@click.option("--notify", is_flag=True, help="also send a test message to each address in QUARTET_NOTIFY")
@click.option("--rights", is_flag=True, help="print the Redis rights that each kind of user needs")
def doctor_command(as_json: bool, tensorflow: bool, notify: bool, rights: bool) -> None:
    """Diagnose the installation and suggest fixes."""
    if rights:
        _print_rights()
        return
    from dataclasses import asdict

    from jobs.cli.doctor import examine
    from jobs.settings import read_settings

    checks = examine(read_settings(), tensorflow, notify)
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        from jobs.cli.tables import show_checks

        show_checks(checks)
    failed = [check.name for check in checks if not check.passed]
    if failed:
        raise QuartetError(f"failed checks: {', '.join(failed)}")


def _print_rights() -> None:
    from jobs.redis_access.address import read_address
    from jobs.redis_access.rights import rights_text
    from jobs.settings import read_settings

    address = read_address(read_settings().redis_address())
    click.echo(rights_text(address.database, address.prefix))


@click.command("gpus", cls=Command)
@as_json
def gpus_command(as_json: bool) -> None:
    """List this machine's GPUs. Shows each one's memory and load, and the worker and job that hold it."""
    import subprocess

    from jobs.local.supervisor import check_worker_is_installed

    check_worker_is_installed()
    # A process of its own, since nothing in `jobs` imports the worker's code, which asks the driver.
    command = [sys.executable, "-P", "-m", "worker.engine.gpu", *(["--json"] if as_json else [])]
    sys.exit(subprocess.run(command).returncode)


@click.command("settings", cls=Command)
def settings_command() -> None:
    """Print every setting with its value, default and description."""
    from jobs.cli.tables import show_settings
    from jobs.settings import read_settings

    show_settings(read_settings())
